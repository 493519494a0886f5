"""Why a dag has no new run now, whatever the kind of its schedule."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from ostinato.decide.after import Waiting
from ostinato.decide.explain import why_dag
from ostinato.decide.reason import Code
from ostinato.decide.situation import DagSituation
from ostinato.model.record import Dag
from ostinato.model.spec import After, Calendar, Continuous, Cron, DagSpec, Moments, Schedule, TaskSpec
from ostinato.model.time import DataInterval, instant

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


AFTER = After(("clicks", "prices"), Cron("0 0 * * *", "Europe/Berlin"))
YESTERDAY = DataInterval(NOW - 38 * 3_600_000, NOW - 14 * 3_600_000)


def test_a_dag_that_runs_after_others_says_of_which_what_is_open() -> None:
    waits = Waiting(YESTERDAY, {"prices": DataInterval(YESTERDAY.end - 3_600_000, YESTERDAY.end)})
    (reason,) = why_dag(DagSituation(NOW, True, DEPLOYED, DagSpec("d", (TaskSpec("t"),), AFTER), waits))
    assert reason.code is Code.OTHERS_OPEN
    assert reason.what == (
        "the next run of d is for 2025-05-02T00:00:00+02:00; it is made once prices has succeeded"
        " from 2025-05-02T23:00:00+02:00 to 2025-05-03T00:00:00+02:00"
    )
    assert reason.lifts == "that has succeeded: `ostinato why prices`"


def test_a_dag_that_runs_after_others_and_has_no_interval_left_says_so() -> None:
    spec = DagSpec("d", (TaskSpec("t"),), After(("clicks",), Moments((0, DAY), "UTC")))
    (reason,) = why_dag(DagSituation(NOW, True, DEPLOYED, spec, None))
    assert reason.code is Code.SCHEDULE_OVER


def test_a_paused_dag_that_runs_after_others_waits_for_nothing_else() -> None:
    waits = Waiting(YESTERDAY, {"clicks": YESTERDAY})
    paused = replace(DEPLOYED, paused=True)
    spec = DagSpec("d", (TaskSpec("t"),), AFTER)
    assert [each.code for each in why_dag(DagSituation(NOW, True, paused, spec, waits))] == [Code.PAUSED]
    assert [each.code for each in why_dag(DagSituation(NOW, False, DEPLOYED, spec, waits))] == [Code.NO_SCHEDULER]
