"""Dates as people write them."""

from contextlib import suppress
from datetime import date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ostinato.cli.order import interval_for
from ostinato.decide.timetable import interval_at
from ostinato.model.errors import UsageError
from ostinato.model.spec import Calendar, Continuous, Cron, Dst, Every, Moments, Ticking
from ostinato.model.time import DataInterval, instant
from ostinato.view.when import day_bounds, duration, logical_date, parse_date, parse_moment, zone_of

ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo"]
DAILY = st.builds(Cron, st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(3, 23)), st.sampled_from(ZONES))
DATES = st.dates(date(1990, 1, 1), date(2040, 1, 1))
NOW = instant(datetime.fromisoformat("2030-01-01T00:00:00Z"))


@given(DAILY, DATES)
def test_a_daily_schedule_has_the_interval_of_every_date(schedule: Cron, day: date) -> None:
    interval = interval_for(schedule, day.isoformat(), NOW)
    assert logical_date(interval, schedule) == day.isoformat()


@given(st.sampled_from([Every(3_600), Every(900), Cron("*/30 * * * *", "Asia/Kolkata")]), DATES, st.integers(0, 23))
def test_a_logical_date_that_is_shown_can_be_given_back(schedule: Every | Cron, day: date, hour: int) -> None:
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=zone_of(schedule))
    interval = interval_for(schedule, moment.strftime("%Y-%m-%dT%H:%M"), NOW)
    assert interval_for(schedule, logical_date(interval, schedule), NOW) == interval


IRREGULAR = [
    Cron("0 6,18 * * 5", "Europe/Berlin"),
    Cron("30 2 * * *", "Europe/Berlin", dst=Dst("after", "both")),
    Cron("45 1 * * *", "Australia/Lord_Howe", ("0 9 * * 6",), Dst("skip", "both")),
    Cron("*/20 1-3 * * *", "America/New_York"),
    Calendar(Cron("0 6,18 * * *", "America/New_York"), dates=(date(2025, 12, 25),), weekdays=(6, 7)),
    Every(79_200),
    Every(45, 20),
    Moments(tuple(NOW - hours * 3_600_000 - hours % 7 * 1_000 for hours in range(5_000, 0, -13)), "Asia/Kolkata"),
]


@given(st.sampled_from(IRREGULAR), st.integers(NOW - 180 * 86_400_000, NOW - 86_400_000))
@example(IRREGULAR[1], instant(datetime.fromisoformat("2025-10-26T01:30:00Z")))
@example(IRREGULAR[2], instant(datetime.fromisoformat("2025-04-05T15:15:00Z")))
def test_whatever_the_schedule_a_logical_date_names_one_interval(schedule: Ticking, at: int) -> None:
    interval = interval_at(schedule, at)
    assert interval_for(schedule, logical_date(interval, schedule), NOW) == interval


def test_a_run_of_a_continuous_schedule_is_for_the_time_since_a_moment() -> None:
    assert logical_date(DataInterval(NOW, NOW + 90_000_000), Continuous(60)) == "2030-01-01T00:00"


@given(DATES, st.sampled_from(ZONES))
def test_a_day_holds_every_moment_of_its_date_and_no_other(day: date, zone: str) -> None:
    tz = zone_of(Cron("0 0 * * *", zone))
    first, after = day_bounds(day, tz)
    assert 22 * 3_600_000 <= after - first <= 26 * 3_600_000
    for at in (first, after - 1):
        assert (datetime.fromtimestamp(at / 1_000, tz)).date() == day


def test_without_a_schedule_a_run_is_for_a_day_of_utc() -> None:
    interval = interval_for(None, "2025-05-01", NOW)
    assert (interval.end - interval.start, logical_date(interval, None)) == (86_400_000, "2025-05-01")


def test_without_a_date_a_run_is_for_the_last_interval_that_is_over() -> None:
    schedule = Cron("0 6 * * *", "UTC")
    interval = interval_for(schedule, None, NOW)
    assert interval.end <= NOW < interval.end + 86_400_000


def test_a_date_on_which_nothing_starts_names_those_around_it() -> None:
    with pytest.raises(UsageError) as caught:
        interval_for(Cron("0 6 * * 1", "UTC"), "2025-05-01", NOW)
    assert "2025-04-28" in caught.value.help
    assert "2025-05-05" in caught.value.help


@given(st.text(max_size=12))
def test_text_is_a_date_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert parse_date(text, "--date").isoformat() == text


@given(st.text(max_size=20) | st.datetimes().map(datetime.isoformat))
def test_text_is_a_moment_or_a_usage_error(text: str) -> None:
    with suppress(UsageError):
        assert parse_moment(text, zone_of(None), "--date").tzinfo is not None


@pytest.mark.parametrize(
    "text", ["", "2025-5-1", "01.05.2025", "2025-02-29", "0001-01-01", "9999-12-31", "\u0662025-01-01"]
)
def test_what_is_no_date_is_said_to_be_none_with_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--date: "):
        parse_date(text, "--date")


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (None, "-"),
        (0, "0 ms"),
        (999, "999 ms"),
        (1_250, "1.2 s"),
        (59_900, "59.9 s"),
        (61_000, "1 min 01 s"),
        (3_600_000, "1 h 00 min"),
        (100 * 3_600_000, "4 d 4 h"),
    ],
)
def test_durations_are_told_in_the_units_that_matter(ms: int | None, told: str) -> None:
    assert duration(ms) == told


@given(st.integers(0, 10**12))
def test_every_duration_is_short(ms: int) -> None:
    assert 0 < len(duration(ms)) <= 16


def test_days_in_which_the_clock_changes_are_days() -> None:
    schedule = Cron("0 0 * * *", "Europe/Berlin")
    spring, autumn = (interval_for(schedule, day, NOW) for day in ("2025-03-30", "2025-10-26"))
    lengths = [timedelta(milliseconds=each.end - each.start) for each in (spring, autumn)]
    assert lengths == [timedelta(hours=23), timedelta(hours=25)]
    assert [logical_date(each, schedule) for each in (spring, autumn)] == ["2025-03-30", "2025-10-26"]
