"""Schedules and deadlines are checked where they are written."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis.strategies import dates, sampled_from

from ostinato import after, by, calendar, continuous, cron, dag, every, moments, step, task
from ostinato.authoring.schedule import first_instant, last_instant, zone
from ostinato.model.errors import DagFileInvalid
from ostinato.model.spec import After, Calendar, Continuous, Cron, Deadline, Dst, Every, Moments, Need
from ostinato.model.time import instant, moment

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_cron_schedule_keeps_its_expression_and_zone() -> None:
    assert cron("0  6 * * 1-5", tz="Europe/Berlin") == Cron("0 6 * * 1-5", "Europe/Berlin")


def test_a_cron_schedule_is_in_utc_unless_it_says_otherwise() -> None:
    assert cron("0 6 * * *").tz == "UTC"


@pytest.mark.parametrize(
    ("expression", "fault"),
    [
        ("0 6 * *", "4 fields"),
        ("* * * * * *", "6 fields"),
        ("61 * * * *", "bad minute"),
        ("0 24 * * *", "bad hour"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("0 0 * JANUARY *", "bad month"),
        ("", "0 fields"),
        ("@daily", "1 field"),
        (7, "not text"),
    ],
)
def test_a_wrong_cron_expression_is_refused_with_its_fault(expression: str, fault: str) -> None:
    with pytest.raises(DagFileInvalid, match=f"OST-130.*{fault}"):
        cron(expression)


def test_a_nickname_is_answered_by_the_five_fields() -> None:
    with pytest.raises(DagFileInvalid) as refused:
        cron("@daily")
    assert refused.value.help == "write '0 0 * * *'"


@pytest.mark.parametrize(
    ("wrong", "meant"), [("America/New_Yrok", "America/New_York"), ("Berlin", "Europe/Berlin"), ("utc+1", "")]
)
def test_an_unknown_zone_is_refused_with_the_one_that_was_meant(wrong: str, meant: str) -> None:
    with pytest.raises(DagFileInvalid, match="OST-131") as refused:
        cron("0 6 * * *", tz=wrong)
    assert meant in refused.value.help


@pytest.mark.parametrize("wrong", ["", "/etc/passwd", "../UTC", None, 3])
def test_what_is_no_zone_at_all_is_refused(wrong: object) -> None:
    with pytest.raises(DagFileInvalid, match="OST-131"):
        cron("0 6 * * *", tz=wrong)  # type: ignore[arg-type]


def test_an_interval_is_in_whole_seconds() -> None:
    assert every("1h") == Every(3600)
    with pytest.raises(DagFileInvalid, match=r"OST-132.*whole number"):
        every("1500ms")
    with pytest.raises(DagFileInvalid, match=r"OST-132.*out of bounds"):
        every(0)


def test_a_deadline_is_a_time_of_day() -> None:
    assert by("08:00") == Deadline("08:00", "")
    assert by("23:59", tz="Asia/Tokyo") == Deadline("23:59", "Asia/Tokyo")


@pytest.mark.parametrize("wrong", ["8:00", "24:00", "08:60", "08", "noon", "", 8, None])
def test_what_is_no_time_of_day_is_refused(wrong: object) -> None:
    with pytest.raises(DagFileInvalid, match="OST-134"):
        by(wrong)  # type: ignore[arg-type]


def test_the_zone_of_a_schedule_without_one_is_utc() -> None:
    assert zone(None) is UTC
    assert zone(every("1h")) is UTC
    assert zone(cron("0 6 * * *", tz="Europe/Berlin")) == BERLIN


@given(
    dates(date(1990, 1, 1), date(2040, 1, 1)),
    sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"]),
)
def test_a_date_bounds_the_whole_day_where_the_schedule_is(day: date, tz: str) -> None:
    first, last = first_instant("start", day, ZoneInfo(tz)), last_instant("end", day, ZoneInfo(tz))
    assert first is not None
    assert last is not None
    assert moment(first).astimezone(ZoneInfo(tz)).date() == day == moment(last).astimezone(ZoneInfo(tz)).date()
    assert moment(last + 1).astimezone(ZoneInfo(tz)).date() > day


def test_a_datetime_bounds_at_its_instant_and_a_naive_one_is_in_the_schedules_zone() -> None:
    assert first_instant("start", datetime(2024, 1, 1, 12), BERLIN) == instant(datetime(2024, 1, 1, 11, tzinfo=UTC))
    assert last_instant("end", datetime(2024, 1, 1, 12, tzinfo=UTC), BERLIN) == instant(
        datetime(2024, 1, 1, 12, tzinfo=UTC)
    )


def test_text_is_no_date_but_the_date_that_it_shows_is_named() -> None:
    with pytest.raises(DagFileInvalid, match="OST-138") as refused:
        first_instant("start", "2013-05-01", UTC)  # type: ignore[arg-type]
    assert refused.value.help == "write date(2013, 5, 1)"


def test_a_list_of_crons_is_one_schedule() -> None:
    assert cron(["0 6 * * 1-5", "0  9 * * 6"]) == Cron("0 6 * * 1-5", "UTC", ("0 9 * * 6",))
    with pytest.raises(DagFileInvalid, match=r"OST-130.*no cron expression"):
        cron([])


def test_the_rule_for_clock_changes_is_chosen_by_word() -> None:
    assert cron("0 6 * * *").dst is None
    assert cron("0 6 * * *", gap="skip").dst == Dst("skip", "first")
    assert cron("0 6 * * *", fold="both").dst == Dst("after", "both")
    with pytest.raises(DagFileInvalid, match="OST-135"):
        cron("0 6 * * *", fold="never")  # type: ignore[arg-type]


def test_an_offset_is_whole_seconds_and_shorter_than_the_interval() -> None:
    assert every("1d", offset="6h") == Every(86_400, 21_600)
    for wrong in ("1d", "500ms"):
        with pytest.raises(DagFileInvalid, match="OST-132"):
            every("1d", offset=wrong)


def test_a_calendar_leaves_out_dates_and_days_of_the_week() -> None:
    base = cron("0 6 * * *", tz="Europe/Berlin")
    made = calendar(base, dates=[date(2025, 12, 26), date(2025, 12, 25)], weekdays=["sunday", "saturday"])
    assert made == Calendar(base, (date(2025, 12, 25), date(2025, 12, 26)), (6, 7))
    assert zone(made) == BERLIN


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"dates": ["2025-12-25"]}, "not a date"),
        ({"dates": [datetime(2025, 12, 25, tzinfo=UTC)]}, "not a date"),
        ({"dates": "2025-12-25"}, "not a list"),
        ({"dates": [date(1, 1, 1) + timedelta(n) for n in range(10_001)]}, "10,001 entries"),
        ({"weekdays": ["sat"]}, "not a day of the week"),
        ({"weekdays": 6}, "not a list"),
        ({"weekdays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]}, "all days"),
        ({"base": "0 6 * * *"}, "not a cron schedule"),
    ],
)
def test_a_wrong_calendar_is_refused_with_its_fault(options: dict[str, object], fault: str) -> None:
    with pytest.raises(DagFileInvalid, match=f"OST-151.*{fault}"):
        calendar(**{"base": cron("0 6 * * *"), **options})  # type: ignore[arg-type]


def test_moments_without_a_zone_are_in_that_of_the_list() -> None:
    made = moments([datetime(2025, 1, 1), datetime(2025, 4, 1, tzinfo=UTC)], tz="Europe/Berlin")
    first, second = datetime(2025, 1, 1, tzinfo=BERLIN), datetime(2025, 4, 1, tzinfo=UTC)
    assert made == Moments((instant(first), instant(second)), "Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "fault"),
    [
        ([], "fewer than two"),
        ([datetime(2025, 1, 1, tzinfo=UTC)], "fewer than two"),
        ([datetime(2025, 1, 2, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)], "do not ascend"),
        ([datetime(2025, 1, 1, tzinfo=UTC)] * 2, "do not ascend"),
        ([datetime(2025, 1, 1, 0, 0, 0, 1, tzinfo=UTC)], "whole seconds"),
        ([date(2025, 1, 1)], "not a datetime"),
    ],
)
def test_wrong_moments_are_refused_with_their_fault(at: list[datetime], fault: str) -> None:
    with pytest.raises(DagFileInvalid, match=f"OST-152.*{fault}"):
        moments(at)


def test_a_continuous_schedule_says_how_short_an_interval_may_be() -> None:
    assert continuous() == Continuous(60)
    assert continuous(at_least="10m") == Continuous(600)
    for wrong in (0, "1500ms"):
        with pytest.raises(DagFileInvalid, match="OST-132"):
            continuous(at_least=wrong)


@task
def work() -> None: ...


@dag(schedule=every("1h"))
def clicks() -> None:
    work()


@dag(schedule=every("1h"))
def prices() -> None:
    work()


@dag(schedule=after(clicks, prices))
def joined() -> None:
    step(work()) >> work.named("last")()


@dag
def by_hand() -> None:
    work()


def test_dags_that_have_the_same_intervals_say_which_a_run_after_them_is_for() -> None:
    assert joined.build().schedule == After(("clicks", "prices"), Every(3_600))
    assert after(joined) == After(("joined",), Every(3_600))  # what it comes after has intervals by the same rule
    assert after(clicks, "clicks", each=every("1d")) == After(("clicks",), Every(86_400))


def test_a_run_for_others_begins_once_they_have_succeeded_whoever_asked_for_it() -> None:
    first, last = joined.build().tasks
    assert first.needs == (Need("clicks"), Need("prices"))
    assert last.needs == ()


@pytest.mark.parametrize(
    ("given", "each", "fault"),
    [
        ((), None, "OST-153.*names no dag"),
        ((), every("1h"), "OST-153.*names no dag"),
        ((7,), every("1h"), "OST-153.*7 is not a dag"),
        (("clicks",), None, "OST-153.*the intervals of 'clicks' are not known here"),
        ((by_hand, clicks), None, "OST-153.*the intervals of 'by_hand' are not known here"),
        ((clicks, "prices"), None, "OST-153.*the intervals of 'prices' are not known here"),
        (("clicks",), continuous(), "OST-153.*does not say which intervals"),
        (("clicks",), after(clicks), "OST-153.*does not say which intervals"),
        (("clicks",), "1h", "OST-153.*does not say which intervals"),
        (("no name",), every("1h"), "OST-110"),
    ],
)
def test_a_schedule_after_what_gives_none_is_refused_with_its_fault(
    given: tuple[object, ...], each: object, fault: str
) -> None:
    with pytest.raises(DagFileInvalid, match=fault):
        after(*given, each=each)  # type: ignore[arg-type]


def test_dags_with_other_intervals_each_do_not_say_which_a_run_is_for() -> None:
    @dag(dag_id="daily", schedule=every("1d"))
    def daily() -> None:
        work()

    @dag(dag_id="stream", schedule=continuous())
    def stream() -> None:
        work()

    for other in (daily, stream):
        with pytest.raises(DagFileInvalid, match=r"OST-153.*differ in their intervals"):
            after(clicks, other)
