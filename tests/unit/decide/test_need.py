"""What an interval needs, and which intervals a stretch of time feeds, are one relation read both ways."""

import pytest
from hypothesis import given, settings
from hypothesis.strategies import booleans, integers, lists, sampled_from

from ostinato.decide.interval_set import IntervalSet
from ostinato.decide.need import fed, window
from ostinato.decide.timetable import interval_at, intervals_between
from ostinato.model.spec import Cron, Every, Need
from ostinato.model.time import DataInterval

HOUR = 3_600_000
DAY = 24 * HOUR
HOURLY, SIX_HOURLY, DAILY = Every(3_600), Every(6 * 3_600), Every(86_400)
BERLIN = Cron("0 6 * * *", "Europe/Berlin")
WEEKLY = Cron("30 3 * * 1", "UTC")
MARCH_30 = 1_743_292_800_000
"""2025-03-30, the day on which Berlin's clocks are put forward."""


@pytest.mark.parametrize(
    ("need", "of", "asked"),
    [
        (Need("up"), HOURLY, (0, DAY)),
        (Need("up", shift=-HOUR), HOURLY, (-HOUR, DAY - HOUR)),
        (Need("up", shift=-2, by_interval=True), HOURLY, (-2 * HOUR, DAY - 2 * HOUR)),
        (Need("up", shift=1, by_interval=True), DAILY, (DAY, 2 * DAY)),
        (Need("up", size=7 * DAY), DAILY, (-6 * DAY, DAY)),
        (Need("up", shift=-1, by_interval=True, size=2), DAILY, (-2 * DAY, 0)),
        (Need("up"), None, (0, DAY)),
    ],
)
def test_the_window_of_a_day(need, of, asked):
    assert window(need, DataInterval(10 * DAY, 11 * DAY), of) == DataInterval(10 * DAY + asked[0], 10 * DAY + asked[1])


def test_a_shift_by_intervals_follows_the_clock_and_one_by_time_does_not():
    today = interval_at(BERLIN, MARCH_30 + 12 * HOUR)
    yesterday = window(Need("up", shift=-1, by_interval=True), today, BERLIN)
    assert yesterday == interval_at(BERLIN, today.start - 1)
    assert window(Need("up", shift=-DAY), today, BERLIN) != yesterday


@settings(max_examples=150)
@given(
    sampled_from([HOURLY, SIX_HOURLY, BERLIN, WEEKLY, None]),
    sampled_from([SIX_HOURLY, DAILY, BERLIN, WEEKLY, None]),
    integers(-3, 3),
    booleans(),
    sampled_from([0, 0, 1, 3]),
    lists(integers(-5, 5), max_size=4),
)
def test_an_interval_is_fed_exactly_if_its_window_meets_the_source(of, to, shift, by_interval, size, days):
    need = Need(
        "up",
        shift=shift if by_interval else shift * 5 * HOUR,
        by_interval=by_interval,
        size=size if by_interval else size * DAY,
    )
    source = [interval_at(of, MARCH_30 + day * DAY) for day in days]
    given_time = IntervalSet.of(source)
    everything = intervals_between(to, MARCH_30 - 70 * DAY, MARCH_30 + 70 * DAY)
    assert list(fed(need, source, of, to)) == [
        interval for interval in everything if given_time.meets(window(need, interval, of))
    ]
