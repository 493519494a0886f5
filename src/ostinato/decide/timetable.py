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
from ostinato.model.spec import After, Continuous, DagSpec, Every, Schedule, Ticking
from ostinato.model.time import DataInterval, Instant, stamp

from .tick import HORIZON_MS, latest_tick, next_tick, ticks

ON_TIME_MS: Final = 60_000
"""An interval that ended at most so long ago is on time, not missed: a restart on the stroke of the hour loses nothing."""

_UTC_DAYS: Final = Every(86_400)


class NoInterval(NotFound):
    """A schedule of given moments has no interval at the time that was asked for: it has not begun, or it is over."""

    code = "OST-150"
    help = "`ostinato dags next DAG --from DATE` shows the intervals that there are."


def first_interval_after(schedule: Schedule | None, after: Instant) -> DataInterval | None:
    """The first interval whose end is later than ``after``: the next one that will be due; None if there is none."""
    ticking = ticking_of(schedule)
    start, end = latest_tick(ticking, after), next_tick(ticking, after)
    if start is None and end is not None:  # before the first of some moments
        start, end = end, next_tick(ticking, end)
    return None if start is None or end is None else DataInterval(start, end)


def interval_at(schedule: Schedule | None, at: Instant) -> DataInterval:
    """The interval that contains an instant. Raises NoInterval."""
    interval = first_interval_after(schedule, at)
    if interval is None or interval.start > at:
        raise NoInterval(f"the schedule has no interval at {stamp(at)}")
    return interval


def interval_starting(schedule: Schedule | None, start: Instant) -> DataInterval | None:
    """The interval of a logical date; None if none starts at that instant."""
    interval = first_interval_after(schedule, start)
    return interval if interval is not None and interval.start == start else None


def latest_complete(schedule: Schedule | None, now: Instant) -> DataInterval:
    """The last interval that has ended. Raises NoInterval."""
    interval = latest_ended(schedule, now)
    if interval is None:
        raise NoInterval(f"no interval of the schedule has ended by {stamp(now)}")
    return interval


def latest_ended(schedule: Schedule | None, now: Instant) -> DataInterval | None:
    """The last interval that has ended; None if none has."""
    ticking = ticking_of(schedule)
    end = latest_tick(ticking, now)
    start = None if end is None else latest_tick(ticking, end - 1)
    return None if start is None or end is None else DataInterval(start, end)


def moved(schedule: Schedule | None, at: Instant, by: int) -> Instant:
    """An instant, moved by so many intervals, as far as there are some.

    One that is no tick keeps its distance from the tick before it, as far as the interval there is long enough.
    """
    ticking = ticking_of(schedule)
    tick = latest_tick(ticking, at)
    if tick is None:  # before the first of some moments
        return at
    beyond = at - tick
    for _ in range(abs(by)):
        further = next_tick(ticking, tick) if by > 0 else latest_tick(ticking, tick - 1)
        if further is None:
            break
        tick = further
    end = next_tick(ticking, tick)
    return tick + beyond if end is None else min(tick + beyond, end)


def is_tick(schedule: Schedule | None, at: Instant) -> bool:
    """Whether an interval begins or ends at an instant."""
    return latest_tick(ticking_of(schedule), at) == at


def intervals_between(schedule: Schedule | None, first: Instant, last: Instant) -> Iterator[DataInterval]:
    """The intervals whose start lies in ``[first, last]``, ascending, made as they are asked for."""
    for start, end in pairwise(ticks(ticking_of(schedule), first, last + HORIZON_MS)):
        if start > last:
            return
        yield DataInterval(start, end)


def upcoming(spec: DagSpec, after: Instant) -> Iterator[DataInterval]:
    """The intervals that a schedule makes runs for and that end later than ``after``, ascending; for 50 years."""
    found = first_interval_after(spec.schedule, after)
    if found is None:
        return iter(())
    first = found.start if spec.start is None else max(found.start, spec.start)
    return intervals_between(spec.schedule, first, first + HORIZON_MS if spec.end is None else spec.end)


def next_due(spec: DagSpec, since: Instant) -> Instant | None:
    """When a dag's schedule, followed up to ``since``, next has something to do; None: never."""
    match spec.schedule:
        case None:
            return None
        case Continuous(at_least):
            first = since if spec.start is None else max(since, spec.start)
            over = spec.end is not None and first > spec.end
            return None if over else (-(-first // 1000) + at_least) * 1000
        case ticking:
            interval = first_interval_after(ticking, since)
            return None if interval is None else interval.end


def begin(spec: DagSpec, now: Instant) -> Instant:
    """From where a schedule that is seen for the first time is followed."""
    if spec.start is not None and spec.catchup == "all":
        return min(spec.start, now)
    return now // 1000 * 1000 if isinstance(spec.schedule, Continuous) else now


def due(spec: DagSpec, since: Instant, now: Instant, limit: int) -> tuple[list[DataInterval], Instant]:
    """The intervals to make runs for, oldest first, at most ``limit``, and the instant up to which all is dealt with.

    The schedule was followed up to ``since``. Of the intervals that have ended after that and start in ``[start,
    end]``, ``all`` takes every one, ``none`` those that ended just now (``ON_TIME_MS``) and not those that passed while
    nobody looked, ``last`` the same and at least the newest. The instant that comes back is the next call's ``since``;
    it never goes back, even where a clock does. A continuous schedule misses nothing: its next interval reaches back to
    ``since``.
    """
    if isinstance(spec.schedule, Continuous):
        return _due_continuous(spec, spec.schedule, since, now)
    found = first_interval_after(spec.schedule, _skipped(spec, since, now))
    if found is None:
        return [], max(since, now)
    first = found.start if spec.start is None else max(found.start, spec.start)
    last = now if spec.end is None else min(now, spec.end)
    wanted = intervals_between(spec.schedule, first, last)
    intervals = list(islice(takewhile(lambda interval: interval.end <= now, wanted), limit))
    followed = intervals[-1].end if len(intervals) == limit else now
    return intervals, max(since, followed)


def _skipped(spec: DagSpec, since: Instant, now: Instant) -> Instant:
    """Up to where a catchup rule lets pass the intervals that have ended."""
    on_time = now - ON_TIME_MS - 1
    match spec.catchup:
        case "all":
            return since
        case "none":
            return max(since, on_time)
        case _:  # last
            over = None if spec.end is None else first_interval_after(spec.schedule, spec.end)
            latest = latest_ended(spec.schedule, now if over is None else min(now, over.end))
            return since if latest is None else max(since, min(on_time, latest.end - 1))


def _due_continuous(
    spec: DagSpec, schedule: Continuous, since: Instant, now: Instant
) -> tuple[list[DataInterval], Instant]:
    """The one interval up to the whole second that has begun, once it is long enough."""
    first, until = since if spec.start is None else max(since, spec.start), now // 1000 * 1000
    over = spec.end is not None and first > spec.end
    if over or until - first < schedule.at_least * 1000:
        return [], since
    return [DataInterval(first, until)], until


def ticking_of(schedule: Schedule | None) -> Ticking:
    """What ticks where the intervals of a schedule begin and end."""
    if isinstance(schedule, After):
        return schedule.each
    return _UTC_DAYS if schedule is None or isinstance(schedule, Continuous) else schedule
