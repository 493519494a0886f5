"""What scheduler, agent and executor say to each other. Every report names the attempt it is about."""

from typing import Literal

from msgspec import Struct

from .spec import ClockGuard, Isolation
from .time import Instant


class Call(Struct, frozen=True, array_like=True):
    """What an executor needs to perform one attempt. Arguments are in stored form (``model.value``).

    ``file`` is the dag file's path as people know it; the code that runs is the source ``Assignment.source`` names.
    ``map_index`` is -1 unless the task is in a scope.
    """

    dag_id: str
    version: str
    file: str
    task_no: int
    task_id: str
    run_id: int
    attempt: int
    number: int
    start: Instant
    end: Instant
    params: bytes
    args: tuple[bytes, ...] = ()
    kwargs: tuple[tuple[str, bytes], ...] = ()
    map_index: int = -1
    clock: ClockGuard = "off"


class Assignment(Struct, frozen=True, array_like=True, gc=False):
    """One attempt for an agent. ``call`` is an encoded Call, which the agent hands on unread.

    ``timeout`` is in seconds of running time, ``memory`` in bytes; larger ``priority`` goes first.
    """

    attempt: int
    source: str
    isolation: Isolation
    priority: int
    timeout: float | None
    memory: int | None
    call: bytes


class LogRange(Struct, frozen=True, array_like=True, gc=False):
    """Where an attempt's output lies: bytes ``[offset, offset + length)`` of a segment file in the log folder."""

    segment: str
    offset: int
    length: int


class Failure(Struct, frozen=True, omit_defaults=True):
    """What is known of a failure: facts only; ``decide.classify`` gives them an error class.

    ``types`` are the qualified names of the exception's class and its bases, most special first; ``declared`` the
    exception's own ``error_class`` if it has one. ``exit_code`` is negative for a signal, as in the subprocess module.
    """

    how: Literal["raised", "exited", "killed", "timed_out", "out_of_memory", "unstorable", "unloadable", "lost"]
    message: str = ""
    types: tuple[str, ...] = ()
    traceback: str = ""
    declared: str | None = None
    code: str | None = None
    http_status: int | None = None
    sqlstate: str | None = None
    errno: int | None = None
    exit_code: int | None = None


class DeadLetters(Struct, frozen=True):
    """Rejected records that a task put aside: how many, why, and the file they wait in."""

    asset: str
    partition: str
    path: str
    count: int
    reasons: dict[str, int]


Verdict = Literal["success", "failed", "skipped", "not_yet", "cancelled", "interrupted"]
"""How an attempt ended. ``interrupted``: the agent stopped in order and took the attempt down with it."""


class Finished(Struct, frozen=True, array_like=True, gc=False, tag=1):
    """An attempt ended. Sent until acknowledged. ``peak_kib`` is memory, ``cpu_ms`` processor time of the attempt.

    ``follow`` is said by a branch or a short circuit that succeeded: the ids of the direct downstreams that go on.
    """

    attempt: int
    verdict: Verdict
    started_at: Instant
    finished_at: Instant
    log: LogRange | None = None
    peak_kib: int = 0
    cpu_ms: int = 0
    output: bytes | None = None
    failure: Failure | None = None
    dead_letters: tuple[DeadLetters, ...] = ()
    follow: tuple[str, ...] | None = None


class Started(Struct, frozen=True, array_like=True, tag=2):
    """An attempt is running since ``at``. Only said of attempts that outlive a beat."""

    attempt: int
    at: Instant
    log: LogRange | None = None


class Hello(Struct, frozen=True, array_like=True, tag=3):
    """The first word of an agent on a connection.

    ``agent`` names this life of the agent (a new process has a new name). ``holds`` are the attempts it has, waiting,
    running or finished but unacknowledged. ``slots`` is how many run at once, ``window`` how many it may hold.
    ``predecessors`` pairs the name of each dead agent of this home with the attempts that it had started: what was
    sent to it and is not listed never ran.
    """

    agent: str
    pid: int
    slots: int
    window: int
    holds: tuple[int, ...]
    predecessors: tuple[tuple[str, tuple[int, ...]], ...] = ()


FromAgent = Finished | Started | Hello


class Launch(Struct, frozen=True, array_like=True, tag=1):
    """Attempts to perform, best first."""

    assignments: tuple[Assignment, ...]


class Acknowledge(Struct, frozen=True, array_like=True, tag=2):
    """These results are durable; forget them."""

    attempts: tuple[int, ...]


class CancelAttempts(Struct, frozen=True, array_like=True, tag=3):
    """Stop these attempts; each is answered by a Finished, ``cancelled`` unless it ended by itself before."""

    attempts: tuple[int, ...]


class Stop(Struct, frozen=True, array_like=True, tag=4):
    """End in order: running attempts get ``grace`` seconds, then end as ``interrupted``; then the agent exits."""

    grace: float = 0.0


ToAgent = Launch | Acknowledge | CancelAttempts | Stop
