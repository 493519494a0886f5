"""What a backfill would do to each interval: make a run, or leave it alone, and why. Open runs are never doubled."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant

Reprocess = Literal["missing", "failed", "all"]
"""``missing``: intervals that have no run. ``failed``: also those whose newest run failed or was cancelled. ``all``: also
those that succeeded."""

_RUNS_AGAIN: Final[Mapping[Reprocess, frozenset[RunState]]] = {
    "missing": frozenset(),
    "failed": frozenset({RunState.FAILED, RunState.CANCELLED}),
    "all": frozenset({RunState.FAILED, RunState.CANCELLED, RunState.SUCCESS}),
}


class Plan(Struct, frozen=True):
    """The runs to make, in their order, each with which run of its interval it will be (1 is the first ever).

    ``skip`` counts the intervals that are left alone by the state of their newest run.
    """

    create: list[tuple[DataInterval, int]]
    skip: dict[RunState, int]


def plan(
    intervals: Iterable[DataInterval],
    latest: Mapping[Instant, tuple[RunState, int]],
    reprocess: Reprocess,
    *,
    reverse: bool = False,
) -> Plan:
    """Decide for each interval. ``latest`` has the newest run by the interval's start: its state, and its number.

    Runs are made oldest interval first, or newest first if ``reverse``.
    """
    create: list[tuple[DataInterval, int]] = []
    skip: Counter[RunState] = Counter()
    for interval in sorted(intervals, reverse=reverse):
        newest = latest.get(interval.start)
        if newest is None:
            create.append((interval, 1))
        elif newest[0] in _RUNS_AGAIN[reprocess]:
            create.append((interval, newest[1] + 1))
        else:
            skip[newest[0]] += 1
    return Plan(create, dict(skip))
