"""What the store gives back: rows as frozen values. Names are those of `model.change`, where the meaning stands."""

from typing import Final

from msgspec import Struct, field

from .cause import Cause
from .change import BackfillState, Decision, Parent, Reprocess, RunKind
from .message import DeadLetters, Failure, LogRange
from .spec import CompiledDag, DagSpec
from .state import AttemptState, RunState, TaskState
from .time import DataInterval, Instant, stamp

UNMAPPED: Final = -1
"""The map index of a task that is in no scope; and, in a scope, that of the task as a whole."""

Instance = tuple[int, int]
"""A task instance within its run: the task's number, and the map index."""

OutputKey = tuple[int, int, int]
"""A run, the number of a task, and a map index."""


def instance_name(spec: DagSpec, task_no: int, map_index: int) -> str:
    """What people call a task instance: ``load``, or ``load[3]``."""
    task_id = spec.tasks[task_no].task_id
    return task_id if map_index == UNMAPPED else f"{task_id}[{map_index}]"


def run_key(start: Instant, nth: int = 1) -> str:
    """The key of the ``nth`` run for the data interval that begins at ``start``: its logical date, then ``#2``, ``#3``.

    A schedule only ever asks for the first; who runs an interval again asks for the next.
    """
    return stamp(start) if nth == 1 else f"{stamp(start)}#{nth}"


class Run(Struct, frozen=True):
    """One execution of a dag for one data interval.

    ``parent`` is the task instance that called for it; ``based_on`` the run whose results it took over.
    """

    run_id: int
    dag_id: str
    version: str
    run_key: str
    kind: RunKind
    state: RunState
    interval: DataInterval
    params: bytes
    created_at: Instant
    started_at: Instant | None = None
    finished_at: Instant | None = None
    cancel_requested_at: Instant | None = None
    backfill_id: int | None = None
    by: str = ""
    parent: Parent | None = None
    based_on: int | None = None


def nth_of(run: Run) -> int:
    """Which run of its data interval's start it is; see `run_key`."""
    return int(run.run_key.partition("#")[2] or 1)


class Task(Struct, frozen=True):
    """A task instance that has moved at least once."""

    run_id: int
    task_no: int
    state: TaskState
    changed_at: Instant
    attempt: int | None = None
    due_at: Instant | None = None
    waiting_since: Instant | None = None
    map_index: int = UNMAPPED


class Attempt(Struct, frozen=True):
    """One try of a task instance."""

    attempt: int
    run_id: int
    task_no: int
    number: int
    state: AttemptState
    agent: str
    queued_at: Instant
    started_at: Instant | None = None
    finished_at: Instant | None = None
    error_class: str | None = None
    failure: Failure | None = None
    log: LogRange | None = None
    peak_kib: int = 0
    cpu_ms: int = 0
    map_index: int = UNMAPPED


class LoggedEvent(Struct, frozen=True):
    """One line of a run's history."""

    run_id: int
    seq: int
    at: Instant
    cause: Cause
    was: str
    becomes: str
    task_no: int | None = None
    attempt: int | None = None
    facts: dict[str, object] | None = None
    map_index: int = UNMAPPED


class Dag(Struct, frozen=True):
    """A dag as deployed: its newest version, whether its schedule is paused, how far the schedule was followed."""

    dag_id: str
    version: str
    file: str
    paused: bool = False
    scheduled_until: Instant | None = None
    retired_at: Instant | None = None


class DagProblem(Struct, frozen=True):
    """Why a dag file was not taken over; the versions before it stay in force."""

    file: str
    code: str
    what: str
    line: int = 0
    column: int = 0
    help: str = ""


class Deployment(Struct, frozen=True):
    """What a dag file defines now: nothing, if it is gone. ``source`` is its canonical `Source`, whose digest the dags name."""

    file: str
    dags: tuple[CompiledDag, ...] = ()
    source: bytes = b""
    problems: tuple[DagProblem, ...] = ()


class Pool(Struct, frozen=True):
    """A named capacity: the live attempts of its tasks never take more than ``slots``."""

    name: str
    slots: int


class Backfill(Struct, frozen=True):
    """Intervals being run again or for the first time. See `NewBackfill`.

    ``state`` is what people want of it; that it is over is told by its runs alone. ``runs`` counts them by state, if
    they were counted.
    """

    backfill_id: int
    dag_id: str
    chosen: tuple[DataInterval, ...]
    reprocess: Reprocess
    newest_first: bool
    batch: int
    cascade: bool
    params: bytes
    max_active_runs: int
    share: float
    state: BackfillState
    created_at: Instant
    by: str = ""
    runs: dict[str, int] | None = None


class Rejected(Struct, frozen=True):
    """Dead letters of one task instance."""

    run_id: int
    task_no: int
    attempt: int
    at: Instant
    letters: DeadLetters
    map_index: int = UNMAPPED


class AuditEntry(Struct, frozen=True):
    """Something that somebody did. ``via`` is from where, ``subject`` to what, ``facts`` as JSON what else there is to say."""

    seq: int
    at: Instant
    who: str
    via: str
    action: str
    subject: str
    facts: str


class Chain(Struct, frozen=True):
    """The record of what people did, as a whole: how many entries, and the digest of the last one."""

    entries: int
    head: str


class Expectation(Struct, frozen=True):
    """A deadline for one interval of a dag."""

    dag_id: str
    start: Instant
    due_at: Instant
    state: str
    at: Instant


class Outgoing(Struct, frozen=True):
    """An alert on its way out."""

    outbox_id: int
    dedup_key: str
    action: str
    severity: str
    summary: str
    at: Instant
    details: dict[str, object]
    tries: int
    next_at: Instant | None
    delivered_at: Instant | None = None
    error: str = ""


class OpenRun(Struct, frozen=True):
    """All that a scheduler must know of an unfinished run to go on with it.

    ``tasks`` are the rows there are; ``live`` the attempts that are queued or running; ``tries`` the number of attempts
    made so far and ``failures`` how many of them failed in each error class, both by task instance; ``next_seq`` the
    number of its next event; ``items`` how many instances each scope has that has unfolded, by scope number.
    """

    run: Run
    tasks: tuple[Task, ...]
    live: tuple[Attempt, ...]
    tries: dict[Instance, int]
    failures: dict[Instance, dict[str, int]]
    next_seq: int
    items: dict[int, int] = field(default_factory=dict[int, int])


class Intervention(Struct, frozen=True):
    """What somebody decides about a task instance of an open run, before the scheduler has taken it in."""

    intervention_id: int
    run_id: int
    task_no: int
    map_index: int
    what: Decision
    by: str
    at: Instant
