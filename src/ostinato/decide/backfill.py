"""What a backfill would do: the runs it makes, in their order, and what it leaves alone. Open runs are never doubled."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct, structs

from ostinato.model.change import Reprocess
from ostinato.model.record import Run, nth_of
from ostinato.model.spec import DagSpec
from ostinato.model.time import DataInterval, Instant

from .cascade import downstream, needs_of
from .interval_state import IntervalState, fold
from .need import fed

Reason = Literal["not over", "before start", "after end"] | IntervalState
"""Why an interval is left alone: it has not ended, its dag begins later or ended earlier, or the state it is in."""

_TAKES: Final[Mapping[Reprocess, frozenset[IntervalState]]] = {
    "missing": frozenset({"missing"}),
    "failed": frozenset({"missing", "failed"}),
    "all": frozenset({"missing", "failed", "success"}),
}


class Wish(Struct, frozen=True):
    """What is asked for: these intervals of a dag, oldest first unless ``newest_first``.

    Up to ``batch`` intervals without a hole between them become one run. ``cascade``: also the intervals of other dags
    that these feed, whatever state they are in, each in a run of its own.
    """

    dag_id: str
    intervals: tuple[DataInterval, ...]
    reprocess: Reprocess = "missing"
    newest_first: bool = False
    batch: int = 1
    cascade: bool = False


class PlannedRun(Struct, frozen=True):
    """A run to make: ``nth`` is its number among the runs whose data interval begins where its own does."""

    dag_id: str
    interval: DataInterval
    nth: int


class Plan(Struct, frozen=True):
    """The runs to make, in their order, and how many intervals are left alone, by reason."""

    create: list[PlannedRun]
    left_alone: dict[Reason, int]


History = Callable[[str, Instant, Instant], Sequence[Run]]
"""The runs of a dag whose data interval has a part in ``[first, before)``, in the order in which they were made."""


def plan(wish: Wish, specs: Mapping[str, DagSpec], history: History, now: Instant) -> Plan:
    """Decide for each interval. ``specs`` are those of all dags. Raises CascadeInACircle."""
    made = _plan_dag(wish, specs[wish.dag_id], history, now)
    create = list(made.create)
    runs = {wish.dag_id: [run.interval for run in made.create]}
    left = Counter(made.left_alone)
    for dag_id in downstream(wish.dag_id, specs) if wish.cascade else ():
        further = structs.replace(
            wish, dag_id=dag_id, intervals=tuple(_fed(specs, dag_id, runs)), reprocess="all", batch=1
        )
        made = _plan_dag(further, specs[dag_id], history, now)
        create += made.create
        runs[dag_id] = [run.interval for run in made.create]
        left.update(made.left_alone)
    return Plan(create, dict(left))


def _plan_dag(wish: Wish, spec: DagSpec, history: History, now: Instant) -> Plan:
    """Decide for the intervals of one dag."""
    intervals = sorted(wish.intervals)
    runs = history(wish.dag_id, intervals[0].start, intervals[-1].end) if intervals else ()
    states = fold(runs)
    numbers = {run.interval.start: nth_of(run) for run in runs}
    chosen: list[DataInterval] = []
    left: Counter[Reason] = Counter()
    for interval in intervals:
        reason = _outside(spec, interval, now) or states.of(interval)
        if reason in _TAKES[wish.reprocess]:
            chosen.append(interval)
        else:
            left[reason] += 1
    batches = batched(chosen, wish.batch)
    if wish.newest_first:
        batches.reverse()
    return Plan([PlannedRun(wish.dag_id, each, numbers.get(each.start, 0) + 1) for each in batches], dict(left))


def _outside(spec: DagSpec, interval: DataInterval, now: Instant) -> Reason | None:
    if interval.end > now:
        return "not over"
    if spec.start is not None and interval.start < spec.start:
        return "before start"
    if spec.end is not None and interval.start > spec.end:
        return "after end"
    return None


def _fed(specs: Mapping[str, DagSpec], dag_id: str, runs: Mapping[str, list[DataInterval]]) -> set[DataInterval]:
    """The intervals of a dag that need any of the data that runs of others will make."""
    to = specs[dag_id].schedule
    return {
        interval
        for source, intervals in runs.items()
        for need in needs_of(specs[dag_id], source)
        for interval in fed(need, intervals, specs[source].schedule, to)
    }


def batched(intervals: Iterable[DataInterval], size: int) -> list[DataInterval]:
    """Ascending intervals, up to ``size`` that touch each other joined into one; a hole ends a batch."""
    batches: list[DataInterval] = []
    room = 0
    for interval in intervals:
        if room and batches[-1].end == interval.start:
            batches[-1] = DataInterval(batches[-1].start, interval.end)
            room -= 1
        else:
            batches.append(interval)
            room = size - 1
    return batches
