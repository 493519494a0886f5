"""The laws of intervals and of the calendar: time is tiled, and every interval is dealt with exactly once."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis.strategies import composite, data, integers, just, lists, none, one_of, sampled_from

from ostinato.decide import timetable
from ostinato.decide.timetable import (
    ON_TIME_MS,
    first_interval_after,
    interval_at,
    interval_starting,
    intervals_between,
    latest_complete,
)
from ostinato.decide.zone import ScheduleInvalid
from ostinato.model.spec import Calendar, Cron, DagSpec, Dst, Every, Schedule, TaskSpec
from ostinato.model.time import DataInterval, Instant, instant, stamp

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NO_LIMIT = 1_000_000
DAILY = Cron("0 6 * * *", "America/New_York")


def due(schedule, catchup, since, now, start, end, limit):
    """Of a dag with such a schedule."""
    spec = DagSpec("d", (TaskSpec("t"),), schedule, catchup, start, end)
    return timetable.due(spec, since, now, limit)


schedules = one_of(
    sampled_from(
        [
            DAILY,
            Cron("30 2 * * *", "Europe/Berlin"),
            Cron("15 */6 * * *", "Australia/Lord_Howe"),
            Cron("0 0 * * 1-5", "America/Sao_Paulo"),
            Cron("0,20,40 1-3 * * *", "Europe/Berlin"),
        ]
    ),
    sampled_from([1_800, 3_600, 86_400, 100_000]).map(Every),
    sampled_from(
        [
            Every(86_400, 7_200),
            Cron("0 6 * * *", "Europe/Berlin", also=("30 2 * * 7", "0 6 1 * *"), dst=Dst("skip", "second")),
            Calendar(Cron("0 0 * * *", "America/New_York"), dates=(date(2025, 12, 25),), weekdays=(6, 7)),
        ]
    ),
)
instants = integers(instant(datetime(2013, 1, 1, tzinfo=UTC)), instant(datetime(2030, 1, 1, tzinfo=UTC)))
lengths = integers(0, 20 * DAY)


@given(one_of(schedules, none()), instants)
def test_each_instant_lies_in_exactly_one_interval(schedule, at):
    interval = interval_at(schedule, at)
    assert interval.start <= at < interval.end
    assert interval_at(schedule, interval.start) == interval == interval_at(schedule, interval.end - 1)


@given(one_of(schedules, none()), instants)
def test_neighbouring_intervals_touch(schedule, at):
    interval = interval_at(schedule, at)
    assert interval_at(schedule, interval.end).start == interval.end
    assert interval_at(schedule, interval.start - 1).end == interval.start


@given(schedules, instants)
def test_the_first_interval_after_an_instant_is_the_first_that_ends_later(schedule, after):
    interval = first_interval_after(schedule, after)
    assert interval.end > after
    assert interval_at(schedule, interval.start - 1).end <= after


@given(one_of(schedules, none()), instants)
def test_the_latest_complete_interval_has_ended_and_the_next_has_not(schedule, now):
    complete = latest_complete(schedule, now)
    assert complete.end <= now < interval_at(schedule, complete.end).end


@given(one_of(schedules, none()), instants, lengths)
def test_intervals_between_are_all_those_that_start_there(schedule, first, length):
    last = first + length
    row = list(intervals_between(schedule, first, last))
    assert all(first <= interval.start <= last for interval in row)
    assert all(one.end == other.start for one, other in pairwise(row))
    before, after = interval_at(schedule, first - 1), interval_at(schedule, last)
    assert row[:1] == ([interval_at(schedule, before.end)] if before.end <= last else [])
    assert row[-1:] == ([after] if after.start >= first else [])


@given(one_of(schedules, none()), instants)
def test_a_logical_date_names_the_interval_that_starts_there_and_nothing_else(schedule, at):
    interval = interval_at(schedule, at)
    assert interval_starting(schedule, interval.start) == interval
    assert interval_starting(schedule, interval.start + 1) is None


def test_a_run_at_six_is_for_the_day_before():
    six = instant(datetime(2013, 5, 2, 10, tzinfo=UTC))
    interval = latest_complete(DAILY, six)
    assert (stamp(interval.start), stamp(interval.end)) == ("2013-05-01T10:00:00Z", "2013-05-02T10:00:00Z")
    assert latest_complete(DAILY, six - 1).end == six - DAY


def test_without_a_schedule_intervals_are_the_days_of_utc():
    interval = interval_at(None, instant(datetime(2013, 5, 1, 17, tzinfo=UTC)))
    assert (stamp(interval.start), stamp(interval.end)) == ("2013-05-01T00:00:00Z", "2013-05-02T00:00:00Z")


def test_the_days_of_the_clock_changes_are_23_and_25_hours_long():
    berlin = Cron("0 0 * * *", "Europe/Berlin")
    spring, autumn = (instant(datetime(2025, *day, 12, tzinfo=UTC)) for day in ((3, 30), (10, 26)))
    for at, hours in ((spring, 23), (autumn, 25)):
        interval = interval_at(berlin, at)
        assert interval.end - interval.start == hours * HOUR


def test_a_fixed_interval_is_counted_from_the_epoch_before_it_too():
    assert interval_at(Every(3_600), -1) == DataInterval(-HOUR, 0)
    assert [i.start for i in intervals_between(Every(3_600), -HOUR - 1, 1)] == [-HOUR, 0]


def test_a_schedule_that_never_ticks_has_no_intervals_and_nothing_to_wait_for():
    never = Cron("0 0 */31 2 MON#5", "UTC")
    assert list(intervals_between(never, 0, DAY)) == []
    with pytest.raises(ScheduleInvalid):
        first_interval_after(never, 0)


@composite
def situations(draw) -> tuple[Schedule, Instant, Instant, Instant | None, Instant | None]:
    schedule, since = draw(schedules), draw(instants)
    now = since + draw(lengths)
    start = draw(one_of(none(), just(since), integers(since - 9 * DAY, now + 9 * DAY)))
    end = draw(one_of(none(), just(now), integers(since - 9 * DAY, now + 9 * DAY)))
    return schedule, since, now, start, end


def expected(schedule, since, now, start, end) -> list[DataInterval]:
    """By looking at every interval there is: those that ended in (since, now] and start within the bounds."""
    low, high = since - 40 * DAY if start is None else start, now if end is None else end
    return [i for i in intervals_between(schedule, low, high) if since < i.end <= now]


@given(situations())
def test_catchup_all_takes_every_interval_that_ended_since(situation):
    schedule, since, now, start, end = situation
    intervals, until = due(schedule, "all", since, now, start, end, NO_LIMIT)
    assert intervals == expected(schedule, since, now, start, end)
    assert until == now


@given(situations())
def test_catchup_none_takes_those_that_ended_just_now(situation):
    schedule, since, now, start, end = situation
    intervals, until = due(schedule, "none", since, now, start, end, NO_LIMIT)
    assert intervals == [i for i in expected(schedule, since, now, start, end) if now - i.end <= ON_TIME_MS]
    assert until == now


@given(situations())
def test_catchup_last_takes_at_least_the_newest(situation):
    schedule, since, now, start, end = situation
    intervals, until = due(schedule, "last", since, now, start, end, NO_LIMIT)
    every = expected(schedule, since, now, start, end)
    assert intervals == ([i for i in every if now - i.end <= ON_TIME_MS] or every[-1:])
    assert until == now


@given(schedules, sampled_from(["all", "last", "none"]), instants, integers(0, ON_TIME_MS))
def test_a_scheduler_that_is_there_at_the_tick_makes_the_run_whatever_the_policy(schedule, catchup, at, delay):
    interval = first_interval_after(schedule, at)
    intervals, _ = due(schedule, catchup, at, interval.end + delay, None, None, NO_LIMIT)
    assert intervals[:1] == [interval]


@pytest.mark.parametrize(("late", "taken"), [(0, 1), (ON_TIME_MS, 1), (ON_TIME_MS + 1, 0)])
def test_an_interval_is_on_time_for_a_minute_and_not_longer(late, taken):
    end = instant(datetime(2013, 5, 2, 10, tzinfo=UTC))
    assert len(due(DAILY, "none", end - DAY, end + late, None, None, NO_LIMIT)[0]) == taken


@given(data(), schedules, instants, lists(lengths, min_size=1, max_size=8))
def test_however_often_it_is_looked_at_each_interval_is_taken_once(data, schedule, since, steps):
    now, cursor, taken = since, since, []
    for step in steps:
        now += step // 4
        intervals, until = due(schedule, "all", cursor, now, None, None, data.draw(integers(1, 50)))
        assert until >= cursor
        taken += intervals
        cursor = until
    rest, _ = due(schedule, "all", cursor, now, None, None, NO_LIMIT)
    assert taken + rest == expected(schedule, since, now, None, None)


@given(situations(), sampled_from(["all", "last", "none"]), integers(1, DAY))
def test_a_clock_that_goes_back_takes_nothing_twice(situation, catchup, back):
    schedule, since, now, start, end = situation
    _, until = due(schedule, catchup, since, now, start, end, NO_LIMIT)
    assert due(schedule, catchup, until, now - back, start, end, NO_LIMIT) == ([], until)


def test_after_years_of_downtime_the_policies_that_skip_look_at_few_ticks():
    minutely, since, now = Cron("* * * * *", "Europe/Berlin"), 0, instant(datetime(2025, 1, 1, tzinfo=UTC))
    assert len(due(minutely, "none", since, now + 1, None, None, NO_LIMIT)[0]) == 1
    assert due(minutely, "last", since, now + 1, None, 10 * DAY, NO_LIMIT)[0] == [interval_at(minutely, 10 * DAY)]
    assert len(due(minutely, "all", since, now, None, None, 7)[0]) == 7


def test_an_end_is_the_last_logical_date_itself_included():
    start, end = (instant(datetime(2013, 1, day, 11, tzinfo=UTC)) for day in (1, 3))
    intervals, _ = due(DAILY, "all", start - DAY, end + 9 * DAY, start, end, NO_LIMIT)
    assert [stamp(interval.start) for interval in intervals] == [
        "2013-01-01T11:00:00Z",
        "2013-01-02T11:00:00Z",
        "2013-01-03T11:00:00Z",
    ]
