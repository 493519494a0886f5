"""What a run needs of another dag is made up of its intervals, or it is a mistake of the definition."""

from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis.strategies import integers, sampled_from

from ostinato.decide.alignment import Misfit, misfits
from ostinato.decide.need import window
from ostinato.decide.timetable import interval_at, intervals_between
from ostinato.model.spec import Cron, DagSpec, Every, Need, Schedule, TaskSpec

HOUR = 3_600_000
DAY = 24 * HOUR
HOURLY = Every(3600)
BERLIN = Cron("0 0 * * *", "Europe/Berlin")
MARCH_30_2024 = 1_711_753_200_000
"""Midnight in Berlin."""

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


def misfit(own: Schedule | None, need: Need, other: Schedule | None) -> list[Misfit]:
    specs = {"other": dag("other", other)}
    return list(misfits(dag("own", own, need), specs))


@given(sampled_from(SCHEDULES), sampled_from(SCHEDULES), integers(-3, 3), integers(0, 9), integers(0, 800))
def test_what_is_no_mistake_is_made_up_of_whole_intervals_on_every_day(
    own: Schedule | None, other: Schedule | None, hours: int, size: int, day: int
) -> None:
    need = Need("other", shift=hours * HOUR, size=size * HOUR)
    if misfit(own, need, other):
        return
    asked = window(need, interval_at(own, MARCH_30_2024 + day * DAY), other)
    found = [each for each in intervals_between(other, asked.start - 8 * DAY, asked.end) if each.start < asked.end]
    found = [each for each in found if each.end > asked.start]
    assert (found[0].start, found[-1].end) == (asked.start, asked.end)


class Asked(dict[str, DagSpec]):
    """Dags of which each can be asked for, and that are not to be looked through."""

    def __iter__(self) -> NoReturn:
        pytest.fail("all dags are looked through, for each of them again")

    items = values = keys = __iter__  # type: ignore[assignment]


def test_no_dag_is_looked_at_that_is_not_asked_for() -> None:
    others = Asked(other=dag("other", HOURLY), third=dag("third", BERLIN))
    (found,) = misfits(dag("own", BERLIN, Need("other", task_id="none")), others)
    assert found.dag_id == "other"


@given(sampled_from(SCHEDULES), integers(-5, 5), integers(0, 5))
def test_counted_in_intervals_the_own_past_always_fits(schedule: Schedule | None, shift: int, size: int) -> None:
    assert misfit(schedule, Need("other", shift=shift, by_interval=True, size=size), schedule) == []


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
        (HOURLY, Need("other", shift=-1, by_interval=True), BERLIN),
        (BERLIN, Need("other", size=7 * DAY), BERLIN),
        (BERLIN, Need("other"), Every(2 * 3600)),
    ],
)
def test_what_does_not_fit_somewhere_in_the_year_is_a_mistake(
    own: Schedule | None, need: Need, other: Schedule | None
) -> None:
    (found,) = misfit(own, need, other)
    assert (found.task_id, found.dag_id) == ("t", "other")
    assert found.reason.startswith("what it asks of 'other' is not made up of intervals of that dag")


def test_a_task_that_the_other_dag_does_not_have_is_a_mistake() -> None:
    assert misfit(HOURLY, Need("other", "x"), HOURLY) == [Misfit("t", "other", "the dag 'other' has no task 'x'")]


def test_a_dag_is_looked_at_from_its_start() -> None:
    since_1980 = dag("own", Cron("0 0 * * *", "Europe/Berlin"), Need("other"), start=10 * 365 * DAY)
    (found,) = misfits(since_1980, {"other": dag("other", Every(86_400))})
    assert "1979-12-2" in found.reason
