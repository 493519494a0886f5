"""Runs: their tasks, attempts, events, alerts, logs, dead letters, and why something has not happened."""

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
