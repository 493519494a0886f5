"""The process that executors are forked from. It has loaded what they need and never runs user code.

It does three things: fork, send signals, and bury. An executor's end is reported only when nothing of it is left: its
process group is killed while its id cannot yet be anyone else's, and whoever had slipped out of the group becomes our
child, for we adopt orphans, and is killed as well. When the agent is gone, so that the control socket ends, everything
is buried, and then the zygote ends too. Only then is the agent's lock free, which we share.
"""

import array
import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import Final, NoReturn

from msgspec import msgpack

from .capture import Capture
from .executor import Executor, Provisions, Surroundings
from .kernel import adopt_orphans, be_first_to_go, children, die_with, set_name
from .message import Exited, Fork, Forked, FromZygote, NotForked, Signal, ToZygote
from .wakeup import Wakeup

BROKEN: Final = 71
"""The exit code of an executor that met an error of ours."""

_MOST_BYTES: Final = 4 << 10
_FD_SPACE: Final = socket.CMSG_SPACE(3 * array.array("i").itemsize)
_NOW: Final = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
_DECODER: Final[msgpack.Decoder[ToZygote]] = msgpack.Decoder(ToZygote)


class Zygote:
    """See the module. ``control`` is a socket that keeps messages apart; its other end is the agent's."""

    def __init__(self, control: socket.socket, surroundings: Surroundings, after_fork: Callable[[], None]) -> None:
        """``after_fork`` lets go, in an executor, of what else is open in this process."""
        self._control = control
        self._surroundings = surroundings
        self._after_fork = after_fork
        self._pids: dict[int, int] = {}
        self._numbers: dict[int, int] = {}
        self._exited: list[Exited] = []
        self._pid = os.getpid()
        self._wakeup = Wakeup(signal.SIGCHLD)
        self._capture = Capture()
        adopt_orphans()
        gc.freeze()  # executors share this memory for longer if nobody looks through it for garbage

    def serve(self) -> NoReturn:
        """Until the agent is gone, and all executors with it."""
        while self._obey():
            self._bury()
        for pid in self._numbers:
            _send(pid, signal.SIGKILL)
        while self._bury() or self._kill_strays():
            self._wakeup.wait()
        os._exit(0)

    def _obey(self) -> bool:
        """Wait for something to happen and do all that the agent says. Whether the agent is still there."""
        if self._control not in self._wakeup.wait(self._control):
            return True
        while True:
            try:
                data, extra, _, _ = self._control.recvmsg(_MOST_BYTES, _FD_SPACE, _NOW)
            except BlockingIOError:
                return True
            except ConnectionError:
                return False
            if not data:
                return False
            match _DECODER.decode(data):
                case Fork() as order:
                    self._fork(order, array.array("i", extra[0][2]).tolist())
                case Signal(executor, number):
                    if executor in self._pids:
                        _send(self._pids[executor], number)

    def _fork(self, order: Fork, fds: list[int]) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            self._say(NotForked(order.executor, str(error)))
        else:
            if pid == 0:
                self._become(order, fds)
            os.setpgid(pid, pid)  # the child does it too: whoever comes first
            self._pids[order.executor] = pid
            self._numbers[pid] = order.executor
            self._say(Forked(order.executor, pid))
        for fd in fds:
            os.close(fd)

    def _become(self, order: Fork, fds: list[int]) -> NoReturn:
        """In the child: leave everything of the zygote's, and be an executor."""
        try:
            os.setpgid(0, 0)
            die_with(self._pid)
            adopt_orphans()
            set_name("ostinato-task")
            be_first_to_go()
            self._wakeup.close()
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self._control.close()
            self._after_fork()
            work, reports, log = fds
            Executor(Provisions(work, reports, log, order.segment), self._surroundings, self._capture).serve()
        except BaseException:  # noqa: BLE001 - whatever it is, the zygote's code must not go on in this process
            traceback.print_exc(file=sys.__stderr__)
        finally:
            os._exit(BROKEN)

    def _bury(self) -> bool:
        """Reap who has ended and kill what they left behind. Whether any executor is left, or its end is still to be told."""
        while (ended := _ended()) is not None:
            if ended in self._numbers:
                _send(ended, signal.SIGKILL)
            pid, status, usage = os.wait4(ended, 0)
            number = self._numbers.pop(pid, None)
            if number is not None:
                del self._pids[number]
                cpu_ms = round((usage.ru_utime + usage.ru_stime) * 1000)
                self._exited.append(Exited(number, os.waitstatus_to_exitcode(status), usage.ru_maxrss, cpu_ms))
        if self._exited and not self._kill_strays():
            for exited in self._exited:
                self._say(exited)
            self._exited.clear()
        return bool(self._numbers or self._exited)

    def _kill_strays(self) -> bool:
        """Kill all children that are no executors. Whether there were any; their end is told by another signal."""
        strays = children() - self._numbers.keys()
        for pid in strays:
            os.kill(pid, signal.SIGKILL)
        return bool(strays)

    def _say(self, message: FromZygote) -> None:
        try:
            self._control.send(msgpack.encode(message))
        except ConnectionError:
            return  # the agent is gone, which the next look at the socket tells too


def _ended() -> int | None:
    """A child that has ended and is not yet reaped, so that its id is still its own."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return found.si_pid if found is not None else None


def _send(pid: int, number: int) -> None:
    """Signal a child that is not yet reaped, with its process group; by itself, should it have left that."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        os.kill(pid, number)
