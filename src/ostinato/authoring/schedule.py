"""When a dag runs, and by when it has to be done."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from ostinato.model.spec import Cron, Deadline, Dst, Every, Schedule, zone_of
from ostinato.model.time import Instant, instant

from .check import did_you_mean, report, shown
from .durations import Duration, seconds
from .mistakes import Mistake
from .options import choice

Gap = Literal["after", "skip"]
"""What a time that the clock skips does: tick right after the gap, or not at all."""
Fold = Literal["first", "second", "both"]
"""Which times a time ticks that the clock shows twice."""

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


def cron(expression: str | Sequence[str], *, tz: str = "UTC", gap: Gap | None = None, fold: Fold | None = None) -> Cron:
    """A tick at each match of a cron expression, in a time zone. A run is for the time since the previous tick.

    ``cron("0 6 * * *", tz="Europe/Berlin")`` ticks at 06:00 local time. The fields are minute, hour, day of month,
    month, day of week. Of a list of expressions each ticks; a moment that several match is one tick.

    Where the clock is put forward, a time that it skips ticks right ``"after"`` the gap, or is left out (``gap="skip"``).
    Where it is put back, a time that it shows twice ticks the ``"first"`` time, the ``"second"``, or ``"both"``
    (``fold``). Unless one of them is given, an expression that names minute and hour is ``"after"``, ``"first"``, any other
    ``"skip"``, ``"both"``: so that daily is once a day, and hourly once an hour.
    """
    many = [expression] if isinstance(expression, str) or not isinstance(expression, Sequence) else [*expression]  # pyright: ignore[reportUnnecessaryIsInstance]
    if not many:
        report(
            Mistake.BAD_CRON,
            "there is no cron expression in the list",
            "for example cron(['0 6 * * 1-5', '0 9 * * 6'])",
        )
        many = ["0 0 * * *"]
    first, *also = [_checked(each) for each in many]
    dst = None
    if gap is not None or fold is not None:
        dst = Dst(choice("gap", gap or "after", get_args(Gap)), choice("fold", fold or "first", get_args(Fold)))
    return Cron(first, tz if known_zone(tz) else "UTC", tuple(also), dst)


def _checked(expression: str) -> str:
    """A cron expression with single blanks. A wrong one is reported, midnight stands in for it."""
    fault = _fault(expression)
    if fault:
        help = (
            f"write {_NICKNAMES[expression]!r}"
            if expression in _NICKNAMES
            else "for example '0 6 * * *': daily at 06:00"
        )
        report(Mistake.BAD_CRON, f"the cron expression {shown(expression)} is wrong: {fault}", help, near=expression)
        expression = "0 0 * * *"
    return " ".join(expression.split())


def every(interval: Duration, *, offset: Duration = 0) -> Every:
    """A tick every so often, counted from 1970-01-01T00:00Z: ``every("1h")`` ticks on the hour. Whole seconds.

    With an ``offset``, which is shorter than the interval, it is counted from so much later: ``every("1d", offset="6h")``
    ticks at 06:00 UTC.
    """
    length = seconds("every", interval, least=1.0, otherwise=3600.0)
    if length != int(length):
        report(Mistake.BAD_DURATION, f"every({shown(interval)}) is not a whole number of seconds")
    later = seconds("offset", offset)
    if later != int(later) or later >= length:
        help = "it is whole seconds, and shorter than the interval"
        report(Mistake.BAD_DURATION, f"offset={shown(offset)} does not fit", help, near="offset=")
        later = 0.0
    return Every(int(length), int(later))


def by(at: str, *, tz: str = "") -> Deadline:
    """The promise to be done by ``at``: the first such time of day, ``HH:MM``, after a data interval's end.

    The time zone is that of the dag's schedule (UTC for ``every`` and ``continuous``) unless ``tz`` names another.
    """
    if not isinstance(at, str) or not _TIME_OF_DAY.fullmatch(at):  # pyright: ignore[reportUnnecessaryIsInstance]
        report(
            Mistake.BAD_DEADLINE,
            f"{shown(at)} is not a time of day",
            "write hours and minutes: by('08:00')",
            near=str(at),
        )
        at = "00:00"
    return Deadline(at, tz if not tz or known_zone(tz) else "UTC")


def zone(schedule: Schedule | None) -> tzinfo:
    """The time zone that a schedule's dates are in."""
    name = zone_of(schedule)
    return UTC if name == "UTC" else ZoneInfo(name)


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


def known_zone(name: str) -> bool:
    """Whether a time zone is known. One that is not is reported."""
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
