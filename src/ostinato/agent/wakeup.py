"""Waiting for signals and sockets at once."""

import os
import select
import signal
import socket
from types import FrameType


class Wakeup:
    """Some signals, made readable. ``came`` holds those that did since it was last emptied."""

    def __init__(self, *signals: signal.Signals) -> None:
        self.came: set[int] = set()
        self._signals = signals
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number in signals:
            signal.signal(number, self._note)

    def fileno(self) -> int:
        """Readable when a signal came."""
        return self._read

    def silence(self) -> None:
        """Be readable no more until the next signal."""
        try:
            while os.read(self._read, 512):
                pass
        except BlockingIOError:
            return

    def wait(self, *others: socket.socket) -> list[socket.socket]:
        """Wait for a signal or for one of the sockets; return the sockets that can be read."""
        ready, _, _ = select.select([self.fileno(), *others], [], [])
        self.silence()
        return [found for found in others if found in ready]

    def close(self) -> None:
        """Let the signals have their ordinary effect again."""
        signal.set_wakeup_fd(-1)
        for number in self._signals:
            signal.signal(number, signal.SIG_DFL)
        os.close(self._read)
        os.close(self._write)

    def _note(self, number: int, where: FrameType | None) -> None:
        self.came.add(number)
