"""Instants are whole milliseconds, whatever zone they were said in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ostinato.model.record import run_key
from ostinato.model.time import DataInterval, instant, moment, stamp

instants = some.integers(-62_135_596_800_000, 253_402_300_799_999)


@given(instants)
def test_an_instant_and_its_moment_are_the_same(at: int) -> None:
    assert instant(moment(at)) == at
    assert datetime.fromisoformat(stamp(at)) == moment(at)


@given(instants, instants)
def test_stamps_of_whole_seconds_sort_as_their_instants(one: int, other: int) -> None:
    first, second = sorted((one // 1000 * 1000, other // 1000 * 1000))
    assert stamp(first) <= stamp(second)


@given(some.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), some.integers(-14, 14))
def test_the_zone_it_was_said_in_makes_no_difference(wall: datetime, hours: int) -> None:
    said = wall.replace(tzinfo=timezone(timedelta(hours=hours)))
    assert instant(said) == instant(said.astimezone(UTC))


def test_a_moment_without_a_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        instant(datetime(2013, 1, 1))


@pytest.mark.parametrize("length", [0, -1])
def test_a_data_interval_is_never_empty(length: int) -> None:
    with pytest.raises(ValueError, match="empty data interval"):
        DataInterval(5_000, 5_000 + length)


def test_the_first_run_of_an_interval_is_named_by_its_start_and_later_ones_are_numbered() -> None:
    start = instant(datetime(2013, 1, 1, 5, tzinfo=UTC))
    assert [run_key(start, nth) for nth in (1, 2, 3)] == [
        "2013-01-01T05:00:00Z",
        "2013-01-01T05:00:00Z#2",
        "2013-01-01T05:00:00Z#3",
    ]
