"""Hints: "the state has changed, look at it".

What counts is what is written, and it is looked at anyway from time to time, so a hint that is lost costs a delay and
nothing else.
"""

import socket
from contextlib import suppress

from ostinato.home import Home
from ostinato.wire import connect, listen


def hint(home: Home) -> None:
    """Wake the scheduler of this home, if there is one."""
    try:
        with connect(home.hint_socket, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.send(b".")
    except (FileNotFoundError, ConnectionRefusedError, BlockingIOError):
        return  # nobody listens, or so many hints wait already that one more says nothing new


def is_heard(home: Home) -> bool:
    """Whether somebody listens: a scheduler of this home that leads."""
    try:
        connect(home.hint_socket, socket.SOCK_DGRAM).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    return True


class HintListener:
    """The scheduler's end."""

    def __init__(self, home: Home) -> None:
        self._path = home.hint_socket
        self._socket = listen(self._path, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._inode = self._path.stat().st_ino

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    def heard(self) -> bool:
        """Whether any hint came since the last call."""
        heard = False
        while True:
            try:
                self._socket.recv(16)
            except BlockingIOError:
                return heard
            heard = True

    def close(self) -> None:
        """Stop listening. Another scheduler may have taken the place meanwhile: then it is left alone."""
        self._socket.close()
        with suppress(FileNotFoundError):
            if self._path.stat().st_ino == self._inode:
                self._path.unlink()
