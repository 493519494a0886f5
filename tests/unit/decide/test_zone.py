"""Segments against the zone itself, asked hour by hour."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import example, given, settings
from hypothesis.strategies import integers, sampled_from

from ostinato.decide.zone import segments
from ostinato.model.time import Instant, instant, moment

HOUR = 3_600_000
ZONES = sorted(available_timezones() - {"localtime", "Factory"})


def january(year: int) -> Instant:
    return instant(datetime(year, 1, 1, tzinfo=UTC))


@settings(max_examples=30)
@given(sampled_from(ZONES), integers(1970, 2060))
@example("Pacific/Apia", 2011)
@example("Africa/Casablanca", 2025)
@example("Pacific/Kiritimati", 1994)  # a change in the last hours of a year
@example("Asia/Manila", 1844)  # a change of a whole day
@example("America/Juneau", 1867)  # and one back
def test_segments_tile_the_year_and_tell_the_offset_of_every_hour(zone: str, year: int):
    first, last = january(year), january(year + 1)
    row = list(segments(zone, first, last))
    assert (row[0].start, row[-1].end) == (first, last)
    assert all(one.end == other.start for one, other in pairwise(row))
    assert all(one.offset != other.offset for one, other in pairwise(row))
    tz = ZoneInfo(zone)
    for segment in row:
        for at in {*range(segment.start, segment.end, HOUR), segment.end - 1}:
            assert instant(moment(at).astimezone(tz).replace(tzinfo=UTC)) == at + segment.offset


@given(sampled_from(ZONES), integers(0, 2**41), integers(1, 2**37))
def test_a_window_gets_the_segments_that_meet_it_and_no_others(zone: str, first: int, length: int):
    last = first + length
    row = list(segments(zone, first, last))
    assert row[0].start <= first < row[0].end
    assert row[-1].start < last <= row[-1].end


def test_no_clock_is_put_back_by_more_than_a_day():
    jumps = [
        one.offset - other.offset
        for zone in ("America/Juneau", "America/Sitka", "Pacific/Kwajalein", "Pacific/Apia", "Asia/Manila")
        for year in (1844, 1867, 1892, 1969, 1993, 2011)
        for row in [list(segments(zone, january(year), january(year + 1)))]
        for one, other in pairwise(row)
    ]
    assert max(jumps) == 24 * HOUR
