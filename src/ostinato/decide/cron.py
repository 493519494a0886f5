"""When a cron expression ticks, in its time zone, by the rule that Debian's cron has for clock changes.

- An expression whose minute and hour are both named (neither begins with ``*``) ticks once for each wall time it names:
  one that falls into a gap ticks right after it, one that an overlap shows twice ticks the first time.
- Every other expression ticks at each real minute at which the wall clock shows a time that matches: nothing in a gap,
  twice in an overlap.

What an expression means is cronsim's to say: five fields, names of months and days, ``L``, ``LW``, ``#``, and a tick
needs both day fields to match if one of them begins with ``*``, else either. Where the ticks fall is decided here, zone
segment by zone segment, because cronsim's own walk misses repeated half hours (Lord Howe Island).
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from cronsim import CronSim, CronSimError

from ostinato.model.spec import Cron
from ostinato.model.time import Instant

from .zone import ScheduleInvalid, segments

_MINUTE: Final = 60_000
_HOUR: Final = 3_600_000
_DAY: Final = 86_400_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FIELDS: Final = 5
_LONGEST_JUMP: Final = _DAY
"""No clock was ever put back by more: whoever looks back so far knows of every wall time whether it shows again."""
HORIZON_MS: Final = 50 * 366 * _DAY
"""An expression that has not ticked for so long never will: even a leap day on a given weekday is back in 40 years."""
_RANGE_OF_ONE: Final = re.compile(r"\b(\w+)-\1/\d+\b")
"""``10-10/2`` is 10; cronsim takes it for ``10/2``, which is every second one from 10 on."""
_FIRST_LOOK_BACK: Final = 2 * _HOUR


class _Expression:
    """A parsed cron expression: the days it matches, and the milliseconds of such a day at which it ticks."""

    __slots__ = ("_days", "named_time", "times")

    def __init__(self, text: str) -> None:
        fields = text.split()
        if len(fields) != _FIELDS:
            raise ScheduleInvalid(f'cron "{text}" has {len(fields)} fields, not minute hour day month weekday')
        any_day = datetime(2000, 1, 1)  # noqa: DTZ001 - cronsim is to match dates here, not to walk through time
        try:
            self._days = CronSim(_RANGE_OF_ONE.sub(r"\1", text), any_day)
        except CronSimError as error:
            raise ScheduleInvalid(f'cron "{text}" is not valid: {error}') from error
        hours, minutes = sorted(self._days.hours), sorted(self._days.minutes)
        self.times = tuple(hour * _HOUR + minute * _MINUTE for hour in hours for minute in minutes)
        self.named_time = not fields[0].startswith("*") and not fields[1].startswith("*")

    def wall_ticks(self, first: int, last: int) -> Iterator[int]:
        """The wall times in ``[first, last)`` that match, in milliseconds since the wall clock showed 1970."""
        for day in range(first // _DAY, -(-last // _DAY)):
            if self._matches(date.fromordinal(_EPOCH_DAY + day)):
                midnight = day * _DAY
                begin, end = bisect_left(self.times, first - midnight), bisect_left(self.times, last - midnight)
                for time in self.times[begin:end]:
                    yield midnight + time

    def _matches(self, day: date) -> bool:
        return day.month in self._days.months and self._days.match_day(day)


@lru_cache(maxsize=4_096)
def _expression(text: str) -> _Expression:
    return _Expression(text)


def ticks(cron: Cron, first: Instant, last: Instant) -> Iterator[Instant]:
    """The ticks in ``[first, last)``, ascending, each once, made as they are asked for.

    Raises ScheduleInvalid for an expression or a time zone that is none.
    """
    expression = _expression(cron.expression)
    if expression.named_time:
        return _once_for_each_wall_time(expression, cron.tz, first, last)
    return _at_each_real_minute(expression, cron.tz, first, last)


def _at_each_real_minute(expression: _Expression, tz: str, first: Instant, last: Instant) -> Iterator[Instant]:
    for segment in segments(tz, first, last):
        start, end = max(segment.start, first), min(segment.end, last)
        for wall in expression.wall_ticks(start + segment.offset, end + segment.offset):
            yield wall - segment.offset


def _once_for_each_wall_time(expression: _Expression, tz: str, first: Instant, last: Instant) -> Iterator[Instant]:
    """``shown`` is the wall time up to which the clock has shown everything once; it never goes back."""
    shown: int | None = None
    latest: Instant | None = None
    for segment in segments(tz, first - _LONGEST_JUMP, last):
        if shown is None:
            shown = max(segment.start, first - _LONGEST_JUMP) + segment.offset
        end = segment.end + segment.offset
        for wall in expression.wall_ticks(shown, end):
            tick = max(wall - segment.offset, segment.start)
            if tick >= last:
                return
            if tick >= first and tick != latest:
                latest = tick
                yield tick
        shown = max(shown, end)


def next_tick(cron: Cron, after: Instant) -> Instant:
    """The first tick later than ``after``. Raises ScheduleInvalid if there is none for 50 years."""
    for tick in ticks(cron, after + 1, after + HORIZON_MS):
        return tick
    raise _never(cron)


def latest_tick(cron: Cron, at: Instant) -> Instant:
    """The last tick that is not later than ``at``. Raises ScheduleInvalid if there was none for 50 years."""
    end, length = at + 1, _FIRST_LOOK_BACK
    while at - end < HORIZON_MS:
        found = list(ticks(cron, end - length, end))
        if found:
            return found[-1]
        end, length = end - length, length * 8
    raise _never(cron)


def _never(cron: Cron) -> ScheduleInvalid:
    return ScheduleInvalid(f'cron "{cron.expression}" does not tick within 50 years')
