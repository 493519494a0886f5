"""Dates and times as people write and read them: moments in the local zone, logical dates in the schedule's own."""

import re
from datetime import UTC, date, datetime, time, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from ostinato.model import spec
from ostinato.model.errors import UsageError
from ostinato.model.spec import Foreseen, Schedule
from ostinato.model.time import DataInterval, Instant, instant, moment

_SECOND: Final = 1_000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_YEARS: Final = range(1900, 2200)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def zone_of(schedule: Schedule | None) -> tzinfo:
    """The zone that a dag's dates are told in: its schedule's, else UTC."""
    name = spec.zone_of(schedule)
    return UTC if name == "UTC" else ZoneInfo(name)


def logical_date(interval: DataInterval, schedule: Schedule | None) -> str:
    """What a run is for: the day its data interval starts, in the schedule's zone; with the time where a day holds many.

    Written as it can be given back: ``2013-05-01``, ``2013-05-01T06:00``, and ``2013-10-27T02:30+0100`` where the clock
    shows that time twice and this is the second time.
    """
    start = moment(interval.start).astimezone(zone_of(schedule))
    # a day in which the clock is put forward has 23 hours
    if interval.end - interval.start >= _DAY * 0.9 and _begins_its_day(interval, schedule):
        return start.date().isoformat()
    return f"{start:%Y-%m-%dT%H:%M}{f':{start:%S}' * (start.second > 0)}{f'{start:%z}' * start.fold}"


def _begins_its_day(interval: DataInterval, schedule: Schedule | None) -> bool:
    """Whether no other interval of the schedule starts earlier on that day."""
    from ostinato.decide.timetable import intervals_between  # noqa: PLC0415 - loads timetables

    if not isinstance(schedule, Foreseen):
        return schedule is None  # the days of UTC; of a continuous one nobody knows
    zone = zone_of(schedule)
    midnight, _ = day_bounds(moment(interval.start).astimezone(zone).date(), zone)
    first = next(intervals_between(schedule, midnight, interval.start), None)
    return first is None or first.start == interval.start


def day_of(at: Instant, schedule: Schedule | None) -> str:
    """The day of an instant in the schedule's zone."""
    return moment(at).astimezone(zone_of(schedule)).date().isoformat()


def parse_date(text: str, option: str) -> date:
    """A day written ``2013-05-01``. ``option`` names where it was written, for the error (UsageError)."""
    if not _DATE.fullmatch(text):
        raise UsageError(f'{option}: "{text}" is not a date', help="Write it as 2013-05-01.")
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f'{option}: "{text}" is no day of the calendar: {error}') from error
    return _sensible(day, option)


def _sensible(day: date, option: str) -> date:
    """The day, if it lies where time zones and schedules are known. Raises UsageError."""
    if day.year not in _YEARS:
        raise UsageError(f"{option}: {day} is too far away", help=f"Years from {_YEARS[0]} to {_YEARS[-1]} are known.")
    return day


def parse_moment(text: str, zone: tzinfo, option: str) -> datetime:
    """A day, or a day with a time as in ``2013-05-01T06:00``; in ``zone`` unless it names one. UsageError if neither."""
    if "T" not in text and " " not in text:
        return datetime.combine(parse_date(text, option), time.min, zone)
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        advice = "Write it as 2013-05-01 or 2013-05-01T06:00."
        raise UsageError(f'{option}: "{text}" is not a date or time', help=advice) from error
    _sensible(parsed.date(), option)
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=zone)


def day_bounds(day: date, zone: tzinfo) -> tuple[Instant, Instant]:
    """The first instant of a day in a zone, and the first after it."""
    following = date.fromordinal(day.toordinal() + 1)
    return instant(datetime.combine(day, time.min, zone)), instant(datetime.combine(following, time.min, zone))


def local(at: datetime | None) -> str:
    """A moment in the local zone, to the second; a dash where there is none."""
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}" if at is not None else "-"


def local_zone(at: datetime) -> str:
    """What the local zone is called at a moment."""
    return at.astimezone().tzname() or "local"


def duration(ms: float | None) -> str:
    """A length of time with the two units that matter; a dash where there is none."""
    if ms is None:
        return "-"
    if ms < _SECOND:
        return f"{ms:.0f} ms"
    if ms < _MINUTE:
        return f"{ms / _SECOND:.1f} s"
    if ms < _HOUR:
        return f"{ms // _MINUTE:.0f} min {ms % _MINUTE // _SECOND:02.0f} s"
    if ms < 2 * _DAY:
        return f"{ms // _HOUR:.0f} h {ms % _HOUR // _MINUTE:02.0f} min"
    return f"{ms // _DAY:.0f} d {ms % _DAY // _HOUR:.0f} h"


def elapsed_ms(start: datetime, end: datetime) -> int:
    """The milliseconds from one moment to another."""
    return instant(end) - instant(start)
