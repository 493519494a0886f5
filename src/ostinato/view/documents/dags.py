"""Dags: their files, schedules and problems, and tasks that are switched off."""

from datetime import datetime

from msgspec import Struct

from .runs import RunDocument


class SwitchedOffDocument(Struct, kw_only=True):
    """A task that is switched off, and the state that it ends in without being run."""

    dag_id: str
    task_id: str
    ends_as: str


class SwitchedOffTasksDocument(Struct, kw_only=True):
    """Answer of ``tasks``: those that are switched off."""

    schema: str = "switched-off/1"
    tasks: list[SwitchedOffDocument]


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
