"""Which time of another dag an interval needs, and the way back: which intervals a stretch of that time feeds."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from ostinato.model.record import Run
from ostinato.model.spec import Need, Schedule
from ostinato.model.time import DataInterval, Instant

from .interval_set import IntervalSet
from .interval_state import fold
from .timetable import intervals_between, moved


def window(need: Need, interval: DataInterval, schedule: Schedule | None) -> DataInterval | None:
    """The time that must have succeeded before a task may begin in a run for ``interval``.

    ``schedule`` is that of the needed dag. What is asked for are its intervals that have a part in this time. None: there
    are none so early or so late, for the schedule is some moments only.
    """
    first, by = (interval.end, need.shift - need.size) if need.size else (interval.start, need.shift)
    start, end = _moved(need, first, by, schedule), _moved(need, interval.end, need.shift, schedule)
    return DataInterval(start, end) if start < end else None


def fed(need: Need, source: Iterable[DataInterval], of: Schedule | None, to: Schedule | None) -> Iterator[DataInterval]:
    """The intervals of schedule ``to`` that need any of the ``source`` intervals, which are of schedule ``of``."""
    given = IntervalSet.of(source)
    if not given:
        return
    first = _moved(need, given.ranges[0].start, -need.shift, of)
    last = _moved(need, given.ranges[-1].end, need.size - need.shift, of)
    low = moved(of, first, -2)  # moving there and back may end an interval off
    for interval in intervals_between(to, moved(to, low, -1), moved(of, last, 1)):
        needed = window(need, interval, of)
        if needed is not None and given.meets(needed):
            yield interval


def _moved(need: Need, at: Instant, by: int, schedule: Schedule | None) -> Instant:
    """An instant, moved by intervals or by milliseconds, as the need counts."""
    return moved(schedule, at, by) if need.by_interval else at + by


class History(Protocol):
    """What is known of the intervals of dags."""

    def schedule(self, dag_id: str) -> Schedule | None:
        """The schedule of a dag. Raises NotFound for a dag that is not there."""
        ...

    def first_interval(self, dag_id: str) -> Instant | None:
        """When the earliest interval begins that a dag has a run for; None: it has none."""
        ...

    def runs(self, dag_id: str, window: DataInterval, task_id: str | None) -> list[Run]:
        """The runs of a dag over a stretch of time. If a task is named, each is in the state that this task is in."""
        ...


def is_met(need: Need, run: Run, history: History) -> bool:
    """Whether what a run needs of a dag's intervals has succeeded. An interval that is being run again is not there."""
    dag_id = need.dag_id or run.dag_id
    asked = window(need, run.interval, history.schedule(dag_id))
    if asked is None:
        return True
    if need.if_any:
        first = history.first_interval(dag_id)
        if first is None or first >= asked.end:
            return True
        asked = DataInterval(max(asked.start, first), asked.end)
    others = [other for other in history.runs(dag_id, asked, need.task_id) if other.run_id != run.run_id]
    return fold(others).of(asked) == "success"
