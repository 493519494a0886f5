"""Whether a task left the process as it found it. What differs would reach the next task, so the process is replaced.

Looking costs a few microseconds after each task. What would cost more, such as open files, is looked at every nth
time only: then the process is replaced a few tasks later. Sockets and the like that libraries keep for good reason are
let be, up to a number.
"""

import os
import resource
import signal
import sys
import threading
from _signal import getsignal  # pyright: ignore[reportMissingImports, reportUnknownVariableType]
from collections.abc import Callable
from typing import Final, cast

CLOSER_EVERY: Final = 16
"""After this many tasks there is a closer look."""

MOST_NEW_DESCRIPTORS: Final = 64
MOST_NEW_KIB: Final = 256 << 10
"""A process that has grown by this much, and has not shrunk again, is replaced."""

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)
_MORE_SIGNALS: Final = (signal.SIGCHLD, signal.SIGPIPE, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)

_handler_of: Final = cast("Callable[[int], object]", getsignal)
"""Not that of ``signal``, which makes an enum member of what it finds: that takes longer than all other checks."""

Difference = str
"""What a task left behind, to be read after "the task ..."; empty: nothing."""


class Hygiene:
    """The state of this process before its first task, once its code is loaded; and whether it still is like that."""

    def __init__(self, log: int) -> None:
        """``log`` is the file that descriptors 1 and 2 are to be."""
        self._log = _identity(log)
        self._looks = 0
        self._set_umask()
        self._variables: dict[bytes, bytes] = vars(os.environ)["_data"]  # comparing os.environ itself takes 50 us
        self._environment = dict(self._variables)
        self._folder = os.getcwd()
        self._path = list(sys.path)
        self._streams = (sys.stdout, sys.stderr)
        self._threads = threading.active_count()
        self._handlers = {number: _handler_of(number) for number in _SIGNALS + _MORE_SIGNALS}
        self._descriptors = _descriptors()
        self._kib = _resident_kib()
        self._checks: tuple[Callable[[], Difference], ...] = (
            self._outputs,
            left_processes,
            self._thread_count,
            self._alarms,
            self._surroundings,
        )

    def difference(self, peak_kib: int) -> Difference:
        """What the task that just ended left behind. ``peak_kib`` is the most memory this process has had."""
        self._looks += 1
        for check in self._checks:
            if found := check():
                return found
        if peak_kib - self._kib > MOST_NEW_KIB and (found := self._memory()):
            return found
        if self._looks % CLOSER_EVERY:
            return ""
        return self._signals(_MORE_SIGNALS) or self._open_files()

    def _set_umask(self) -> None:
        self._umask = os.umask(0o077)
        os.umask(self._umask)

    def _outputs(self) -> Difference:
        if (sys.stdout, sys.stderr) != self._streams or any(stream.closed for stream in self._streams):
            return "replaced or closed sys.stdout or sys.stderr"
        if _identity(1) != self._log or _identity(2) != self._log:
            return "closed or redirected its standard output"
        return ""

    def _thread_count(self) -> Difference:
        more = threading.active_count() - self._threads
        return f"left {more} thread{'s' if more > 1 else ''} running" if more > 0 else ""

    def _alarms(self) -> Difference:
        if signal.getitimer(signal.ITIMER_REAL)[0]:
            return "left an alarm set"
        return self._signals(_SIGNALS)

    def _signals(self, numbers: tuple[signal.Signals, ...]) -> Difference:
        for number in numbers:
            if _handler_of(number) is not self._handlers[number]:
                return f"changed what {number.name} does"
        return ""

    def _surroundings(self) -> Difference:
        if self._variables != self._environment:
            changed = {name for name, _ in self._variables.items() ^ self._environment.items()}
            return f"changed the environment: {', '.join(sorted(map(os.fsdecode, changed)))}"
        try:
            folder = os.getcwd()
        except FileNotFoundError:
            folder = "a folder that is gone"
        if folder != self._folder:
            return f"changed the working folder to {folder}"
        if sys.path != self._path:
            return "changed sys.path"
        if os.umask(self._umask) != self._umask:
            return "changed the umask"
        return ""

    def _memory(self) -> Difference:
        more = _resident_kib() - self._kib
        if more > MOST_NEW_KIB:
            return f"left the process {more >> 10} MiB larger"
        _forget_peak()
        return ""

    def _open_files(self) -> Difference:
        now = _descriptors()
        if self._descriptors - now:
            return "closed files that it had not opened"
        new = now - self._descriptors
        files = [path for path in map(_file_behind, new) if path]
        if files:
            return f"left files open: {', '.join(sorted(files)[:3])}"
        return f"left {len(new)} connections open" if len(new) > MOST_NEW_DESCRIPTORS else ""


def left_processes() -> Difference:
    """Whether there is a child process, be it one that was orphaned."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return ""
    return "left a child process"


def _identity(fd: int) -> tuple[int, int] | None:
    try:
        status = os.fstat(fd)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _descriptors() -> set[int]:
    """The open ones; that of the listing itself is closed by the time it is asked for."""
    return {fd for fd in map(int, os.listdir("/proc/self/fd")) if _identity(fd) is not None}


def _file_behind(fd: int) -> str:
    """The path of an open regular file; nothing for sockets, pipes, devices, deleted files and what is closed again."""
    try:
        path = os.readlink(f"/proc/self/fd/{fd}")
    except OSError:
        return ""
    return path if path.startswith("/") and not path.startswith(("/dev/", "/proc/", "/memfd:")) else ""


def _resident_kib() -> int:
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[1]) * resource.getpagesize() >> 10


def _forget_peak() -> None:
    """Let the most memory we had be counted from now on. A kernel without that goes on from before."""
    try:
        with open("/proc/self/clear_refs", "wb") as file:
            file.write(b"5")
    except OSError:
        return
