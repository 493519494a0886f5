"""What is not as it should be in a dag's past: intervals that are missing, failed, stale or just being run."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from ostinato.model.time import DataInterval

from .interval_state import IntervalStates

Gap = Literal["missing", "failed", "stale", "running"]
"""``missing``: no run. ``failed``: the newest run failed or was cancelled. ``stale``: it succeeded, with another version
of the dag than today's. ``running``: queued or running."""


class Stretch(Struct, frozen=True):
    """Intervals that follow each other without a hole: the first, the last, and how many they are."""

    first: DataInterval
    last: DataInterval
    count: int


def gaps(intervals: Iterable[DataInterval], states: IntervalStates, version: str) -> dict[Gap, list[Stretch]]:
    """The intervals, ascending, that are not a success of this version, by what they are; ``intervals`` ascend too."""
    found: dict[Gap, list[DataInterval]] = {"missing": [], "failed": [], "stale": [], "running": []}
    for interval in intervals:
        state = states.of(interval)
        if state != "success":
            found[state].append(interval)
        elif states.stale(interval, version):
            found["stale"].append(interval)
    return {gap: stretches(each) for gap, each in found.items()}


def stretches(intervals: Iterable[DataInterval]) -> list[Stretch]:
    """Ascending intervals, those that touch taken together."""
    found: list[Stretch] = []
    for interval in intervals:
        if found and found[-1].last.end == interval.start:
            found[-1] = Stretch(found[-1].first, interval, found[-1].count + 1)
        else:
            found.append(Stretch(interval, interval, 1))
    return found
