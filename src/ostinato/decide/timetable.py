"""From a schedule to data intervals, and from the calendar to the runs that are due.

The interval of a tick is the time since the tick before it, so the intervals of a schedule tile all time: none is empty,
none overlaps, each instant lies in exactly one. A dag without a schedule has the days of UTC.

All functions raise ScheduleInvalid for a schedule that cannot be followed.
"""

from collections.abc import Iterator
from itertools import islice, pairwise, takewhile
from typing import Final

from ostinato.model.spec import Catchup, Every, Schedule
from ostinato.model.time import DataInterval, Instant

from .cron import HORIZON_MS, latest_tick, next_tick, ticks

ON_TIME_MS: Final = 60_000
"""An interval that ended at most so long ago is on time, not missed: a restart on the stroke of the hour loses nothing."""

_UTC_DAYS: Final = Every(86_400)


def first_interval_after(schedule: Schedule, after: Instant) -> DataInterval:
    """The first interval whose end is later than ``after``: the next one that will be due."""
    match schedule:
        case Every(seconds):
            length = seconds * 1000
            start = after // length * length
            return DataInterval(start, start + length)
        case _:
            return DataInterval(latest_tick(schedule, after), next_tick(schedule, after))


def interval_at(schedule: Schedule | None, at: Instant) -> DataInterval:
    """The interval that contains an instant."""
    return first_interval_after(schedule or _UTC_DAYS, at)


def interval_starting(schedule: Schedule | None, start: Instant) -> DataInterval | None:
    """The interval of a logical date; None if none starts at that instant."""
    interval = interval_at(schedule, start)
    return interval if interval.start == start else None


def latest_complete(schedule: Schedule | None, now: Instant) -> DataInterval:
    """The last interval that has ended."""
    return interval_at(schedule, interval_at(schedule, now).start - 1)


def intervals_between(schedule: Schedule | None, first: Instant, last: Instant) -> Iterator[DataInterval]:
    """The intervals whose start lies in ``[first, last]``, ascending, made as they are asked for."""
    match schedule or _UTC_DAYS:
        case Every(seconds):
            length = seconds * 1000
            for start in range(-(-first // length) * length, last + 1, length):
                yield DataInterval(start, start + length)
        case cron:
            for start, end in pairwise(ticks(cron, first, last + HORIZON_MS)):
                if start > last:
                    return
                yield DataInterval(start, end)


def due(
    schedule: Schedule,
    catchup: Catchup,
    since: Instant,
    now: Instant,
    start: Instant | None,
    end: Instant | None,
    limit: int,
) -> tuple[list[DataInterval], Instant]:
    """The intervals to make runs for, oldest first, at most ``limit``, and the instant up to which all is dealt with.

    The schedule was followed up to ``since``. Of the intervals that have ended after that and start in ``[start,
    end]``, ``all`` takes every one, ``none`` those that ended just now (``ON_TIME_MS``) and not those that passed while
    nobody looked, ``last`` the same and at least the newest. The instant that comes back is the next call's ``since``;
    it never goes back, even where a clock does.
    """
    until = now if end is None else min(now, first_interval_after(schedule, end).end)
    on_time = now - ON_TIME_MS - 1
    match catchup:
        case "all":
            begin = since
        case "last":
            begin = max(since, min(on_time, latest_complete(schedule, until).end - 1))
        case _:
            begin = max(since, on_time)
    first = first_interval_after(schedule, begin).start
    wanted = intervals_between(schedule, first if start is None else max(first, start), until)
    intervals = list(islice(takewhile(lambda interval: interval.end <= until, wanted), limit))
    followed = intervals[-1].end if len(intervals) == limit else now
    return intervals, max(since, followed)
