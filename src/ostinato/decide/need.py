"""Which time of another dag an interval needs, and the way back: which intervals a stretch of that time feeds."""

from collections.abc import Iterable, Iterator

from ostinato.model.spec import Need, Schedule
from ostinato.model.time import DataInterval, Instant

from .interval_set import IntervalSet
from .timetable import interval_at, intervals_between


def window(need: Need, interval: DataInterval, schedule: Schedule | None) -> DataInterval:
    """The time that must have succeeded before a task may begin in a run for ``interval``.

    ``schedule`` is that of the needed dag. What is asked for are its intervals that have a part in this time.
    """
    end = _moved(need, interval.end, schedule)
    return DataInterval(end - need.size if need.size else _moved(need, interval.start, schedule), end)


def fed(need: Need, source: Iterable[DataInterval], of: Schedule | None, to: Schedule | None) -> Iterator[DataInterval]:
    """The intervals of schedule ``to`` that need any of the ``source`` intervals, which are of schedule ``of``."""
    given = IntervalSet.of(source)
    if not given:
        return
    first = _moved(need, given.ranges[0].start, of, back=True)
    last = _moved(need, given.ranges[-1].end + need.size, of, back=True)
    low = interval_at(of, interval_at(of, first).start - 1).start  # moving there and back may end an interval off
    for interval in intervals_between(to, interval_at(to, low - 1).start, interval_at(of, last).end):
        if given.meets(window(need, interval, of)):
            yield interval


def _moved(need: Need, at: Instant, schedule: Schedule | None, *, back: bool = False) -> Instant:
    """An instant, moved as the need says, or the other way.

    One that is no tick keeps its distance from the tick before it, as far as the interval there is long enough.
    """
    shift = -need.shift if back else need.shift
    if not need.by_interval:
        return at + shift
    interval = interval_at(schedule, at)
    beyond = at - interval.start
    for _ in range(abs(shift)):
        interval = interval_at(schedule, interval.end if shift > 0 else interval.start - 1)
    return min(interval.start + beyond, interval.end)
