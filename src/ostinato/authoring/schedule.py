"""When a dag runs, and by when it has to be done."""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from ostinato.model.spec import Cron, Deadline, Every, Schedule
from ostinato.model.time import Instant, instant

from .check import did_you_mean, report, shown
from .durations import Duration, seconds
from .mistakes import Mistake

_TIME_OF_DAY: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_FIELDS: Final = 5
_NICKNAMES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


def cron(expression: str, *, tz: str = "UTC") -> Cron:
    """A tick at each match of a cron expression, in a time zone. A run is for the time since the previous tick.

    ``cron("0 6 * * *", tz="Europe/Berlin")`` ticks at 06:00 local time. The fields are minute, hour, day of month,
    month, day of week.
    """
    fault = _fault(expression)
    if fault:
        help = (
            f"write {_NICKNAMES[expression]!r}"
            if expression in _NICKNAMES
            else "for example '0 6 * * *': daily at 06:00"
        )
        report(Mistake.BAD_CRON, f"the cron expression {shown(expression)} is wrong: {fault}", help, near=expression)
        expression = "0 0 * * *"
    return Cron(" ".join(expression.split()), tz if _known_zone(tz) else "UTC")


def every(interval: Duration) -> Every:
    """A tick every so often, counted from 1970-01-01T00:00Z: ``every("1h")`` ticks on the hour. Whole seconds."""
    length = seconds("every", interval, least=1.0, otherwise=3600.0)
    if length != int(length):
        report(Mistake.BAD_DURATION, f"every({shown(interval)}) is not a whole number of seconds")
    return Every(int(length))


def by(at: str, *, tz: str = "") -> Deadline:
    """The promise to be done by ``at``: the first such time of day, ``HH:MM``, after a data interval's end.

    The time zone is that of the dag's cron schedule (UTC for ``every``) unless ``tz`` names another.
    """
    if not isinstance(at, str) or not _TIME_OF_DAY.fullmatch(at):  # pyright: ignore[reportUnnecessaryIsInstance]
        report(
            Mistake.BAD_DEADLINE,
            f"{shown(at)} is not a time of day",
            "write hours and minutes: by('08:00')",
            near=str(at),
        )
        at = "00:00"
    return Deadline(at, tz if not tz or _known_zone(tz) else "UTC")


def zone(schedule: Schedule | None) -> tzinfo:
    """The time zone that a schedule's dates are in."""
    return ZoneInfo(schedule.tz) if isinstance(schedule, Cron) and schedule.tz != "UTC" else UTC


def first_instant(option: str, bound: date, tz: tzinfo) -> Instant | None:
    """The first instant of a date in a time zone, or the instant of a datetime. What is neither is reported."""
    at = _moment(option, bound, tz)
    return None if at is None else instant(at)


def last_instant(option: str, bound: date, tz: tzinfo) -> Instant | None:
    """The last instant of a date in a time zone, or the instant of a datetime. What is neither is reported."""
    if not isinstance(bound, datetime) and isinstance(bound, date) and bound < date.max:  # pyright: ignore[reportUnnecessaryIsInstance]
        next_day = _moment(option, bound + timedelta(days=1), tz)
        return None if next_day is None else instant(next_day) - 1
    return first_instant(option, bound, tz)


def _moment(option: str, bound: date, tz: tzinfo) -> datetime | None:
    if isinstance(bound, datetime):
        return bound if bound.tzinfo else bound.replace(tzinfo=tz)
    if isinstance(bound, date):  # pyright: ignore[reportUnnecessaryIsInstance]
        return datetime.combine(bound, time(), tz)
    report(Mistake.BAD_DATE, f"{option}={shown(bound)} is not a date", f"write {_date_meant(bound)}", near=str(bound))
    return None


def _date_meant(text: object) -> str:
    """The date that text shows, as Python writes it, else an example."""
    try:
        meant = date.fromisoformat(str(text))
    except ValueError:
        meant = date(2024, 1, 31)
    return f"date({meant.year}, {meant.month}, {meant.day})"


@lru_cache(maxsize=1024)
def _fault(expression: str) -> str:
    """What is wrong with a cron expression; empty if nothing is."""
    from cronsim import CronSim, CronSimError  # noqa: PLC0415 - needed only where schedules are checked

    if not isinstance(expression, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        return "it is not text"
    fields = expression.split()
    if len(fields) != _FIELDS:
        return f"it has {len(fields)} field{'s' * (len(fields) != 1)}, not five"
    try:
        next(CronSim(expression, datetime(2000, 1, 1)))  # noqa: DTZ001 - any moment will do, and naive is fastest
    except CronSimError as error:
        return str(error)[:1].lower() + str(error)[1:]
    except StopIteration:
        return "it never matches"
    return ""


def _known_zone(name: str) -> bool:
    if _is_zone(name):
        return True
    from zoneinfo import available_timezones  # noqa: PLC0415 - needed only when something is wrong

    names = {known.rpartition("/")[2]: known for known in sorted(available_timezones())}
    help = did_you_mean(str(name), [*available_timezones()]) or did_you_mean(str(name), names)
    report(
        Mistake.BAD_ZONE,
        f"there is no time zone {shown(name)}",
        help or "for example 'Europe/Berlin' or 'UTC'",
        near=str(name),
    )
    return False


@lru_cache(maxsize=1024)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, TypeError, OSError, AttributeError):
        return False
    return True
