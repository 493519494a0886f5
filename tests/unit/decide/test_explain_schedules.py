"""Why a dag has no new run now, whatever the kind of its schedule."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from ostinato.decide.explain import why_dag
from ostinato.decide.reason import Code
from ostinato.decide.situation import DagSituation
from ostinato.model.record import Dag
from ostinato.model.spec import Calendar, Continuous, Cron, DagSpec, Moments, Schedule, TaskSpec
from ostinato.model.time import instant

DAY = 86_400_000
NOW = instant(datetime(2025, 5, 3, 12, tzinfo=UTC))
"""A Saturday."""
DEPLOYED = Dag("d", "v1", "d.py")
CONTINUOUS = Continuous(3_600)
QUARTERS = Moments((NOW - DAY, NOW + DAY, NOW + 3 * DAY), "UTC")
WORKING_DAYS = Calendar(Cron("0 6 * * *", "UTC"), weekdays=(6, 7))


@pytest.mark.parametrize(
    ("schedule", "bounds", "code", "lifts"),
    [
        (WORKING_DAYS, {}, Code.INTERVAL_OPEN, "it is 2025-05-05T06:00:00Z"),
        (WORKING_DAYS, {"start": NOW}, Code.SCHEDULE_NOT_BEGUN, "it is 2025-05-06T06:00:00Z"),
        (QUARTERS, {}, Code.INTERVAL_OPEN, "it is 2025-05-04T12:00:00Z"),
        (QUARTERS, {"start": NOW}, Code.SCHEDULE_NOT_BEGUN, "it is 2025-05-06T12:00:00Z"),
        (QUARTERS, {"start": NOW + 2 * DAY}, Code.SCHEDULE_OVER, "a later moment in its file"),
        (QUARTERS, {"end": NOW - 2 * DAY}, Code.SCHEDULE_OVER, "a later end in its file"),
        (Moments((0, DAY), "UTC"), {}, Code.SCHEDULE_OVER, "a later moment in its file"),
        (CONTINUOUS, {}, Code.INTERVAL_OPEN, "that run is over"),
        (CONTINUOUS, {"end": NOW - DAY}, Code.SCHEDULE_OVER, "a later end in its file"),
    ],
)
def test_a_schedule_says_what_its_next_run_waits_for(
    schedule: Schedule, bounds: dict[str, int], code: Code, lifts: str
) -> None:
    spec = replace(DagSpec("d", (TaskSpec("t"),), schedule), **bounds)
    (reason,) = why_dag(DagSituation(NOW, True, DEPLOYED, spec))
    assert (reason.code, reason.lifts) == (code, lifts)


def test_a_continuous_schedule_says_how_early_its_next_run_may_begin() -> None:
    dag = replace(DEPLOYED, scheduled_until=NOW)
    (reason,) = why_dag(DagSituation(NOW, True, dag, DagSpec("d", (TaskSpec("t"),), CONTINUOUS)))
    assert "not before 2025-05-03T13:00:00Z" in reason.what


@pytest.mark.parametrize("schedule", [CONTINUOUS, QUARTERS])
def test_without_a_scheduler_that_is_the_reason(schedule: Schedule) -> None:
    (reason,) = why_dag(DagSituation(NOW, False, DEPLOYED, DagSpec("d", (TaskSpec("t"),), schedule)))
    assert reason.code is Code.NO_SCHEDULER
