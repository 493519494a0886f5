"""What a cron expression matches: days, and times of such a day, on a wall clock that knows of no time zone.

What an expression means is cronsim's to say: five fields, names of months and days, ``L``, ``LW``, ``#``, and a tick
needs both day fields to match if one of them begins with ``*``, else either.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from datetime import date, datetime
from functools import lru_cache
from typing import Final

from cronsim import CronSim, CronSimError

from .zone import ScheduleInvalid

_MINUTE: Final = 60_000
_HOUR: Final = 3_600_000
_DAY: Final = 86_400_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FIELDS: Final = 5
_RANGE_OF_ONE: Final = re.compile(r"\b(\w+)-\1/\d+\b")
"""``10-10/2`` is 10; cronsim takes it for ``10/2``, which is every second one from 10 on."""


class Expression:
    """A parsed cron expression. ``named_time``: minute and hour are both named, neither begins with ``*``."""

    __slots__ = ("_days", "_times", "named_time")

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
        self._times = tuple(hour * _HOUR + minute * _MINUTE for hour in hours for minute in minutes)
        self.named_time = not fields[0].startswith("*") and not fields[1].startswith("*")

    def wall_ticks(self, first: int, last: int) -> Iterator[int]:
        """The wall times in ``[first, last)`` that match, in milliseconds since the wall clock showed 1970."""
        for day in range(first // _DAY, -(-last // _DAY)):
            if self._matches(date.fromordinal(_EPOCH_DAY + day)):
                midnight = day * _DAY
                begin, end = bisect_left(self._times, first - midnight), bisect_left(self._times, last - midnight)
                for time in self._times[begin:end]:
                    yield midnight + time

    def _matches(self, day: date) -> bool:
        return day.month in self._days.months and self._days.match_day(day)


@lru_cache(maxsize=4_096)
def parsed(text: str) -> Expression:
    """The expression that ``text`` is. Raises ScheduleInvalid if it is none."""
    return Expression(text)
