"""From a schedule to data intervals, and from the calendar to the runs that are due.

The interval of a tick is the time since the tick before it, so the intervals of a schedule tile all time: none is empty,
none overlaps, each instant lies in exactly one; only some given moments have a first and a last interval. A dag whose
intervals are not known beforehand, for it has no schedule or a continuous one, has the days of UTC when it is asked to
run for a date.

All functions raise ScheduleInvalid for a schedule that cannot be followed.
"""

from collections.abc import Iterator
from itertools import islice, pairwise, takewhile
from typing import Final

from ostinato.model.errors import NotFound
from ostinato.model.spec import Catchup, Continuous, DagSpec, Every, Schedule, Ticking
from ostinato.model.time import DataInterval, Instant, stamp

from .tick import HORIZON_MS, latest_tick, next_tick, ticks

ON_TIME_MS: Final = 60_000
"""An interval that ended at most so long ago is on time, not missed: a restart on the stroke of the hour loses nothing."""

_UTC_DAYS: Final = Every(86_400)


class NoInterval(NotFound):
    """A schedule of given moments has no interval at the time that was asked for: it has not begun, or it is over."""

    code = "OST-410"
    help = "`ostinato dags next DAG --from DATE` shows the intervals that there are."


def first_interval_after(schedule: Ticking, after: Instant) -> DataInterval | None:
    """The first interval whose end is later than ``after``: the next one that will be due; None if there is none."""
    start, end = latest_tick(schedule, after), next_tick(schedule, after)
    if start is None and end is not None:  # before the first of some moments
        start, end = end, next_tick(schedule, end)
    return None if start is None or end is None else DataInterval(start, end)


def interval_at(schedule: Schedule | None, at: Instant) -> DataInterval:
    """The interval that contains an instant. Raises NoInterval."""
    interval = first_interval_after(_ticking(schedule), at)
    if interval is None or interval.start > at:
        raise NoInterval(f"the schedule has no interval at {stamp(at)}")
    return interval


def interval_starting(schedule: Schedule | None, start: Instant) -> DataInterval | None:
    """The interval of a logical date; None if none starts at that instant."""
    interval = first_interval_after(_ticking(schedule), start)
    return interval if interval is not None and interval.start == start else None


def latest_complete(schedule: Schedule | None, now: Instant) -> DataInterval:
    """The last interval that has ended. Raises NoInterval."""
    interval = _latest_complete(_ticking(schedule), now)
    if interval is None:
        raise NoInterval(f"no interval of the schedule has ended by {stamp(now)}")
    return interval


def intervals_between(schedule: Schedule | None, first: Instant, last: Instant) -> Iterator[DataInterval]:
    """The intervals whose start lies in ``[first, last]``, ascending, made as they are asked for."""
    for start, end in pairwise(ticks(_ticking(schedule), first, last + HORIZON_MS)):
        if start > last:
            return
        yield DataInterval(start, end)


def next_due(spec: DagSpec, since: Instant) -> Instant | None:
    """When a dag's schedule, followed up to ``since``, next has something to do; None: never."""
    match spec.schedule:
        case None:
            return None
        case Continuous(at_least):
            first = since if spec.start is None else max(since, spec.start)
            whole_second = -(-first // 1000) * 1000
            return None if spec.end is not None and first > spec.end else whole_second + at_least * 1000
        case ticking:
            interval = first_interval_after(ticking, since)
            return None if interval is None else interval.end


def begin(spec: DagSpec, now: Instant) -> Instant:
    """From where a schedule that is seen for the first time is followed."""
    if spec.start is not None and spec.catchup == "all":
        return spec.start
    return now // 1000 * 1000 if isinstance(spec.schedule, Continuous) else now


def due(spec: DagSpec, since: Instant, now: Instant, limit: int) -> tuple[list[DataInterval], Instant]:
    """The intervals to make runs for, oldest first, at most ``limit``, and the instant up to which all is dealt with.

    The schedule was followed up to ``since``. Of the intervals that have ended after that and start in ``[start,
    end]``, ``all`` takes every one, ``none`` those that ended just now (``ON_TIME_MS``) and not those that passed while
    nobody looked, ``last`` the same and at least the newest. The instant that comes back is the next call's ``since``;
    it never goes back, even where a clock does. A continuous schedule misses nothing: its next interval reaches back to
    ``since``.
    """
    if isinstance(schedule, Continuous):
        return _due_continuous(schedule, since, now, start, end)
    over = None if end is None else first_interval_after(schedule, end)
    until = now if over is None else min(now, over.end)
    on_time = now - ON_TIME_MS - 1
    match catchup:
        case "all":
            after = since
        case "last":
            latest = _latest_complete(schedule, until)
            after = max(since, min(on_time, since if latest is None else latest.end - 1))
        case "none":
            after = max(since, on_time)
    found = first_interval_after(schedule, after)
    if found is None:
        return [], max(since, now)
    wanted = intervals_between(schedule, found.start if start is None else max(found.start, start), until)
    intervals = list(islice(takewhile(lambda interval: interval.end <= until, wanted), limit))
    followed = intervals[-1].end if len(intervals) == limit else now
    return intervals, max(since, followed)


def _due_continuous(
    schedule: Continuous, since: Instant, now: Instant, start: Instant | None, end: Instant | None
) -> tuple[list[DataInterval], Instant]:
    """The one interval up to the whole second that has begun, once it is long enough."""
    first, until = since if start is None else max(since, start), now // 1000 * 1000
    over = end is not None and first > end
    if over or until - first < schedule.at_least * 1000:
        return [], since
    return [DataInterval(first, until)], until


def _latest_complete(schedule: Ticking, now: Instant) -> DataInterval | None:
    end = latest_tick(schedule, now)
    start = None if end is None else latest_tick(schedule, end - 1)
    return None if start is None or end is None else DataInterval(start, end)


def _ticking(schedule: Schedule | None) -> Ticking:
    return _UTC_DAYS if schedule is None or isinstance(schedule, Continuous) else schedule
