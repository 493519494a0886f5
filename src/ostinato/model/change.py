"""What one commit writes. The decisions of a step are values; the store applies them all or none.

Every change of state names what it moves from, so that the write can be guarded: the number of rows is the verdict.
Thousands of these are made in a moment and hold no cycles, so the garbage collector need not look at them (``gc=False``).
"""

from typing import Literal

from msgspec import Struct, field

from .cause import Cause
from .message import DeadLetters, Failure, LogRange
from .state import AttemptState, RunState, TaskState
from .time import DataInterval, Instant

RunKind = Literal["scheduled", "manual", "backfill", "called"]

Parent = tuple[int, int, int]
"""The task instance that called for a run: its run, the task's number, the map index."""

Decision = Literal["approve", "decline", "mark_success", "mark_failed", "mark_skipped"]
"""What people may decide about a task instance: the answer to an approval's question, or how any other is to end."""

Reprocess = Literal["missing", "failed", "all"]
"""Which intervals a backfill runs. ``missing``: those that have no run. ``failed``: also those whose newest run failed or
was cancelled. ``all``: also those that succeeded."""

BackfillState = Literal["running", "paused", "cancelled"]
"""``paused``: none of its queued runs begins; those that have begun go on."""

SwitchedOff = Literal["success", "skipped"]
"""How a task that somebody switched off ends, at once, whenever its turn comes."""


class Carried(Struct, frozen=True):
    """A task instance of a new run that begins where one of an earlier run ended, or where ``cause`` says.

    ``output_of`` is the task number, in the earlier run, whose output it takes over; None: no output. ``follow`` is what
    one that steers has said is to go on; None: everything.
    """

    task_no: int
    map_index: int
    becomes: TaskState
    cause: Cause
    output_of: int | None = None
    follow: tuple[str, ...] | None = None


class NewRun(Struct, frozen=True):
    """A run to create unless its key is taken: one run for each (dag, run key). ``params`` is in stored form.

    ``parent`` is the task instance that calls for it. ``carried`` are the task instances whose ends and outputs it takes
    over from the run ``based_on``, and ``scopes`` the scopes (by number) that have unfolded there and stay as they are.
    """

    dag_id: str
    version: str
    run_key: str
    kind: RunKind
    start: Instant
    end: Instant
    params: bytes
    at: Instant
    backfill_id: int | None = None
    by: str = ""
    parent: Parent | None = None
    based_on: int | None = None
    carried: tuple[Carried, ...] = ()
    scopes: tuple[tuple[int, int], ...] = ()


class NewBackfill(Struct, frozen=True):
    """A backfill to create: the ranges of time in which the intervals it was asked for start, and how they are run.

    ``max_active_runs`` of its runs go on at once. Work by the clock goes first, but the share ``share`` (0 to 1) of the
    slots is the backfill's as long as it has use for them. ``params`` is in stored form. The rest is as in
    `decide.backfill.Wish`.
    """

    dag_id: str
    chosen: tuple[DataInterval, ...]
    params: bytes
    at: Instant
    by: str = ""
    reprocess: Reprocess = "missing"
    newest_first: bool = False
    batch: int = 1
    cascade: bool = False
    max_active_runs: int = 16
    share: float = 0.1


class RunMove(Struct, frozen=True, gc=False):
    """A run goes from one state to another."""

    run_id: int
    was: RunState
    becomes: RunState
    at: Instant


class CancelRequest(Struct, frozen=True, gc=False):
    """A run is to be stopped, unless it has ended or that is asked for already."""

    run_id: int
    by: str
    at: Instant


class TaskMove(Struct, frozen=True, gc=False):
    """A task instance goes from one state to another; ``was`` NONE creates its row.

    ``attempt`` is its newest attempt. ``due_at`` is when a deferred or retrying instance is looked at again,
    ``waiting_since`` when a sensor first looked.
    """

    run_id: int
    task_no: int
    was: TaskState
    becomes: TaskState
    at: Instant
    attempt: int | None = None
    due_at: Instant | None = None
    waiting_since: Instant | None = None
    map_index: int = -1


class NewAttempt(Struct, frozen=True, gc=False):
    """A try begins its life, queued for an agent."""

    attempt: int
    run_id: int
    task_no: int
    number: int
    agent: str
    at: Instant
    map_index: int = -1


class AttemptMove(Struct, frozen=True, gc=False):
    """An attempt starts or ends; the fields below ``becomes`` are what is known of it by then."""

    attempt: int
    was: AttemptState
    becomes: AttemptState
    started_at: Instant | None = None
    finished_at: Instant | None = None
    error_class: str | None = None
    failure: Failure | None = None
    log: LogRange | None = None
    peak_kib: int = 0
    cpu_ms: int = 0


class Event(Struct, frozen=True, gc=False):
    """One line of a run's history. ``seq`` counts from 0 in each run; ``task_no`` None speaks of the run itself.

    ``was`` and ``becomes`` are state names; ``facts`` is small JSON-able detail (rule, delay, who asked).
    """

    run_id: int
    seq: int
    at: Instant
    cause: Cause
    was: str
    becomes: str
    task_no: int | None = None
    attempt: int | None = None
    facts: dict[str, object] | None = None
    map_index: int = -1


class Output(Struct, frozen=True):
    """What a task instance returned, in stored form. Kept only when it is not None."""

    run_id: int
    task_no: int
    value: bytes
    map_index: int = -1


class RejectedRecords(Struct, frozen=True):
    """Dead letters that took effect with their attempt's success."""

    run_id: int
    task_no: int
    attempt: int
    at: Instant
    letters: DeadLetters
    map_index: int = -1


class Item(Struct, frozen=True):
    """A scope has one instance more: what that is for, in stored form (a dict: the item's parts by their names)."""

    run_id: int
    scope_no: int
    map_index: int
    value: bytes


class Alert(Struct, frozen=True):
    """Something to tell people, or (``resolve``) that it is over. One open alert per ``dedup_key``."""

    dedup_key: str
    action: Literal["trigger", "resolve"]
    severity: Literal["critical", "error", "warning", "info"]
    summary: str
    at: Instant
    details: dict[str, object]


class ExpectationMove(Struct, frozen=True):
    """A deadline for one interval of one dag is expected, met or missed."""

    dag_id: str
    start: Instant
    due_at: Instant
    becomes: Literal["expected", "met", "missed"]
    at: Instant


class ScheduleCursor(Struct, frozen=True):
    """A dag's schedule has been followed up to ``until``: every interval that ended by then was dealt with."""

    dag_id: str
    until: Instant


class Delivery(Struct, frozen=True):
    """What became of one try to deliver an outbox row: done, or try again at ``next_at`` (None: given up)."""

    outbox_id: int
    at: Instant
    done: bool
    next_at: Instant | None = None
    error: str = ""


class Commit(Struct):
    """All that one step of the scheduler wants written, in one transaction.

    ``taken`` are the ids of the interventions that were taken in, whatever came of them.
    """

    new_runs: list[NewRun] = field(default_factory=list[NewRun])
    cancel_requests: list[CancelRequest] = field(default_factory=list[CancelRequest])
    runs: list[RunMove] = field(default_factory=list[RunMove])
    tasks: list[TaskMove] = field(default_factory=list[TaskMove])
    new_attempts: list[NewAttempt] = field(default_factory=list[NewAttempt])
    attempts: list[AttemptMove] = field(default_factory=list[AttemptMove])
    events: list[Event] = field(default_factory=list[Event])
    outputs: list[Output] = field(default_factory=list[Output])
    items: list[Item] = field(default_factory=list[Item])
    rejected: list[RejectedRecords] = field(default_factory=list[RejectedRecords])
    alerts: list[Alert] = field(default_factory=list[Alert])
    expectations: list[ExpectationMove] = field(default_factory=list[ExpectationMove])
    cursors: list[ScheduleCursor] = field(default_factory=list[ScheduleCursor])
    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    taken: list[int] = field(default_factory=list[int])

    def __bool__(self) -> bool:
        """Whether there is anything to write."""
        return any(getattr(self, name) for name in self.__struct_fields__)
