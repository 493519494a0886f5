"""Dags that run after others, instant by instant: a run in the commit that completes its interval, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ostinato.decide.timetable import interval_at
from ostinato.model.record import Run
from ostinato.model.spec import After, DagSpec
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant

from .trace import demand

if TYPE_CHECKING:
    from .witness import Witness


class Followers:
    """``watched`` are the dags that run after others and that nobody paused, changed or removed since the beginning."""

    def __init__(self) -> None:
        self.watched: dict[str, DagSpec] = {}
        self._complete: set[tuple[str, DataInterval]] = set()

    def deployed(self, spec: DagSpec) -> None:
        """A dag was deployed before any scheduler began."""
        if isinstance(spec.schedule, After):
            self.watched[spec.dag_id] = spec

    def disturbed(self, dag_id: str) -> None:
        """Somebody paused, changed or removed a dag: when it gets which run depends on when that is seen."""
        self.watched.pop(dag_id, None)

    def committed(self, witness: Witness, created: Sequence[Run], ended: Sequence[Run]) -> None:
        """Raise Violation for a run that came too early, or did not come. ``ended``: the runs whose state has moved."""
        for run in created:
            schedule = witness.specs[run.version].schedule
            if run.kind == "scheduled" and isinstance(schedule, After):
                demand(
                    _is_complete(witness, schedule, run.interval), "it comes before those it is to follow", run.run_id
                )
        succeeded = [run for run in ended if run.state is RunState.SUCCESS]
        for spec in self.watched.values():
            assert isinstance(spec.schedule, After)
            for run in succeeded:
                if run.dag_id in spec.schedule.dags:
                    for interval in _touched(spec, run.interval):
                        self._hold_run(witness, spec, spec.schedule, interval)

    def _hold_run(self, witness: Witness, spec: DagSpec, after: After, interval: DataInterval) -> None:
        which = spec.dag_id, interval
        if which not in self._complete and _is_complete(witness, after, interval):
            self._complete.add(which)
            own = (seen.run for seen in witness.runs.values() if seen.run.dag_id == spec.dag_id)
            made = any(run.interval.start < interval.end and interval.start < run.interval.end for run in own)
            demand(made, f"{after.dags} have succeeded for {interval}, and {spec.dag_id} has no run for it")


def _touched(spec: DagSpec, success: DataInterval) -> Iterator[DataInterval]:
    """The intervals of a dag that have a part in what has succeeded, and that it makes runs for."""
    at: Instant = success.start
    while at < success.end:
        interval = interval_at(spec.schedule, at)
        at = interval.end
        if (spec.start is None or spec.start <= interval.start) and (spec.end is None or interval.start <= spec.end):
            yield interval


def _is_complete(witness: Witness, after: After, interval: DataInterval) -> bool:
    """Whether for each instant of an interval a run of each of the dags has succeeded."""
    return all(_has_succeeded(witness, dag_id, interval) for dag_id in after.dags)


def _has_succeeded(witness: Witness, dag_id: str, interval: DataInterval) -> bool:
    done = [
        seen.run.interval
        for seen in witness.runs.values()
        if seen.run.dag_id == dag_id and seen.run.state is RunState.SUCCESS
    ]
    edges = {interval.start, *(each.end for each in done if interval.start < each.end < interval.end)}
    return all(any(each.start <= at < each.end for each in done) for at in edges)
