"""What the end of a process says about the attempt it was performing."""

import signal
from typing import Final

from msgspec import Struct

from ostinato.model.message import Failure, Verdict

from .crew import Stopping

_KILLED_BY: Final[dict[int, str]] = {
    signal.SIGKILL: "nobody here sent it; most often the kernel does, when memory runs out",
    signal.SIGSEGV: "native code touched memory that is not its own",
    signal.SIGBUS: "native code touched memory that is not there",
    signal.SIGABRT: "native code gave up",
}


class Exit(Struct, frozen=True):
    """How an executor ended. ``code`` is negative for a signal; None: nobody could tell, its zygote is gone too.

    ``log_end`` is where its log file ends, ``peak_kib`` the most memory it had, ``cpu_ms`` all processor time it took.
    """

    code: int | None
    log_end: int
    peak_kib: int = 0
    cpu_ms: int = 0


def ending(end: Exit, stopping: Stopping, timeout: float | None) -> tuple[Verdict, Failure | None]:
    """The verdict on an attempt whose executor ended before it could report."""
    if stopping == "timed_out":
        message = f"it was stopped because it ran longer than its time limit of {timeout:g} s"
        return "failed", Failure(how="timed_out", message=message, exit_code=end.code)
    if stopping:
        return stopping, None
    if end.code is None:
        return "failed", Failure(how="lost", message="the process that started it was killed, and it with it")
    if end.code < 0:
        return "failed", Failure(how="killed", message=_killed(-end.code), exit_code=end.code)
    message = f"its process ended with exit code {end.code} before it could return"
    return "failed", Failure(how="exited", message=message, exit_code=end.code)


def _killed(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    why = _KILLED_BY.get(number)
    return f"its process was ended by {name}" + (f" ({why})" if why else "")
