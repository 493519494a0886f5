"""How the intervals of a dag stand, folded from its runs: sets of time, not a row for each interval.

A run speaks for all the time in its data interval, however many intervals of the schedule that is. Where several runs
speak for one instant, an open one counts, else the newest. A run that was cancelled before it began never was.
"""

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from itertools import pairwise
from typing import Literal

from msgspec import Struct

from ostinato.model.record import Run
from ostinato.model.state import FINAL_RUN, RunState
from ostinato.model.time import DataInterval, Instant

from .interval_set import IntervalSet

IntervalState = Literal["missing", "failed", "running", "success"]
"""``running``: queued or running. ``failed``: failed, or cancelled after it began."""


class IntervalStates(Struct, frozen=True):
    """The time for which a dag has succeeded (``by_version``: with which version), has failed, or is being run."""

    success: IntervalSet
    by_version: dict[str, IntervalSet]
    failed: IntervalSet
    running: IntervalSet

    def of(self, interval: DataInterval) -> IntervalState:
        """The state of one interval. It is a success only if all of it is, else it has the worst state of its parts."""
        if self.running.meets(interval):
            return "running"
        if self.success.covers(interval):
            return "success"
        return "failed" if self.failed.meets(interval) else "missing"

    def stale(self, interval: DataInterval, version: str) -> bool:
        """Whether all of the interval has succeeded, and not all of it with this version of the dag."""
        made = self.by_version.get(version, IntervalSet())
        return self.of(interval) == "success" and not made.covers(interval)


def fold(runs: Iterable[Run]) -> IntervalStates:
    """The states of the intervals of one dag from all its runs there."""
    by_version: dict[str, list[DataInterval]] = {}
    failed: list[DataInterval] = []
    running: list[DataInterval] = []
    for part, run in _speakers(run for run in runs if not _never_was(run)):
        if run.state is RunState.SUCCESS:
            by_version.setdefault(run.version, []).append(part)
        elif run.state in FINAL_RUN:
            failed.append(part)
        else:
            running.append(part)
    return IntervalStates(
        success=IntervalSet.of(part for parts in by_version.values() for part in parts),
        by_version={version: IntervalSet.of(parts) for version, parts in by_version.items()},
        failed=IntervalSet.of(failed),
        running=IntervalSet.of(running),
    )


def _never_was(run: Run) -> bool:
    return run.state is RunState.CANCELLED and run.started_at is None


def _speakers(runs: Iterable[Run]) -> Iterator[tuple[DataInterval, Run]]:
    """The run that counts for each stretch of time between two ends of runs, in the order of time."""
    coming = sorted(runs, key=lambda run: run.interval.start, reverse=True)
    ends = sorted({end for run in coming for end in (run.interval.start, run.interval.end)})
    over: list[tuple[bool, int, Instant, Run]] = []
    for here, there in pairwise(ends):
        while coming and coming[-1].interval.start <= here:
            run = coming.pop()
            heappush(over, (run.state in FINAL_RUN, -run.run_id, run.interval.end, run))
        while over and over[0][2] <= here:
            heappop(over)
        if over:
            yield DataInterval(here, there), over[0][3]
