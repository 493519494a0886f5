"""From dates to the runs of a backfill, what is left alone and why, and how long it may take."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from ostinato.authoring.params import from_text
from ostinato.decide.backfill import Plan, PlannedRun, Reason, Wish, plan
from ostinato.decide.estimate import Estimate, estimate
from ostinato.decide.interval_set import IntervalSet
from ostinato.decide.timetable import intervals_between
from ostinato.model.change import NewBackfill, NewRun
from ostinato.model.errors import UsageError
from ostinato.model.limits import Limits
from ostinato.model.record import run_key
from ostinato.model.spec import DagSpec
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant, instant, moment
from ostinato.model.value import encode
from ostinato.view.documents.backfills import PlanDocument, PlannedRunDocument
from ostinato.view.when import day_bounds, day_of, logical_date, parse_date, parse_moment, zone_of

from .order import pairs
from .target import spec_of

if TYPE_CHECKING:
    from ostinato.store import Store

_REASONS: Final[dict[Reason, str]] = {
    "success": "succeeded already",
    "failed": "failed before",
    "missing": "never ran",
    "running": "is queued or running",
    "not over": "is not over yet",
    "before start": "is before the dag's start",
    "after end": "is after the dag's end",
}
_HISTORY: Final = 50
"""So many earlier runs tell how long one takes."""


class Chosen(Struct, frozen=True):
    """The intervals that were asked for, ascending, and the ranges of time in which they start."""

    intervals: tuple[DataInterval, ...]
    ranges: tuple[DataInterval, ...]


class Manner(Struct, frozen=True):
    """How the runs are run: parameters as they were typed, how many go on at once (None: as the dag says), the share."""

    params: Sequence[str] = ()
    max_active_runs: int | None = None
    share: float = 0.1


def between(spec: DagSpec, first: str, last: str) -> Chosen:
    """The intervals that start from one date to another, both included. Raises UsageError."""
    zone = zone_of(spec.schedule)
    begin, _ = day_bounds(parse_date(first, "--from"), zone)
    _, after = day_bounds(parse_date(last, "--to"), zone)
    if after <= begin:
        raise UsageError(f"--to: {last} is before {first}", help="Exchange the two.")
    return Chosen(bounded(intervals_between(spec.schedule, begin, after - 1)), (DataInterval(begin, after),))


def listed(spec: DagSpec, words: str) -> Chosen:
    """The intervals of a list: all that start on a day, or the one that starts at a moment. Raises UsageError."""
    found: set[DataInterval] = set()
    ranges: list[DataInterval] = []
    for word in filter(None, (each.strip() for each in words.split(","))):
        begin, after = _bounds(spec, word)
        here = bounded(intervals_between(spec.schedule, begin, after - 1))
        if not here:
            raise UsageError(f"--intervals: no interval of the schedule starts at {word}")
        found.update(here)
        ranges.append(DataInterval(begin, after))
    if not found:
        raise UsageError("--intervals: there is none", help="Write them as 2025-01-03,2025-01-07.")
    return Chosen(bounded(sorted(found)), IntervalSet.of(ranges).ranges)


def _bounds(spec: DagSpec, word: str) -> tuple[Instant, Instant]:
    zone = zone_of(spec.schedule)
    if "T" not in word:
        return day_bounds(parse_date(word, "--intervals"), zone)
    start = instant(parse_moment(word, zone, "--intervals"))
    return start, start + 1


def bounded(intervals: Iterable[DataInterval]) -> tuple[DataInterval, ...]:
    """As many intervals as one command may deal with. Raises UsageError for more."""
    most = Limits().open_runs
    found = tuple(islice(intervals, most + 1))
    if len(found) > most:
        raise UsageError(f"the range holds more than {most:,} intervals", help="Do it in several parts.")
    return found


def planned(store: "Store", wish: Wish, now: Instant) -> Plan:
    """What the backfill would do. Raises CascadeInACircle."""
    if not wish.cascade:
        return plan(wish, {wish.dag_id: spec_of(store, wish.dag_id)}, store.runs_over, now)
    specs = {dag.dag_id: store.compiled(dag.version).spec for dag in store.dags()}
    return plan(wish, specs, store.runs_over, now)


def ordered(
    store: "Store", wish: Wish, chosen: Chosen, found: Plan, manner: Manner, by: str, now: Instant
) -> tuple[NewBackfill, list[NewRun]]:
    """What to create. Raises UsageError for parameters that misfit, or that another dag of the cascade has to be given."""
    spec = spec_of(store, wish.dag_id)
    params = {wish.dag_id: encode(from_text(spec.params, pairs(manner.params)))}
    versions = {dag_id: store.dag(dag_id).version for dag_id in {run.dag_id for run in found.create}}
    for dag_id in versions.keys() - params.keys():
        params[dag_id] = encode(_defaults(store, dag_id))
    new = NewBackfill(
        dag_id=wish.dag_id,
        chosen=chosen.ranges,
        params=params[wish.dag_id],
        at=now,
        by=by,
        reprocess=wish.reprocess,
        newest_first=wish.newest_first,
        batch=wish.batch,
        cascade=wish.cascade,
        max_active_runs=manner.max_active_runs or spec.max_active_runs,
        share=manner.share,
    )
    return new, [_new_run(run, versions[run.dag_id], params[run.dag_id], by, now) for run in found.create]


def _defaults(store: "Store", dag_id: str) -> dict[str, object]:
    try:
        return from_text(spec_of(store, dag_id).params, {})
    except UsageError as error:
        raise UsageError(f"--cascade: {dag_id}: {error.what}", help=f"Backfill {dag_id} by itself.") from error


def _new_run(run: PlannedRun, version: str, params: bytes, by: str, now: Instant) -> NewRun:
    start, end = run.interval.start, run.interval.end
    return NewRun(run.dag_id, version, run_key(start, run.nth), "backfill", start, end, params, now, by=by)


def plan_document(store: "Store", wish: Wish, chosen: Chosen, found: Plan, max_active_runs: int) -> PlanDocument:
    """The plan as an answer, with what history says of how long it takes."""
    schedules = {each: spec_of(store, each).schedule for each in {wish.dag_id, *(run.dag_id for run in found.create)}}
    counts = Counter(run.dag_id for run in found.create)
    took = {each: list(_durations(store, each, found)) for each in schedules}
    guess = estimate(counts, took, max_active_runs)
    return PlanDocument(
        dag_id=wish.dag_id,
        first=day_of(chosen.ranges[0].start, schedules[wish.dag_id]),
        last=day_of(chosen.ranges[-1].end - 1, schedules[wish.dag_id]),
        reprocess=wish.reprocess,
        runs=[
            PlannedRunDocument(
                dag_id=run.dag_id,
                logical_date=logical_date(run.interval, schedules[run.dag_id]),
                interval_start=moment(run.interval.start),
                interval_end=moment(run.interval.end),
            )
            for run in found.create
        ],
        left_alone={_REASONS[reason]: count for reason, count in found.left_alone.items()},
        median_run_ms=round(median(took[wish.dag_id])) if took[wish.dag_id] else None,
        max_active_runs=max_active_runs,
        estimated_ms=guess.total_ms if isinstance(guess, Estimate) else None,
        too_little_history=None if isinstance(guess, Estimate) else guess.dag_id,
    )


def _durations(store: "Store", dag_id: str, found: Plan) -> Iterator[int]:
    """How long the newest successful runs of a dag took that were for about as much time as those that are planned."""
    lengths = [run.interval.end - run.interval.start for run in found.create if run.dag_id == dag_id]
    for run in store.runs(dag_id=dag_id, states=[RunState.SUCCESS], limit=_HISTORY):
        length = run.interval.end - run.interval.start
        alike = not lengths or max(lengths) / 2 <= length <= max(lengths) * 2
        if alike and run.started_at is not None and run.finished_at is not None:
            yield run.finished_at - run.started_at
