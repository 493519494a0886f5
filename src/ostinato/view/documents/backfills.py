"""Backfills: what one will do and has done, and which intervals are missing."""

from datetime import datetime
from typing import Any

from msgspec import Struct


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
