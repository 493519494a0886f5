"""The few words to the kernel that Python does not have, and what /proc tells of this process."""

import ctypes
import os
import signal
from pathlib import Path
from typing import Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.fflush.argtypes = [ctypes.c_void_p]
_LIBC.setvbuf.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_SET_CHILD_SUBREAPER: Final = 36
_LINE_BUFFERED: Final = 1


def die_with(parent: int) -> None:
    """Be killed by the kernel when ``parent``, which forked us, ends; end at once if it has ended already."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, so that none can hide."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def set_name(name: str) -> None:
    """The name that ``ps`` and ``top`` show, at most 15 bytes."""
    _LIBC.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def flush_c_streams() -> None:
    """Write out what C code has printed and not flushed."""
    _LIBC.fflush(None)


def buffer_c_stdout_by_line() -> None:
    """Let C code's printed lines appear between Python's, as they would on a terminal."""
    _LIBC.setvbuf(ctypes.c_void_p.in_dll(_LIBC, "stdout"), None, _LINE_BUFFERED, 0)


def children() -> set[int]:
    """The ids of this process's children, zombies included. Call it from the main thread of a process without others."""
    pid = os.getpid()
    return {int(child) for child in Path(f"/proc/self/task/{pid}/children").read_text().split()}


def boot_id() -> str:
    """A name for the time since the machine was started."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def memory_of_machine() -> int:
    """Bytes of memory that this host, or the container around us, has."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(path).read_text().strip()
        except OSError:  # there is no such control group
            continue
        if text.isdecimal():
            limits.append(int(text))
    return min(limits)


def be_first_to_go() -> None:
    """Ask the kernel to choose this process, not its neighbours, when the machine has no memory left."""
    Path("/proc/self/oom_score_adj").write_text("500")


def _prctl(option: int, value: int) -> None:
    if _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
