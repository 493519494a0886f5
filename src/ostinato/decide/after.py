"""Dags that run after others: which of their intervals the successes of those complete.

An interval is complete once each of the dags has succeeded for all of it, whatever was run again since. It gets its run in
the commit of the success that completes it; what was completed while nobody looked is found here as well.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from ostinato.model.record import Run
from ostinato.model.spec import After, DagSpec
from ostinato.model.time import DataInterval, Instant

from .interval_set import IntervalSet
from .tick import latest_tick
from .timetable import ON_TIME_MS, intervals_between, latest_ended, upcoming

Successes = Mapping[str, Sequence[DataInterval]]
"""For what dags have succeeded, by dag id."""


class KnownRuns(Protocol):
    """What is known of runs; see `Store`."""

    def runs_over(self, dag_id: str, first: Instant, before: Instant) -> list[Run]:
        """The runs of a dag whose data interval has a part in ``[first, before)``. Raises NotFound."""
        ...

    def succeeded_over(self, dag_id: str, first: Instant, before: Instant) -> list[DataInterval]:
        """The data intervals of a dag's runs that succeeded and have a part in ``[first, before)``."""
        ...

    def succeeded_between(self, dag_id: str, after: Instant, until: Instant) -> list[DataInterval]:
        """The data intervals of a dag's runs that ended in ``(after, until]``, with success."""
        ...


class Waiting(Struct, frozen=True):
    """The interval that the next run is for, and the first time in it for which each dag has yet to succeed, by dag id."""

    interval: DataInterval
    open: dict[str, DataInterval]


def completed(spec: DagSpec, after: After, successes: Successes, known: KnownRuns) -> list[DataInterval]:
    """The intervals of a dag, ascending, that these successes complete and that have no run.

    ``known`` need not know of the successes. A run that another dag called for is not the interval's own.
    """
    touched = sorted({each for dag_id in after.dags for each in _touched(spec, after, successes.get(dag_id, ()))})
    if not touched:
        return []
    span = DataInterval(touched[0].start, touched[-1].end)
    made = _made(spec.dag_id, span, known)
    done = [_done(dag_id, span, successes.get(dag_id, ()), known) for dag_id in after.dags]
    return [each for each in touched if not made.meets(each) and all(of.covers(each) for of in done)]


def owed(spec: DagSpec, after: After, since: Instant, now: Instant, known: KnownRuns) -> list[DataInterval]:
    """The intervals to make runs for, ascending, that were completed in ``(since, now]``, by the dag's catchup.

    ``all`` takes every one, ``none`` those that were completed just now (``ON_TIME_MS``), ``last`` the same and at least
    the newest.
    """
    if spec.catchup == "all":
        return _completed_since(spec, after, since, now, known)
    on_time = _completed_since(spec, after, max(since, now - ON_TIME_MS - 1), now, known)
    if on_time or spec.catchup == "none":
        return on_time
    return _completed_since(spec, after, since, now, known)[-1:]


def waiting(spec: DagSpec, after: After, now: Instant, known: KnownRuns) -> Waiting | None:
    """What the next run waits for: the first interval, from the last that has ended on, that has none; None: all is over."""
    ended = latest_ended(after, now)
    for interval in upcoming(spec, now if ended is None else ended.end - 1):
        if _made(spec.dag_id, interval, known):
            continue
        wanted = IntervalSet((interval,))
        open_ = {dag_id: (wanted - _done(dag_id, interval, (), known)).ranges for dag_id in after.dags}
        if any(open_.values()):
            return Waiting(interval, {dag_id: ranges[0] for dag_id, ranges in open_.items() if ranges})
    return None


def _completed_since(spec: DagSpec, after: After, since: Instant, now: Instant, known: KnownRuns) -> list[DataInterval]:
    successes = {dag_id: known.succeeded_between(dag_id, since, now) for dag_id in after.dags}
    return completed(spec, after, successes, known)


def _touched(spec: DagSpec, after: After, successes: Iterable[DataInterval]) -> Iterator[DataInterval]:
    """The intervals that a dag makes runs for and that have a part in any of the successes."""
    for success in successes:
        begun = latest_tick(after.each, success.start)
        first = success.start if begun is None else begun
        last = success.end - 1
        yield from intervals_between(
            after,
            first if spec.start is None else max(first, spec.start),
            last if spec.end is None else min(last, spec.end),
        )


def _made(dag_id: str, span: DataInterval, known: KnownRuns) -> IntervalSet:
    """The time for which a dag has runs."""
    runs = known.runs_over(dag_id, span.start, span.end)
    return IntervalSet.of(run.interval for run in runs if run.kind != "called")


def _done(dag_id: str, span: DataInterval, also: Iterable[DataInterval], known: KnownRuns) -> IntervalSet:
    """The time for which a dag has succeeded, at any time."""
    return IntervalSet.of((*also, *known.succeeded_over(dag_id, span.start, span.end)))
