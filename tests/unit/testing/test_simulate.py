"""A span of schedule of several dags, in memory."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from ostinato import TransientError, after, dag, every, task
from ostinato.authoring.context import Context
from ostinato.model.errors import NotRehearsable
from ostinato.testing import Script, fails, returns, simulate, skips, takes
from tests.unit.testing.plays import hourly, sales

JANUARY = {"start": date(2024, 1, 1), "end": date(2024, 2, 1)}
HOUR = 3_600_000


@task(pool="gold")
def slow() -> int:
    return 1


@dag(schedule=every("1d"))
def slowly() -> None:
    slow()
    slow.named("other")()


def test_a_month_of_schedule_is_followed() -> None:
    month = simulate([sales, hourly], **JANUARY)
    assert len(month.of("sales")) == 31
    assert len(month.of("hourly")) == 31 * 24
    assert {each.run.state for each in month.runs} == {"success"}
    assert {each.run.kind for each in month.runs} == {"scheduled"}
    assert repr(month) == "<775 runs, 0 alerts\n  hourly success: 744\n  sales success: 31>"


def test_the_intervals_are_those_that_end_in_the_span() -> None:
    day = simulate([hourly], start=datetime(2024, 1, 1, 6), end=datetime(2024, 1, 1, 9, tzinfo=UTC))
    assert [each.run.interval.end - day.runs[0].run.interval.start for each in day.runs] == [HOUR, 2 * HOUR, 3 * HOUR]


def test_what_is_going_on_at_the_end_goes_on_to_its_own_end() -> None:
    day = simulate([hourly], start=date(2024, 1, 1), end=date(2024, 1, 2), outcomes={"count": takes("7h")})
    assert len(day.runs) == 24
    assert {each.run.state for each in day.runs} == {"success"}


def test_a_pool_holds_up_what_does_not_fit() -> None:
    day = {"start": date(2024, 1, 1), "end": date(2024, 1, 2), "outcomes": {"slow": takes("1h"), "other": takes("1h")}}
    (free,) = simulate([slowly], **day).runs
    (narrow,) = simulate([slowly], **day, pools={"gold": 1}).runs
    (alone,) = simulate([slowly], **day, slots=1).runs
    assert [_took(each.run.started_at, each.run.finished_at) for each in (free, narrow, alone)] == [
        HOUR,
        2 * HOUR,
        2 * HOUR,
    ]


def test_what_never_fits_is_still_running_when_nothing_more_can_happen() -> None:
    (run,) = simulate([slowly], start=date(2024, 1, 1), end=date(2024, 1, 2), pools={"gold": 0}).runs
    assert (run.run.state, run.states) == ("running", {})


def test_outcomes_are_for_all_dags_or_for_one() -> None:
    both = simulate(
        [slowly, sales],
        start=date(2024, 1, 1),
        end=date(2024, 1, 2),
        outcomes={"slowly/slow": skips(), "slow": returns(2), "sales/publish": fails(1, TransientError)},
    )
    assert both.of("slowly")[0].states["slow"] == "skipped"
    assert len(both.of("sales")[0].attempts["publish"]) == 2


def test_deadlines_and_failures_of_a_day_are_told_and_taken_back() -> None:
    def outcome(ctx: Context) -> Script:
        return takes("4h") if ctx.logical_date == date(2024, 1, 10) else returns({"region": "eu"})

    month = simulate([sales], **JANUARY, outcomes={"extract": outcome})
    assert [alert.action for alert in month.alerts] == ["trigger", "resolve"]
    (late,) = [each for each in month.runs if each.alerts]
    assert late.alerts == month.alerts
    assert late.outputs["extract"]["day"] == date(2024, 1, 10)


def test_runs_of_a_dag_keep_to_its_limit() -> None:
    @dag(dag_id="narrow", schedule=every("1h"), max_active_runs=1)
    def narrow() -> None:
        slow()

    runs = simulate([narrow], start=date(2024, 1, 1), end=date(2024, 1, 2), outcomes={"slow": takes("2h")}).runs
    ends = [each.run.finished_at or 0 for each in runs]
    assert [later - earlier for earlier, later in pairwise(ends)] == [2 * HOUR] * 23


def test_what_does_not_fit_is_refused() -> None:
    day = date(2024, 1, 1)
    with pytest.raises(NotRehearsable, match="not after"):
        simulate([hourly], start=day, end=day)
    with pytest.raises(NotRehearsable, match="one id"):
        simulate([hourly, hourly], start=day, end=day + timedelta(1))
    with pytest.raises(NotRehearsable, match=r"no task uses the pool 'glod'.*did you mean 'gold'"):
        simulate([slowly], start=day, end=day + timedelta(1), pools={"glod": 1})


def _took(started: int | None, finished: int | None) -> int:
    assert started is not None
    assert finished is not None
    return finished - started


@dag(schedule=after(hourly, each=every("1d")))
def daily_after() -> None:
    slow()


@dag(schedule=after("elsewhere", each=every("1d")))
def after_nobody() -> None:
    slow()


def test_a_dag_runs_after_others_at_the_moment_when_they_are_done() -> None:
    def outcome(ctx: Context) -> Script | None:
        return takes("5h") if ctx.logical_date == date(2024, 1, 10) else None

    month = simulate([hourly, daily_after], **JANUARY, outcomes={"count": outcome})
    days = month.of("daily_after")
    assert len(days) == 31
    assert {each.run.kind for each in days} == {"scheduled"}
    late = days[9].run
    assert (late.created_at - late.interval.end) // HOUR == 5
    assert all(each.run.created_at == each.run.interval.end for each in (*days[:9], *days[10:]))


def test_an_hour_that_fails_leaves_the_day_after_it_without_a_run() -> None:
    def outcome(ctx: Context) -> Script | None:
        return fails(9, ValueError) if ctx.logical_date == date(2024, 1, 10) else None

    month = simulate([hourly, daily_after], **JANUARY, outcomes={"count": outcome})
    assert [each.run.interval.start for each in month.of("daily_after")] == [
        day * 24 * HOUR + 1_704_067_200_000 for day in range(31) if day != 9
    ]


def test_a_dag_outside_of_the_simulation_keeps_up_with_the_clock() -> None:
    month = simulate([after_nobody], **JANUARY)
    assert len(month.of("after_nobody")) == 31
