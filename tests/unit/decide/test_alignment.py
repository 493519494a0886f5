"""Waiting for intervals of another dag: which they are, and what can never be waited for."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis.strategies import integers, sampled_from

from ostinato.decide.alignment import MOST_INTERVALS, asked, misfits
from ostinato.decide.timetable import interval_at
from ostinato.model.spec import Cron, DagSpec, Every, Need, Schedule, TaskSpec
from ostinato.model.time import DataInterval

HOUR = 3_600_000
DAY = 24 * HOUR
HOURLY = Every(3600)
BERLIN = Cron("0 0 * * *", "Europe/Berlin")
MARCH_30_2024 = 1_711_753_200_000
"""Midnight in Berlin; the next day has 23 hours."""

SCHEDULES: tuple[Schedule | None, ...] = (
    None,
    HOURLY,
    Every(300),
    Every(7 * 86_400),
    BERLIN,
    Cron("30 6 * * 1-5", "UTC"),
)


def dag(dag_id: str, schedule: Schedule | None, *needs: Need, start: int | None = None) -> DagSpec:
    return DagSpec(dag_id, (TaskSpec("t", needs=needs),), schedule=schedule, start=start)


def misfit(own: Schedule | None, need: Need, other: Schedule | None) -> list[tuple[str, str]]:
    specs = {"other": dag("other", other)}
    return list(misfits(dag("own", own, need), specs))


def test_a_day_is_made_up_of_its_hours() -> None:
    day = interval_at(BERLIN, MARCH_30_2024)
    found = asked(Need("other"), day, HOURLY)
    assert found is not None
    assert [interval.start for interval in found] == [day.start + n * HOUR for n in range(24)]


def test_the_day_on_which_the_clock_changes_has_one_hour_less() -> None:
    found = asked(Need("other"), interval_at(BERLIN, MARCH_30_2024 + DAY), HOURLY)
    assert found is not None
    assert len(found) == 23


@given(
    sampled_from(SCHEDULES), sampled_from(SCHEDULES), integers(0, 2_000_000_000_000), integers(-3, 3), integers(0, 9)
)
def test_what_is_asked_for_tiles_a_stretch_of_time_of_the_size_that_was_asked_for(
    own: Schedule | None, other: Schedule | None, at: int, hours: int, size: int
) -> None:
    interval = interval_at(own, at)
    need = Need("other", shift=hours * HOUR, size=size * HOUR)
    found = asked(need, interval, other)
    if found is None:
        return
    assert all(interval_at(other, each.start) == each for each in found)
    assert all(one.end == following.start for one, following in pairwise(found))
    end = interval.end + need.shift
    assert found[-1].end == end
    assert found[0].start == (end - need.size if size else interval.start + need.shift)


@given(sampled_from(SCHEDULES), integers(100_000_000_000, 2_000_000_000_000), integers(-5, 5), integers(0, 5))
def test_counted_in_intervals_the_own_past_always_fits(schedule: Schedule, at: int, shift: int, size: int) -> None:
    interval = interval_at(schedule, at)
    found = asked(Need(shift=shift, by_interval=True, size=size), interval, schedule)
    assert found is not None
    assert len(found) == (size or 1)
    last = interval
    for _ in range(abs(shift)):
        last = interval_at(schedule, last.end if shift > 0 else last.start - 1)
    assert found[-1] == last


@pytest.mark.parametrize("need", [Need("other"), Need("other", by_interval=True), Need("other", size=90 * 60_000)])
def test_intervals_whose_ends_do_not_meet_are_none(need: Need) -> None:
    half_past = DataInterval(30 * 60_000, 30 * 60_000 + HOUR)
    assert asked(need, half_past, HOURLY) is None


def test_there_is_a_bound_to_what_is_waited_for() -> None:
    assert len(asked(Need("other", size=MOST_INTERVALS * 1000), DataInterval(0, DAY), Every(1)) or ()) == MOST_INTERVALS
    assert asked(Need("other"), DataInterval(0, DAY), Every(1)) is None


@pytest.mark.parametrize(
    ("own", "need", "other"),
    [
        (BERLIN, Need("other"), HOURLY),
        (BERLIN, Need("other", shift=-HOUR), HOURLY),
        (BERLIN, Need("other", by_interval=True, size=7), BERLIN),
        (HOURLY, Need("other", shift=-DAY), Every(900)),
        (Cron("0 0 1 * *", "Europe/Berlin"), Need("other"), BERLIN),
        (None, Need("other"), HOURLY),
        (BERLIN, Need("other", "t"), HOURLY),
        (BERLIN, Need("unknown"), Every(7)),
        (Cron("30 6 * * *", "UTC"), Need(shift=-1, by_interval=True), None),
    ],
)
def test_what_always_fits_is_no_mistake(own: Schedule | None, need: Need, other: Schedule | None) -> None:
    assert misfit(own, need, other) == []


@pytest.mark.parametrize(
    ("own", "need", "other"),
    [
        (HOURLY, Need("other"), BERLIN),
        (BERLIN, Need("other"), Every(86_400)),
        (Cron("30 6 * * *", "UTC"), Need("other"), HOURLY),
        (Cron("0 0 * * *", "Asia/Kolkata"), Need("other"), HOURLY),
        (HOURLY, Need("other", shift=-60_000), HOURLY),
        (BERLIN, Need("other", size=7 * DAY), BERLIN),
        (BERLIN, Need("other"), Every(2 * 3600)),
        (None, Need("other"), Every(1)),
    ],
)
def test_what_does_not_fit_somewhere_in_the_year_is_a_mistake(
    own: Schedule | None, need: Need, other: Schedule | None
) -> None:
    ((task_id, reason),) = misfit(own, need, other)
    assert task_id == "t"
    assert reason.startswith("what it asks of 'other' is not made up of intervals of that dag")


def test_a_task_that_the_other_dag_does_not_have_is_a_mistake() -> None:
    assert misfit(HOURLY, Need("other", "x"), HOURLY) == [("t", "the dag 'other' has no task 'x'")]


def test_a_dag_is_looked_at_from_its_start() -> None:
    since_1980 = dag("own", Cron("0 0 * * *", "Europe/Berlin"), Need("other"), start=10 * 365 * DAY)
    ((_, reason),) = misfits(since_1980, {"other": dag("other", Every(86_400))})
    assert "1979-12-2" in reason
