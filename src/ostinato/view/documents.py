"""What commands with ``--json`` and the HTTP API answer: these keys are a promise. What people see is drawn from the same values.

Moments (``_at``) are ISO 8601 in UTC; ``_ms`` are milliseconds; what is not known yet is null. ``schema`` names the document
and its version: a key is only ever added within a version.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct


class RunDocument(Struct, kw_only=True):
    """One run. ``logical_date`` is what it is for, in the schedule's zone; ``started_at`` is when it ran.

    ``based_on`` is the run that it took results over from.
    """

    run_id: int
    dag_id: str
    logical_date: str
    state: str
    kind: str
    run_key: str
    interval_start: datetime
    interval_end: datetime
    version: str
    params: dict[str, Any]
    by: str
    backfill_id: int | None
    based_on: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    cancel_requested_at: datetime | None


class RunsDocument(Struct, kw_only=True):
    """Answer of ``runs``: newest first. ``more``: there are older ones, before this run id; null: these are all."""

    schema: str = "runs/1"
    runs: list[RunDocument]
    more: int | None


class OneRunDocument(Struct, kw_only=True):
    """Answer of ``trigger``, ``cancel`` and ``run``."""

    schema: str = "run/1"
    run: RunDocument


class CarriedDocument(Struct, kw_only=True):
    """A task instance that a new run does not run: the state it ends in there, and why."""

    task: str
    state: str
    cause: str


class RerunDocument(Struct, kw_only=True):
    """Answer of ``rerun``, and of ``mark`` for a run that is over: what runs ``again`` of the run ``based_on``.

    ``run`` is null for a dry run. ``version`` is the dag version that is run.
    """

    schema: str = "rerun/1"
    run: RunDocument | None
    based_on: int
    version: str
    again: list[str]
    carried: list[CarriedDocument]


class DecisionDocument(Struct, kw_only=True):
    """Answer of ``approve``, ``decline``, and of ``mark`` for a run that goes on: what was decided about which tasks."""

    schema: str = "decision/1"
    run_id: int
    tasks: list[str]
    decision: str
    by: str


class SwitchedOffDocument(Struct, kw_only=True):
    """A task that is switched off, and the state that it ends in without being run."""

    dag_id: str
    task_id: str
    ends_as: str


class SwitchedOffTasksDocument(Struct, kw_only=True):
    """Answer of ``tasks``: those that are switched off."""

    schema: str = "switched-off/1"
    tasks: list[SwitchedOffDocument]


class AttemptDocument(Struct, kw_only=True):
    """One try of a task. ``error_class`` and ``rule`` say how its failure was classed, and by what."""

    attempt: int
    number: int
    state: str
    queued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_ms: int | None
    peak_kib: int
    cpu_ms: int
    error_class: str | None
    rule: str | None
    how: str | None
    message: str | None
    traceback: str | None
    exit_code: int | None


class TaskDocument(Struct, kw_only=True):
    """One task instance of a run; ``state`` is ``none`` before its first move. ``due_at``: when it is looked at again.

    ``map_index`` is null for a task in no scope; in a scope, for the task as a whole.
    """

    task_no: int
    map_index: int | None
    task_id: str
    kind: str
    state: str
    upstream: list[str]
    changed_at: datetime | None
    due_at: datetime | None
    waiting_since: datetime | None
    attempts: list[AttemptDocument]


class RejectedDocument(Struct, kw_only=True):
    """Rejected rows that wait in a file: how many, why, and whose they are."""

    run_id: int
    task_id: str
    map_index: int | None
    asset: str
    partition: str
    path: str
    count: int
    reasons: dict[str, int]
    at: datetime


class AlertDocument(Struct, kw_only=True):
    """Something people were told, or are about to be. ``delivered_at`` null with an ``error``: it did not work yet."""

    dedup_key: str
    action: str
    severity: str
    summary: str
    at: datetime
    delivered_at: datetime | None
    tries: int
    error: str
    details: dict[str, Any]


class EventDocument(Struct, kw_only=True):
    """One line of a run's story. ``task_id`` null speaks of the run itself."""

    seq: int
    at: datetime
    task_id: str | None
    map_index: int | None
    attempt: int | None
    cause: str
    was: str
    becomes: str
    facts: dict[str, Any] | None


class ShowDocument(Struct, kw_only=True):
    """Answer of ``show``. ``events`` is null unless ``--events`` was given.

    ``pruned`` says that its history was forgotten: how its tasks ended, what they wrote, its events.
    """

    schema: str = "show/1"
    run: RunDocument
    pruned: bool
    tasks: list[TaskDocument]
    rejected: list[RejectedDocument]
    alerts: list[AlertDocument]
    events: list[EventDocument] | None


class EventsDocument(Struct, kw_only=True):
    """A page of a run's story, oldest line first. ``more``: it goes on after this ``seq``; null: that is all so far."""

    schema: str = "events/1"
    events: list[EventDocument]
    more: int | None


class AlertsDocument(Struct, kw_only=True):
    """The newest alerts, newest first."""

    schema: str = "alerts/1"
    alerts: list[AlertDocument]


class LogDocument(Struct, kw_only=True):
    """What one attempt wrote, at most the last megabyte; ``cut`` says that something before it was left out."""

    task_id: str
    map_index: int | None
    attempt: int
    number: int
    state: str
    text: str
    cut: bool


class LogsDocument(Struct, kw_only=True):
    """Answer of ``logs``, by task and try."""

    schema: str = "logs/1"
    run_id: int
    logs: list[LogDocument]


class DagDocument(Struct, kw_only=True):
    """A dag as deployed. ``schedule`` is null for one that only runs when it is asked to."""

    dag_id: str
    version: str
    file: str
    schedule: str | None
    paused: bool
    tasks: int
    deadline: str | None
    scheduled_until: datetime | None
    last_run: RunDocument | None


class ProblemDocument(Struct, kw_only=True):
    """Why a dag file cannot be taken over. ``line`` and ``column`` count from 1; 0 means unknown."""

    file: str
    code: str
    what: str
    line: int
    column: int
    help: str


class DagsDocument(Struct, kw_only=True):
    """Answer of ``dags``."""

    schema: str = "dags/1"
    dags: list[DagDocument]
    problems: list[ProblemDocument]


class TickDocument(Struct, kw_only=True):
    """A moment at which a schedule is due, and the data interval that ends there. ``local`` is what a clock shows."""

    at: datetime
    local: str
    logical_date: str
    interval_start: datetime
    interval_end: datetime


class ClockChangeDocument(Struct, kw_only=True):
    """What a clock change does to a time ``wall`` that the schedule names.

    ``kind`` is moved (the clock skips it; the tick is ``at`` the end of the gap), skipped (it does not tick), doubled (the
    clock shows it twice; it ticks both times, once ``at``), first or second (it ticks that time only).
    """

    at: datetime
    wall: str
    kind: str


class TicksDocument(Struct, kw_only=True):
    """Answer of ``dags next``. ``zone`` is the one that ``local`` is told in.

    ``after`` are dags that have to succeed for an interval before its run is made, which else is made at the tick.
    """

    schema: str = "ticks/1"
    dag_id: str
    schedule: str
    zone: str
    paused: bool
    after: list[str]
    ticks: list[TickDocument]
    clock_changes: list[ClockChangeDocument]


class UnpauseDocument(Struct, kw_only=True):
    """Answer of ``dags unpause``. ``runs`` for intervals of the past are made at once, from ``first`` to ``last``.

    At most ``runs`` many are counted, and ``more`` says that there are further ones.
    """

    schema: str = "unpause/1"
    dag_id: str
    paused: bool
    runs: int
    more: bool
    first: str | None
    last: str | None


class CheckedDag(Struct, kw_only=True):
    """A dag that compiles."""

    dag_id: str
    file: str
    version: str
    tasks: int


class CheckDocument(Struct, kw_only=True):
    """Answer of ``check``. A file with ``problems`` is not taken over; ``warnings`` do not keep it from that."""

    schema: str = "check/1"
    files: list[str]
    dags: list[CheckedDag]
    problems: list[ProblemDocument]
    warnings: list[ProblemDocument]


class DatesDocument(Struct, kw_only=True):
    """Logical dates from the first to the last, both included."""

    first: str
    last: str


class BackfillDocument(Struct, kw_only=True):
    """A backfill and how far it is.

    ``state`` is running, paused, cancelled or finished. ``first`` and ``last`` are logical dates; ``chosen`` are the
    dates between them that were asked for. ``max_active_runs`` of its runs go on at once; ``share`` (0 to 1) of the
    slots is its own. ``runs`` and ``tasks`` count by state, ``errors`` failed tries by error class. ``rows`` adds up what
    tasks returned under the key ``rows``; ``rejected`` counts dead letters.
    """

    backfill_id: int
    dag_id: str
    state: str
    first: str
    last: str
    chosen: list[DatesDocument]
    reprocess: str
    newest_first: bool
    batch: int
    cascade: bool
    params: dict[str, Any]
    max_active_runs: int
    share: float
    by: str
    created_at: datetime
    runs: dict[str, int]
    tasks: dict[str, int]
    errors: dict[str, int]
    rows: int
    rejected: int
    started_at: datetime | None
    finished_at: datetime | None


class BackfillsDocument(Struct, kw_only=True):
    """Answer of ``backfill ls``: newest first."""

    schema: str = "backfills/1"
    backfills: list[BackfillDocument]


class OneBackfillDocument(Struct, kw_only=True):
    """Answer of ``backfill show`` and of a backfill that was started, paused, resumed or cancelled."""

    schema: str = "backfill/1"
    backfill: BackfillDocument


class PlannedRunDocument(Struct, kw_only=True):
    """A run that a backfill would create: of which dag, and for which time."""

    dag_id: str
    logical_date: str
    interval_start: datetime
    interval_end: datetime


class PlanDocument(Struct, kw_only=True):
    """Answer of ``backfill --dry-run``: every run that would be created, in that order.

    ``left_alone`` counts the intervals that get none, by reason. ``median_run_ms`` is how long the newest successful
    runs of the dag took that were for as much time. ``estimated_ms`` is for all runs, ``max_active_runs`` at once; null if
    too few runs have been seen: ``too_little_history`` names their dag.
    """

    schema: str = "backfill-plan/1"
    dag_id: str
    first: str
    last: str
    reprocess: str
    runs: list[PlannedRunDocument]
    left_alone: dict[str, int]
    median_run_ms: int | None
    max_active_runs: int
    estimated_ms: int | None
    too_little_history: str | None


class GapDocument(Struct, kw_only=True):
    """Intervals that follow each other and are all ``missing``, ``failed``, ``stale`` or ``running``.

    ``first`` and ``last`` are logical dates, ``intervals`` is how many they are.
    """

    gap: str
    first: str
    last: str
    interval_start: datetime
    interval_end: datetime
    intervals: int


class GapsDocument(Struct, kw_only=True):
    """Answer of ``gaps``: of so many ``intervals``, how many are not a success of today's ``version``, and which."""

    schema: str = "gaps/1"
    dag_id: str
    version: str
    first: str
    last: str
    intervals: int
    counts: dict[str, int]
    gaps: list[GapDocument]


class DeadLettersDocument(Struct, kw_only=True):
    """Answer of ``dlq``: newest first."""

    schema: str = "dlq/1"
    rejected: list[RejectedDocument]


class RecordsDocument(Struct, kw_only=True):
    """Answer of ``dlq show``: the records as they stand in the file, up to the limit; ``total`` is how many wait."""

    schema: str = "dlq-records/1"
    asset: str
    partition: str
    path: str
    total: int
    reasons: dict[str, int]
    records: list[dict[str, Any]]


class CheckResult(Struct, kw_only=True):
    """One thing that was looked at: ``ok``, ``note``, ``warning`` or ``error``."""

    name: str
    state: str
    what: str
    help: str = ""


class PoolDocument(Struct, kw_only=True):
    """One pool: the slots it has, and how many of them live attempts occupy."""

    name: str
    slots: int
    used: int


class PoolsDocument(Struct, kw_only=True):
    """Answer of ``pools``."""

    schema: str = "pools/1"
    pools: list[PoolDocument]


class AuditEntryDocument(Struct, kw_only=True):
    """Something that somebody did: ``via`` is from where, ``subject`` to what."""

    seq: int
    at: datetime
    who: str
    via: str
    action: str
    subject: str
    facts: dict[str, Any]


class AuditDocument(Struct, kw_only=True):
    """Answer of ``audit ls``."""

    schema: str = "audit/1"
    entries: list[AuditEntryDocument]


class ChainDocument(Struct, kw_only=True):
    """Answer of ``audit verify``: how many entries there are, and the digest of the last one."""

    schema: str = "audit-chain/1"
    entries: int
    head: str


class StateDocument(Struct, kw_only=True):
    """Answer of ``db show``: which database the state is in, how many bytes it takes, and how many rows by table."""

    schema: str = "state/1"
    place: str
    bytes: int
    rows: dict[str, int]


class BackupDocument(Struct, kw_only=True):
    """Answer of ``db backup`` and ``db verify``: the state as it was at ``taken_at``.

    ``rows`` counts by table. ``head`` is the digest of the newest entry in the record of what people did.
    """

    schema: str = "backup/1"
    file: str
    bytes: int
    taken_at: datetime
    rows: dict[str, int]
    head: str


class RestoreDocument(Struct, kw_only=True):
    """Answer of ``db restore`` and ``db reconcile``: the state is as of ``taken_at`` (null: nobody knows).

    ``stopped`` runs were open then and are asked to stop, ``schedules`` go on from now. With ``again`` both are 0: work
    goes on from where it was.
    """

    schema: str = "restore/1"
    place: str
    taken_at: datetime | None
    stopped: int
    schedules: int
    again: bool


class PruneDocument(Struct, kw_only=True):
    """Answer of ``db prune``: the history of so many runs that ended before a moment, and of so many task instances.

    ``removed`` rows are gone; with ``--dry-run`` it is 0.
    """

    schema: str = "prune/1"
    before: datetime
    runs: int
    tasks: int
    removed: int


class DrillDocument(Struct, kw_only=True):
    """Answer of ``db drill``: a backup, what it took to restore it and look it through, and what that would have done.

    ``backup_ms`` is how long taking it took; null if it was there.
    """

    schema: str = "drill/1"
    backup: BackupDocument
    backup_ms: int | None
    restore_ms: int
    stopped: int
    schedules: int


class DoctorDocument(Struct, kw_only=True):
    """Answer of ``doctor``."""

    schema: str = "doctor/1"
    home: str
    checks: list[CheckResult]


class ReasonDocument(Struct, kw_only=True):
    """One link of the chain that ``why`` walks. A code never changes; ``lifts`` is empty where nothing has to end it."""

    code: str
    what: str
    lifts: str


class WhyDocument(Struct, kw_only=True):
    """Answer of ``why``: from what was asked to the first fact that explains it. The last that lifts moves them all."""

    schema: str = "why/1"
    subject: str
    state: str
    reasons: list[ReasonDocument]
