"""Schedules that no clock alone gives: days that are left out, moments from a list, and a run after the other."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import pairwise
from typing import Final, Literal, TypeGuard, get_args
from zoneinfo import ZoneInfo

from ostinato.model.spec import Calendar, Continuous, Cron, Moments
from ostinato.model.time import instant

from .check import report, shown
from .durations import Duration, seconds
from .mistakes import Mistake
from .schedule import known_zone

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
"""A day of the week."""

_WEEKDAYS: Final = {name: number for number, name in enumerate(get_args(Weekday), 1)}
_MOST: Final = 10_000
"""A list of moments or holidays is part of the dag; a longer one is a table, and its dag is triggered."""
_FEWEST_MOMENTS: Final = 2


def calendar(base: Cron, *, dates: Iterable[date] = (), weekdays: Iterable[Weekday] = ()) -> Calendar:
    """The ticks of a cron schedule but for those on some dates and days of the week, in its time zone.

    The time before a tick that is left out is not lost: it belongs to the interval of the next one that stays.
    ``calendar(cron("0 6 * * *", tz="Europe/Berlin"), dates=HOLIDAYS, weekdays=["saturday", "sunday"])`` runs on Monday
    for Friday to Monday.
    """
    if not isinstance(base, Cron):  # pyright: ignore[reportUnnecessaryIsInstance]
        report(Mistake.BAD_CALENDAR, f"{shown(base)} is not a cron schedule", "write calendar(cron(...), dates=[...])")
        base = Cron("0 0 * * *", "UTC")
    return Calendar(base, _days(dates), _weekdays(weekdays))


def moments(at: Iterable[datetime], *, tz: str = "UTC") -> Moments:
    """A tick at each of some moments but the first, which only begins the first interval: from it to the second.

    Moments without a time zone are in ``tz``. They ascend, and differ by whole seconds.
    """
    zone = ZoneInfo(tz) if known_zone(tz) else ZoneInfo("UTC")
    found = _listed("moments", at)
    odd = [each for each in found if not _is_moment(each)]
    instants = [instant(each if each.tzinfo else each.replace(tzinfo=zone)) for each in found if _is_moment(each)]
    if odd:
        fault = f"{shown(odd[0])} is not a datetime in whole seconds"
    elif len(instants) < _FEWEST_MOMENTS:
        fault = "there are fewer than two moments, so there is no interval between them"
    elif any(after <= before for before, after in pairwise(instants)):
        fault = "the moments do not ascend"
    else:
        return Moments(tuple(instants), zone.key)
    report(
        Mistake.BAD_MOMENTS, fault, "write moments([datetime(2025, 1, 1), datetime(2025, 4, 1)], tz='Europe/Berlin')"
    )
    return Moments((0, 86_400_000), zone.key)


def continuous(*, at_least: Duration = "1m") -> Continuous:
    """A run as soon as the previous one is over, for the time since the end of the previous one's interval.

    It waits until that interval is ``at_least`` so long (whole seconds, at least one).
    """
    length = seconds("at_least", at_least, least=1.0, otherwise=60.0)
    if length != int(length):
        report(Mistake.BAD_DURATION, f"at_least={shown(at_least)} is not a whole number of seconds")
    return Continuous(int(length))


def _is_moment(given: object) -> TypeGuard[datetime]:
    return isinstance(given, datetime) and not given.microsecond


def _days(dates: Iterable[date]) -> tuple[date, ...]:
    found = _listed("dates", dates)
    odd = [day for day in found if not isinstance(day, date) or isinstance(day, datetime)]
    if odd:
        report(Mistake.BAD_CALENDAR, f"{shown(odd[0])} is not a date", "write date(2025, 12, 25)", near=str(odd[0]))
    return tuple(sorted({day for day in found if isinstance(day, date) and not isinstance(day, datetime)}))


def _weekdays(names: Iterable[Weekday]) -> tuple[int, ...]:
    found = _listed("weekdays", names)
    odd = [name for name in found if not isinstance(name, str) or name not in _WEEKDAYS]
    numbers = {_WEEKDAYS[name] for name in found if isinstance(name, str) and name in _WEEKDAYS}
    if odd:
        help = f"write {', '.join(map(repr, _WEEKDAYS))}"
        report(Mistake.BAD_CALENDAR, f"{shown(odd[0])} is not a day of the week", help, near=str(odd[0]))
    if len(numbers) == len(_WEEKDAYS):
        report(Mistake.BAD_CALENDAR, "all days of the week are left out", "leave some of them in")
        return ()
    return tuple(sorted(numbers))


def _listed(option: str, given: Iterable[object]) -> list[object]:
    """What was given as a list. What is no list, or too long a one, is reported."""
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance]
        report(Mistake.BAD_CALENDAR, f"{option}={shown(given)} is not a list", near=str(given))
        return []
    found = list(given)
    if len(found) > _MOST:
        report(Mistake.BAD_CALENDAR, f"{option} has {len(found):,} entries", f"at most {_MOST:,} are taken")
    return found[:_MOST]
