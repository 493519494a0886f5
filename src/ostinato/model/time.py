"""Time as the whole system keeps it: instants are whole milliseconds since the Unix epoch, UTC."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

Instant = int
"""Milliseconds since 1970-01-01T00:00:00Z. Integers order, subtract and store the same way everywhere."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def instant(moment: datetime) -> Instant:
    """The instant of a zone-aware datetime; a naive one raises ValueError, it names no moment."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone")
    return (moment - _EPOCH) // _MILLISECOND


def moment(at: Instant) -> datetime:
    """The UTC datetime of an instant."""
    return _EPOCH + at * _MILLISECOND


def stamp(at: Instant) -> str:
    """An instant as people and files read it: ``2013-05-01T06:00:00.000Z``, cut to seconds where it is whole."""
    text = moment(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return text.replace(".000Z", "Z")


class DataInterval(Struct, frozen=True, order=True):
    """The half-open slice of time ``[start, end)`` a run is for. Never empty."""

    start: Instant
    end: Instant

    def __post_init__(self) -> None:
        if self.end <= self.start:
            raise ValueError(f"empty data interval [{stamp(self.start)}, {stamp(self.end)})")
