"""From two dates to the runs of a backfill, and what is left alone and why."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from ostinato.authoring.params import from_text
from ostinato.decide.backfill import Reprocess, plan
from ostinato.decide.timetable import intervals_between
from ostinato.model.change import NewRun
from ostinato.model.errors import UsageError
from ostinato.model.limits import Limits
from ostinato.model.record import Run, run_key
from ostinato.model.spec import DagSpec
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant, moment
from ostinato.model.value import encode

from .documents import PlanDocument, PlannedRun
from .order import nth_of, pairs
from .when import day_bounds, day_of, logical_date, parse_date, zone_of

if TYPE_CHECKING:
    from ostinato.store import Store

_REASONS: Final = {
    RunState.SUCCESS: "succeeded already",
    RunState.FAILED: "failed before",
    RunState.CANCELLED: "was cancelled before",
    RunState.QUEUED: "is queued",
    RunState.RUNNING: "is running",
}


class Asked(Struct, frozen=True):
    """What a person asks to be run again: ``first`` and ``last`` are the first and the last instant of the range."""

    dag_id: str
    first: Instant
    last: Instant
    reprocess: Reprocess
    reverse: bool


class Planned(Struct, frozen=True):
    """The intervals to run, each with which run of its interval it will be, and how many are left alone, by reason."""

    create: list[tuple[DataInterval, int]]
    left_alone: dict[str, int]


def asked(spec: DagSpec, first: str, last: str, reprocess: Reprocess, *, reverse: bool) -> Asked:
    """The range of two dates, both included. Raises UsageError."""
    zone = zone_of(spec.schedule)
    begin, _ = day_bounds(parse_date(first, "--from"), zone)
    _, after = day_bounds(parse_date(last, "--to"), zone)
    if after <= begin:
        raise UsageError(f"--to: {last} is before {first}", help="Exchange the two.")
    return Asked(spec.dag_id, begin, after - 1, reprocess, reverse)


def planned(store: "Store", spec: DagSpec, wish: Asked, now: Instant) -> Planned:
    """What the backfill would do. Intervals that are not over, or beyond the dag's own dates, are left alone."""
    left: dict[str, int] = {}
    sensible: list[DataInterval] = []
    most = Limits().open_runs
    for interval in intervals_between(spec.schedule, wish.first, wish.last):
        reason = _no_reason_to_run(spec, interval, now)
        if reason:
            left[reason] = left.get(reason, 0) + 1
        else:
            sensible.append(interval)
        if len(sensible) > most:
            raise UsageError(f"the range holds more than {most:,} intervals", help="Do it in several backfills.")
    known = store.latest_by_interval(spec.dag_id, wish.first, wish.last + 1)
    latest = {start: (run.state, nth_of(run)) for start, run in known.items()}
    decided = plan(sensible, latest, wish.reprocess, reverse=wish.reverse)
    left |= {_REASONS[state]: count for state, count in decided.skip.items()}
    return Planned(decided.create, left)


def _no_reason_to_run(spec: DagSpec, interval: DataInterval, now: Instant) -> str:
    if interval.end > now:
        return "is not over yet"
    if spec.start is not None and interval.start < spec.start:
        return "is before the dag's start"
    if spec.end is not None and interval.start > spec.end:
        return "is after the dag's end"
    return ""


def new_runs(
    store: "Store", spec: DagSpec, found: Planned, params: Sequence[str], by: str, now: Instant
) -> list[NewRun]:
    """The runs to create. Raises UsageError for parameters that misfit."""
    version = store.dag(spec.dag_id).version
    values = encode(from_text(spec.params, pairs(params)))
    return [
        NewRun(
            spec.dag_id,
            version,
            run_key(interval.start, nth),
            "backfill",
            interval.start,
            interval.end,
            values,
            now,
            by=by,
        )
        for interval, nth in found.create
    ]


def plan_document(spec: DagSpec, wish: Asked, found: Planned, history: Sequence[Run]) -> PlanDocument:
    """The plan as an answer; ``history`` are earlier runs, to say how long one takes."""
    took = sorted(run.finished_at - run.started_at for run in history if run.finished_at and run.started_at)
    return PlanDocument(
        dag_id=spec.dag_id,
        first=day_of(wish.first, spec.schedule),
        last=day_of(wish.last, spec.schedule),
        reprocess=wish.reprocess,
        runs=[
            PlannedRun(
                logical_date=logical_date(interval, spec.schedule),
                interval_start=moment(interval.start),
                interval_end=moment(interval.end),
            )
            for interval, _ in found.create
        ],
        left_alone=found.left_alone,
        median_run_ms=took[len(took) // 2] if took else None,
    )
