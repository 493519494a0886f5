"""The ticks of every kind of schedule: the moments at which one data interval ends and the next begins.

This is the one place that tells the kinds apart; whoever asks for intervals need not know which it is.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Final

from ostinato.model.spec import Calendar, Cron, Every, Ticking
from ostinato.model.time import Instant

from .cron import Edge, cron_edges, cron_ticks
from .zone import ScheduleInvalid, local

_HOUR: Final = 3_600_000
HORIZON_MS: Final = 50 * 366 * 24 * _HOUR
"""A cron that has not ticked for so long never will: even a leap day on a given weekday is back in 40 years."""
_FIRST_LOOK_BACK: Final = 2 * _HOUR


def ticks(schedule: Ticking, first: Instant, last: Instant) -> Iterator[Instant]:
    """The ticks in ``[first, last)``, ascending, each once, made as they are asked for.

    Raises ScheduleInvalid for an expression or a time zone that is none.
    """
    match schedule:
        case Cron():
            return cron_ticks(schedule, first, last)
        case Calendar(base):
            return filter(_staying(schedule), cron_ticks(base, first, last))
        case Every(seconds, offset):
            length, anchor = seconds * 1000, offset * 1000
            return iter(range(anchor - (anchor - first) // length * length, last, length))
        case _:
            instants = schedule.instants
            return iter(instants[bisect_left(instants, first) : bisect_left(instants, last)])


def next_tick(schedule: Ticking, after: Instant) -> Instant | None:
    """The first tick later than ``after``; None after the last of some moments.

    Raises ScheduleInvalid if there is none for 50 years.
    """
    for tick in ticks(schedule, after + 1, after + HORIZON_MS):
        return tick
    return _none_within_reach(schedule)


def latest_tick(schedule: Ticking, at: Instant) -> Instant | None:
    """The last tick that is not later than ``at``; None before the first of some moments.

    Raises ScheduleInvalid if there was none for 50 years.
    """
    if isinstance(schedule, Every):
        return at - (at - schedule.offset * 1000) % (schedule.seconds * 1000)
    end, length = at + 1, _FIRST_LOOK_BACK
    while at - end < HORIZON_MS:
        latest = None
        for tick in ticks(schedule, end - length, end):
            latest = tick
        if latest is not None:
            return latest
        end, length = end - length, length * 8
    return _none_within_reach(schedule)


def edges(schedule: Ticking, first: Instant, last: Instant) -> Iterator[Edge]:
    """What clock changes do to the ticks of a schedule in ``[first, last)``, in order of time."""
    match schedule:
        case Cron():
            return cron_edges(schedule, first, last)
        case Calendar(base):
            stays = _staying(schedule)
            return (edge for edge in cron_edges(base, first, last) if stays(edge.at))
        case _:  # no clock of any place has a part in them
            return iter(())


def _staying(calendar: Calendar) -> Callable[[Instant], bool]:
    """Says of a tick of the base whether its day is not left out."""
    tz, weekdays, dates = calendar.base.tz, frozenset(calendar.weekdays), frozenset(calendar.dates)

    def stays(tick: Instant) -> bool:
        day = local(tz, tick).date()
        return day.isoweekday() not in weekdays and day not in dates

    return stays


def _none_within_reach(schedule: Ticking) -> None:
    """Some moments may well be over; any other schedule goes on for ever, or never begins and is a mistake."""
    if isinstance(schedule, Cron | Calendar):
        cron = schedule.base if isinstance(schedule, Calendar) else schedule
        raise ScheduleInvalid(f'cron "{cron.expression}" does not tick within 50 years')
