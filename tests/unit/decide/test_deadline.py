"""Deadlines: the first moment of that wall time at or after the interval's end, by the rule of cron."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis.strategies import integers, sampled_from

from ostinato.decide.deadline import due_at, missed
from ostinato.decide.zone import ScheduleInvalid
from ostinato.model.record import Expectation
from ostinato.model.spec import Deadline
from ostinato.model.time import DataInterval, instant, moment, stamp

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
ENDS = integers(instant(datetime(2013, 1, 1, tzinfo=UTC)), instant(datetime(2030, 1, 1, tzinfo=UTC)))


@given(
    integers(0, 23),
    integers(0, 59),
    sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "UTC"]),
    ENDS,
)
def test_the_due_time_is_that_wall_time_and_within_a_day_or_a_gap_apart(hour, minute, zone, end):
    due = due_at(Deadline(f"{hour:02}:{minute:02}", zone), DataInterval(end - DAY, end))
    wall = moment(due).astimezone(ZoneInfo(zone))
    assert end <= due <= end + 25 * HOUR + 2 * HOUR
    if (wall.hour, wall.minute) != (hour, minute):
        just_before = moment(due - MINUTE).astimezone(ZoneInfo(zone))
        skipped = just_before.replace(tzinfo=None), wall.replace(tzinfo=None)
        assert skipped[0] < wall.replace(tzinfo=None, hour=hour, minute=minute) < skipped[1]


@pytest.mark.parametrize(
    ("at", "end", "due"),
    [
        ("08:00", "2025-05-02T04:00", "2025-05-02T06:00:00Z"),
        ("08:00", "2025-05-02T06:00", "2025-05-02T06:00:00Z"),  # the end itself still counts
        ("08:00", "2025-05-02T06:01", "2025-05-03T06:00:00Z"),
        ("02:30", "2025-03-29T23:00", "2025-03-30T01:00:00Z"),  # skipped: right after the gap
        ("02:30", "2025-10-25T22:00", "2025-10-26T00:30:00Z"),  # shown twice: the first time
        ("00:00", "2025-05-01T22:00", "2025-05-01T22:00:00Z"),
    ],
)
def test_due_times_in_berlin(at, end, due):
    ends = instant(datetime.fromisoformat(end + "+00:00"))
    assert stamp(due_at(Deadline(at, "Europe/Berlin"), DataInterval(ends - DAY, ends))) == due


@pytest.mark.parametrize(
    "deadline", [Deadline("25:00", "UTC"), Deadline("soon", "UTC"), Deadline("08:00", "Nowhere/At")]
)
def test_a_deadline_that_is_none_is_refused(deadline):
    with pytest.raises(ScheduleInvalid):
        due_at(deadline, DataInterval(0, DAY))


@pytest.mark.parametrize(
    ("state", "late_by", "verdict"),
    [("expected", 0, False), ("expected", 1, True), ("expected", -1, False), ("met", 1, False), ("missed", 1, False)],
)
def test_an_expectation_is_missed_once_and_not_on_the_dot(state, late_by, verdict):
    expectation = Expectation("sales", start=0, due_at=DAY, state=state, at=0)
    assert missed(expectation, DAY + late_by) is verdict
