"""Schedules and deadlines are checked where they are written."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis.strategies import dates, sampled_from

from ostinato import by, cron, every
from ostinato.authoring.schedule import first_instant, last_instant, zone
from ostinato.model.errors import DagFileInvalid
from ostinato.model.spec import Cron, Deadline, Every
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
