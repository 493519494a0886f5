"""A time zone as a row of segments: stretches of time in which the local clock runs at one distance from UTC.

Within a segment, wall time and instants differ by a constant, so that calendar arithmetic is exact there. Where two
segments meet, the wall clock jumps forward (a gap: those readings never show) or back (a fold: they show twice).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct

from ostinato.model.errors import OstinatoError
from ostinato.model.time import Instant, instant, moment

_EARLIEST: Final = instant(datetime(2, 1, 1, tzinfo=UTC))
_LATEST: Final = instant(datetime(9998, 12, 31, tzinfo=UTC))
_SECOND: Final = 1_000
_PROBE: Final = 86_400_000
"""No zone has ever changed its offset and changed it back within a day: probing daily finds every change."""


class ScheduleInvalid(OstinatoError):
    """A schedule cannot be followed: its expression or time zone means nothing here, or it never ticks."""

    code = "OST-203"
    exit_code = 3
    help = "Correct the schedule in the dag's file; `ostinato check` finds this before it is deployed."


class Segment(Struct, frozen=True):
    """While ``start <= instant < end``, a wall clock shows ``instant + offset`` (all in milliseconds)."""

    start: Instant
    end: Instant
    offset: int


def segments(tz: str, first: Instant, last: Instant) -> Iterator[Segment]:
    """The segments of a zone that meet ``[first, last)``, in order, made as they are asked for.

    Long ones come in pieces, a year at a time. Before the year 2 and after 9998, where the calendar of the standard
    library ends, there are none. Raises ScheduleInvalid for an unknown zone.
    """
    zone = _zone(tz)
    first, last = (min(max(at, _EARLIEST), _LATEST) for at in (first, last))
    for year in range(moment(first).year, moment(last).year + 1):
        for segment in _of_year(zone, year):
            if max(segment.start, first) < min(segment.end, last):
                yield segment


def local(tz: str, at: Instant) -> datetime:
    """What the wall clock of a zone shows at an instant. Raises ScheduleInvalid for an unknown zone."""
    return moment(at).astimezone(_zone(tz))


def wall(tz: str, at: Instant) -> str:
    """An instant as a wall clock there shows it, with its distance from UTC. Raises ScheduleInvalid for an unknown zone."""
    shown = local(tz, at).isoformat(timespec="milliseconds")
    return shown.replace(".000", "", 1).replace("+00:00", "Z")


@lru_cache(maxsize=256)
def _zone(tz: str) -> tzinfo:
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ScheduleInvalid(f'there is no time zone "{tz}"', help="Use a name like Europe/Berlin.") from error


@lru_cache(maxsize=4_096)
def _of_year(zone: tzinfo, year: int) -> tuple[Segment, ...]:
    """The segments of a zone, cut to a year of UTC."""
    start, end = instant(datetime(year, 1, 1, tzinfo=UTC)), instant(datetime(year + 1, 1, 1, tzinfo=UTC))
    found: list[Segment] = []
    begun, offset = start, _offset(zone, start)
    for probe in range(start + _PROBE, end + 1, _PROBE):
        if _offset(zone, probe) != offset:
            change = _change_between(zone, probe - _PROBE, probe)
            found.append(Segment(begun, change, offset))
            begun, offset = change, _offset(zone, change)
    return (*found, Segment(begun, end, offset))


def _change_between(zone: tzinfo, before: Instant, after: Instant) -> Instant:
    """The instant at which the offset changes: whole seconds, halved until found."""
    old = _offset(zone, before)
    while after - before > _SECOND:
        middle = before + (after - before) // (2 * _SECOND) * _SECOND
        if _offset(zone, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(zone: tzinfo, at: Instant) -> int:
    shown = moment(at).astimezone(zone).replace(tzinfo=UTC)
    return instant(shown) - at
