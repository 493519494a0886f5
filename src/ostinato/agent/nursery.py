"""The agent's side of the zygote: it starts one, tells it what to do, and sees to it that a dead one leaves nothing."""

import os
import signal
import socket
import traceback
from collections.abc import Sequence
from typing import Final

from msgspec import msgpack

from .executor import Surroundings
from .kernel import children, set_name
from .message import FromZygote, ToZygote
from .zygote import Zygote

_MOST_BYTES: Final = 4 << 10
_DECODER: Final[msgpack.Decoder[FromZygote]] = msgpack.Decoder(FromZygote)


class Nursery:
    """One zygote at a time. While it is ``dead``, what it left is being buried, and it takes no orders."""

    def __init__(self, surroundings: Surroundings, shared: int) -> None:
        """``shared`` is a descriptor that the zygote keeps and executors do not."""
        self._surroundings = surroundings
        self._shared = shared
        self._control: socket.socket | None = None
        self.dead = True

    def start(self) -> None:
        """Fork a zygote. The fork has to come before any user code, and does: there is none in the agent."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            self._become(theirs)
        theirs.close()
        ours.setblocking(False)
        self._control = ours
        self.dead = False

    def fileno(self) -> int:
        """Readable when the zygote has something to say, or is gone."""
        return self._control.fileno() if self._control is not None else -1

    def tell(self, order: ToZygote, fds: Sequence[int] = ()) -> None:
        """Give an order. A zygote that does not listen any more is as good as dead, and gets no second one."""
        if self._control is None:
            return
        try:
            socket.send_fds(self._control, [msgpack.encode(order)], fds)
        except (ConnectionError, BlockingIOError):
            self._control.shutdown(socket.SHUT_RDWR)

    def hear(self) -> list[FromZygote]:
        """What the zygote has said. After its last word it is ``dead``."""
        heard: list[FromZygote] = []
        while self._control is not None:
            try:
                data = self._control.recv(_MOST_BYTES)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            if not data:
                self._control.close()
                self._control = None
                self.dead = True
                break
            heard.append(_DECODER.decode(data))
        return heard

    def buried(self) -> bool:
        """Kill and reap what a dead zygote left, which is ours now. Whether nothing is left."""
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False

    def _become(self, control: socket.socket) -> None:
        """In the child: keep the standard streams, the control socket and what is shared, and be a zygote."""
        try:
            set_name("ostinato-zygote")
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.set_wakeup_fd(-1)
            _close_all_but({0, 1, 2, control.fileno(), self._shared})
            Zygote(control, self._surroundings, self._let_go).serve()
        except BaseException:  # noqa: BLE001 - whatever it is, the agent's code must not go on in this process
            traceback.print_exc()
        finally:
            os._exit(1)

    def _let_go(self) -> None:
        os.close(self._shared)


def _close_all_but(kept: set[int]) -> None:
    low = 0
    for fd in (*sorted(kept), os.sysconf("SC_OPEN_MAX")):
        if low < fd:  # to Python 3.11 the empty range (0, 0) is everything
            os.closerange(low, fd)
        low = fd + 1
