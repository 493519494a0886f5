"""Schedules that are not a clock alone: what is left out, what is given, what follows from the run before."""

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, integers, lists, sampled_from, tuples

from ostinato.decide.alignment import misfits
from ostinato.decide.cron import Edge
from ostinato.decide.need import fed, window
from ostinato.decide.tick import edges, latest_tick, next_tick, ticks
from ostinato.decide.timetable import (
    NoInterval,
    begin,
    due,
    first_interval_after,
    interval_at,
    intervals_between,
    latest_complete,
    moved,
    next_due,
    upcoming,
)
from ostinato.decide.zone import ScheduleInvalid
from ostinato.model.spec import (
    Calendar,
    Catchup,
    Continuous,
    Cron,
    DagSpec,
    Dst,
    Every,
    Moments,
    Need,
    Schedule,
    TaskSpec,
    Ticking,
    zone_of,
)
from ostinato.model.time import DataInterval, Instant, instant
from tests.unit.decide.test_agenda import Calendar as Diary

HOUR = 3_600_000
DAY = 24 * HOUR
QUARTERS = Moments((0, 90 * DAY, 181 * DAY, 273 * DAY), "Europe/Berlin")
FIRST, LAST = DataInterval(0, 90 * DAY), DataInterval(181 * DAY, 273 * DAY)
BERLIN = Cron("30 2 * * *", "Europe/Berlin")


def at(text: str) -> Instant:
    return instant(datetime.fromisoformat(text).replace(tzinfo=UTC))


def dag(
    schedule: Schedule | None, catchup: Catchup = "all", start: int | None = None, end: int | None = None
) -> DagSpec:
    return DagSpec("d", (TaskSpec("t"),), schedule, catchup, start, end)


# --- what is left out ------------------------------------------------------------------------------------------------


def test_the_time_of_a_day_that_is_left_out_belongs_to_the_next_that_stays() -> None:
    working = Calendar(Cron("0 6 * * *", "Europe/Berlin"), dates=(date(2025, 12, 25),), weekdays=(6, 7))
    found = interval_at(working, at("2025-12-28T00:00"))
    assert found == DataInterval(at("2025-12-26T05:00"), at("2025-12-29T05:00"))
    assert list(ticks(working, at("2025-12-24T00:00"), at("2025-12-27T00:00"))) == [
        at("2025-12-24T05:00"),
        at("2025-12-26T05:00"),
    ]


@pytest.mark.parametrize("find", [next_tick, latest_tick])
def test_a_calendar_that_leaves_everything_out_is_refused(find) -> None:
    with pytest.raises(ScheduleInvalid, match="does not tick"):
        find(Calendar(Cron("0 6 1 * 1", "UTC"), weekdays=(1, 2, 3, 4, 5, 6, 7)), 0)


def test_several_crons_tick_once_where_they_agree() -> None:
    both = Cron("0 6 * * *", "UTC", ("0 6,18 * * *",))
    assert list(ticks(both, 0, DAY)) == [6 * HOUR, 18 * HOUR]


# --- clock changes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dst", "spring", "autumn"),
    [
        (Dst("after", "first"), ["2025-03-30T01:00"], ["2025-10-26T00:30"]),
        (Dst("skip", "second"), [], ["2025-10-26T01:30"]),
        (Dst("after", "both"), ["2025-03-30T01:00"], ["2025-10-26T00:30", "2025-10-26T01:30"]),
    ],
)
def test_the_rule_for_clock_changes_is_the_one_that_was_chosen(dst: Dst, spring: list[str], autumn: list[str]) -> None:
    cron = Cron("30 2 * * *", "Europe/Berlin", dst=dst)
    assert list(ticks(cron, at("2025-03-29T12:00"), at("2025-03-30T12:00"))) == [at(text) for text in spring]
    assert list(ticks(cron, at("2025-10-25T12:00"), at("2025-10-26T12:00"))) == [at(text) for text in autumn]


def test_a_half_hour_fold_is_a_fold() -> None:
    night = at("2025-04-05T14:00"), at("2025-04-05T16:00")
    for fold, wanted in (("first", ["14:45"]), ("second", ["15:15"]), ("both", ["14:45", "15:15"])):
        cron = Cron("45 1 * * *", "Australia/Lord_Howe", dst=Dst("after", fold))
        assert list(ticks(cron, *night)) == [at(f"2025-04-05T{time}") for time in wanted]


@pytest.mark.parametrize(
    ("dst", "kinds"),
    [
        (None, ["moved", "first"]),
        (Dst("skip", "second"), ["skipped", "second"]),
        (Dst("skip", "both"), ["skipped", "doubled", "doubled"]),
    ],
)
def test_what_a_clock_change_does_is_told(dst: Dst | None, kinds: list[str]) -> None:
    year = at("2025-01-01T00:00"), at("2026-01-01T00:00")
    cron = Cron("30 2 * * *", "Europe/Berlin", dst=dst)
    assert [edge.kind for edge in edges(cron, *year)] == kinds
    sundays_off = Calendar(cron, weekdays=(7,))
    assert list(edges(sundays_off, *year)) == []  # clocks change on Sundays
    assert list(edges(Every(60), *year)) == list(edges(QUARTERS, *year)) == []


def test_a_time_in_a_gap_is_told_at_the_end_of_the_gap() -> None:
    (edge,) = edges(BERLIN, at("2025-03-01T00:00"), at("2025-04-01T00:00"))
    assert edge == Edge(at("2025-03-30T01:00"), at("2025-03-30T02:30"), "moved")


# --- given moments ---------------------------------------------------------------------------------------------------


def test_the_intervals_of_moments_are_those_between_them() -> None:
    assert list(intervals_between(QUARTERS, -DAY, 999 * DAY)) == [FIRST, DataInterval(90 * DAY, 181 * DAY), LAST]
    assert first_interval_after(QUARTERS, -DAY) == FIRST
    assert first_interval_after(QUARTERS, 273 * DAY) is None
    assert latest_complete(QUARTERS, 999 * DAY) == LAST


@pytest.mark.parametrize("outside", [-1, 273 * DAY])
def test_where_there_is_no_interval_that_is_an_error_with_a_code(outside: Instant) -> None:
    with pytest.raises(NoInterval) as refused:
        interval_at(QUARTERS, outside)
    assert refused.value.code == "OST-150"


def test_before_the_first_interval_has_ended_none_is_complete() -> None:
    for now in (-1, 0, 90 * DAY - 1):
        with pytest.raises(NoInterval, match="has ended"):
            latest_complete(QUARTERS, now)


def test_moved_by_intervals_it_goes_as_far_as_there_are_some() -> None:
    assert moved(QUARTERS, 90 * DAY, 1) == 181 * DAY
    assert moved(QUARTERS, 90 * DAY, 9) == 273 * DAY
    assert moved(QUARTERS, 90 * DAY, -9) == 0
    assert moved(QUARTERS, -DAY, 3) == -DAY
    assert moved(Every(3_600), HOUR + 5, -1) == 5


def test_the_first_of_some_moments_needs_nothing_of_its_past() -> None:
    past = Need(shift=-1, by_interval=True)
    assert window(past, FIRST, QUARTERS) is None
    assert window(past, LAST, QUARTERS) == DataInterval(90 * DAY, 181 * DAY)
    assert list(fed(past, [FIRST], QUARTERS, QUARTERS)) == [DataInterval(90 * DAY, 181 * DAY)]
    assert list(fed(past, [LAST], QUARTERS, QUARTERS)) == []


def test_moments_that_are_over_are_never_due_again() -> None:
    assert due(dag(QUARTERS), 273 * DAY, 300 * DAY, 9) == ([], 300 * DAY)
    assert next_due(dag(QUARTERS), 273 * DAY) is None
    assert list(upcoming(dag(QUARTERS), 273 * DAY)) == []
    assert due(dag(QUARTERS, "last"), -9 * DAY, -DAY, 9) == ([], -DAY)
    assert due(dag(QUARTERS, "last", end=-1), -9 * DAY, 100 * DAY, 9) == ([], 100 * DAY)


def test_what_comes_is_within_the_bounds_of_the_dag() -> None:
    assert list(upcoming(dag(Every(3_600), start=5 * HOUR, end=6 * HOUR), 0)) == [
        DataInterval(5 * HOUR, 6 * HOUR),
        DataInterval(6 * HOUR, 7 * HOUR),
    ]
    assert next(iter(upcoming(dag(Every(3_600)), 0))) == DataInterval(0, HOUR)


# --- one after the other ---------------------------------------------------------------------------------------------

STEPS = lists(tuples(integers(1, 200_000), booleans()), min_size=1, max_size=40)


@given(STEPS, integers(1, 90), integers(0, 10**6))
def test_continuous_runs_tile_time_one_at_a_time_and_none_is_shorter_than_it_may_be(steps, at_least, now) -> None:
    diary = Diary(DagSpec("sales", (TaskSpec("t"),), Continuous(at_least)), now=now)
    made: list[DataInterval] = []
    for pause, over in steps:
        now += pause
        diary.going = diary.going and not over
        busy = diary.going
        new = [DataInterval(each.start, each.end) for each in diary.tick(now).new_runs]
        assert len(new) <= 1 - busy
        diary.going |= bool(new)
        if not busy and not new:
            wakes = diary.agenda.next_due()
            assert wakes is not None
            assert wakes > now
        made += new
    assert all(one.end == other.start for one, other in pairwise(made))
    assert all(each.end - each.start >= at_least * 1_000 and each.end % 1_000 == 0 for each in made)


def test_a_continuous_dag_that_is_gone_or_paused_is_not_waited_for() -> None:
    diary = Diary(DagSpec("sales", (TaskSpec("t"),), Continuous(1)), now=0)
    diary.going = True
    diary.tick(5_000)
    diary.agenda.replan([], diary.specs.__getitem__, 6_000)
    diary.going = False
    assert diary.tick(9_000).new_runs == []


def test_a_continuous_dag_whose_clock_is_set_back_while_it_runs_goes_on_from_where_it_was() -> None:
    diary = Diary(DagSpec("sales", (TaskSpec("t"),), Continuous(1)), now=5_000)
    diary.going = True
    diary.tick(7_000)
    diary.going = False
    assert diary.tick(5_500).new_runs == []
    assert [(new.start, new.end) for new in diary.tick(9_000).new_runs] == [(5_000, 9_000)]


def test_when_the_last_moment_is_over_nothing_is_awaited() -> None:
    diary = Diary(DagSpec("sales", (TaskSpec("t"),), QUARTERS), now=200 * DAY)
    assert len(diary.tick(280 * DAY).new_runs) == 1
    assert diary.agenda.next_due() is None


def test_a_continuous_schedule_keeps_within_its_bounds() -> None:
    spec = dag(Continuous(60), start=10_500, end=100_000)
    assert begin(spec, 77_777) == 10_500
    assert begin(dag(Continuous(60), "last"), 77_777) == 77_000
    assert next_due(spec, 0) == 71_000
    assert due(spec, 0, 70_999, 9) == ([], 0)
    assert due(spec, 0, 71_000, 9) == ([DataInterval(10_500, 71_000)], 71_000)
    assert due(spec, 100_001, 900_000, 9) == ([], 100_001)
    assert next_due(spec, 100_001) is None
    assert next_due(dag(None), 0) is None
    assert begin(dag(Every(60), "last"), 77_777) == 77_777


# --- downtime --------------------------------------------------------------------------------------------------------

KINDS: tuple[Ticking, ...] = (
    Every(3_600, 900),
    Cron("30 2 * * *", "Europe/Berlin", ("0 */3 * * *",)),
    Calendar(Cron("0 6 * * *", "America/New_York"), weekdays=(6, 7)),
    Moments(tuple(at("2025-10-20T00:00") + days * DAY for days in (0, 1, 3, 4, 9)), "UTC"),
)


@given(sampled_from(KINDS), sampled_from(("all", "last", "none")), lists(integers(1, 3 * DAY), min_size=1, max_size=9))
def test_whatever_the_downtimes_nothing_is_made_twice_and_all_misses_nothing(schedule, catchup, downtimes) -> None:
    now = since = at("2025-10-18T00:00")
    diary = Diary(DagSpec("sales", (TaskSpec("t"),), schedule, catchup), now=now)
    for downtime in downtimes:
        now += downtime
        diary.tick(now)
    wanted = [each.start for each in intervals_between(schedule, since - 9 * DAY, now) if since < each.end <= now]
    assert diary.made == sorted(set(diary.made))
    assert set(diary.made) <= set(wanted)
    if catchup == "all":
        assert diary.made == wanted
    if catchup == "last":
        assert diary.made[-1:] == wanted[-1:]


# --- needs -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "need", "other", "fits"),
    [
        (Continuous(60), Need("other"), Every(60), False),
        (Every(60), Need("other"), Continuous(60), False),
        (Continuous(60), Need(shift=-1, by_interval=True), None, False),
        (QUARTERS, Need("other"), Every(86_400), True),
        (QUARTERS, Need(shift=-1, by_interval=True), None, True),
        (QUARTERS, Need("other", shift=-1, by_interval=True), QUARTERS, True),
        (Every(86_400), Need("other"), QUARTERS, False),
    ],
)
def test_needs_of_intervals_that_nobody_knows_beforehand_are_mistakes(own, need, other, fits) -> None:
    spec = DagSpec("own", (TaskSpec("t", needs=(need,)),), own, start=0)
    others = {"other": DagSpec("other", (TaskSpec("t"),), other)}
    assert (list(misfits(spec, others)) == []) is fits


def test_a_dag_whose_moments_are_over_has_nothing_to_look_at() -> None:
    spec = DagSpec("own", (TaskSpec("t", needs=(Need("other"),)),), QUARTERS, start=400 * DAY)
    assert list(misfits(spec, {"other": DagSpec("other", (TaskSpec("t"),), Every(7))})) == []


@pytest.mark.parametrize(
    ("schedule", "zone"),
    [
        (BERLIN, "Europe/Berlin"),
        (Calendar(BERLIN), "Europe/Berlin"),
        (QUARTERS, "Europe/Berlin"),
        (Every(60), "UTC"),
        (None, "UTC"),
    ],
)
def test_dates_are_told_in_the_zone_of_the_schedule(schedule: Schedule | None, zone: str) -> None:
    assert zone_of(schedule) == zone
