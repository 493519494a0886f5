"""What a run waits for besides its own steps: other dags, other intervals, people. And steps performed more than once."""

from datetime import date, timedelta

import pytest

from ostinato import (
    Context,
    LogicError,
    approval,
    branch,
    dag,
    each,
    every,
    gathered,
    loop,
    param,
    run_dag,
    sensor,
    step,
    task,
    wait_for_dag,
    wait_for_file,
)
from ostinato.model.cause import Cause
from ostinato.model.errors import NotRehearsable
from ostinato.model.time import stamp
from ostinato.testing import Script, arrives, fails, returns, simulate, skips, takes
from tests.unit.testing.plays import DAY, hourly

HOUR = 3_600_000
SPAN = {"start": date(2024, 1, 1), "end": date(2024, 1, 3)}


# --- steps performed more than once -----------------------------------------------------------------------------


@task
def partners() -> list[str]:
    return ["acme", "beta", "cola"]


@task
def size(partner: str) -> int:
    return len(partner) + (partner == "cola")


@task
def total(sizes: list[int]) -> int:
    return sum(sizes)


@dag
def sizing() -> None:
    total(size.expand(partner=partners()))


def test_each_item_has_an_instance_and_what_they_return_is_gathered() -> None:
    result = sizing.test()
    assert result.outputs == {
        "partners": ["acme", "beta", "cola"],
        "size[0]": 4,
        "size[1]": 4,
        "size[2]": 5,
        "total": 13,
    }
    assert result.states["size"] == "success"
    assert result.causes("size") == [Cause.EXPANDED, Cause.INSTANCES_SUCCEEDED]
    assert result.causes("size[2]") == [Cause.READY, Cause.REPORTED_SUCCESS]


def test_an_instance_has_a_script_of_its_own_or_that_of_its_task() -> None:
    result = sizing.test(outcomes={"size[1]": fails(1, LogicError), "size": returns(10), "sizing/size[2]": skips()})
    assert {name: str(state) for name, state in result.states.items() if "size" in name} == {
        "size": "failed",
        "size[0]": "success",
        "size[1]": "failed",
        "size[2]": "skipped",
    }
    assert list(result.outputs) == ["partners", "size[0]"]
    assert list(result.attempts) == ["partners", "size[0]", "size[1]", "size[2]"]


def test_a_function_that_scripts_knows_the_instance() -> None:
    def outcome(ctx: Context) -> Script:
        return returns(ctx.map_index)

    assert sizing.test(outcomes={"size": outcome}).outputs["total"] == 3


def test_a_list_that_is_none_fails_the_step() -> None:
    result = sizing.test(outcomes={"partners": returns("acme")})
    assert result.states == {"partners": "success", "size": "failed", "total": "upstream_failed"}
    assert "is for each item" in result.alerts[0].summary


def test_no_items_skip_the_step() -> None:
    assert sizing.test(outcomes={"partners": returns([])}).states["size"] == "skipped"


def test_an_index_is_for_what_has_instances() -> None:
    with pytest.raises(NotRehearsable, match="'total' has no instances"):
        sizing.test(outcomes={"total[0]": skips()})
    with pytest.raises(NotRehearsable, match=r"no task 'siez\[0\]'.*did you mean"):
        sizing.test(outcomes={"siez[0]": skips()})


@task
def fetch(page: int) -> int:
    return page + 1


@task
def is_last(page: int) -> bool:
    return page > 2


@dag
def paging() -> None:
    with loop("pages", start=0) as turn:
        page = fetch(turn.value)
        turn.until(is_last(page), carry=page)
    total(gathered(page))


def test_a_loop_goes_on_until_it_is_done_and_hands_on_its_value() -> None:
    result = paging.test()
    assert result.outputs["total"] == 1 + 2 + 3
    assert [name for name in result.outputs if name.startswith("pages.fetch")] == [
        f"pages.fetch[{number}]" for number in range(3)
    ]
    assert paging.test(outcomes={"pages.is_last[0]": returns(True)}).outputs["total"] == 1


@branch
def choose() -> str:
    return "fast"


@dag
def choosing() -> None:
    step(choose()) >> [step(size.named(each)("x")) for each in ("fast", "slow")]


def test_a_branch_chooses_really_or_as_its_script_says() -> None:
    assert choosing.test().states == {"choose": "success", "fast": "success", "slow": "skipped"}
    assert choosing.test(outcomes={"choose": returns(["slow"])}).states["fast"] == "skipped"
    (attempt,) = choosing.test(outcomes={"choose": returns("medium")}).attempts["choose"]
    assert attempt.failure is not None
    assert "medium" in attempt.failure.message


# --- other dags -------------------------------------------------------------------------------------------------


@dag(params={"partner": "nobody"})
def load_partner() -> None:
    size(param("partner", str))


@dag
def calling() -> None:
    with each("partner", over=["acme", "cola"]) as partner:
        run_dag("load_partner", partner=partner)
    run_dag("load_partner", wait=False, task_id="left")


def test_a_dag_that_is_rehearsed_too_is_really_called() -> None:
    result = calling.test(DAY, others=[load_partner])
    assert result.run.state == "success"
    assert {name: called.outputs for name, called in result.called.items()} == {
        "left": {"size": 6},
        "partner.run_load_partner[0]": {"size": 4},
        "partner.run_load_partner[1]": {"size": 5},
    }
    assert {called.run.interval for called in result.called.values()} == {result.run.interval}
    assert result.causes("left") == [Cause.CHILD_LEFT]


def test_tasks_of_called_dags_are_scripted_too() -> None:
    result = calling.test(DAY, others=[load_partner], outcomes={"load_partner/size": fails(1, LogicError)})
    assert result.states["partner.run_load_partner[0]"] == "failed"
    assert result.states["left"] == "success"


def test_a_call_of_a_dag_that_is_not_rehearsed_is_to_be_scripted() -> None:
    with pytest.raises(NotRehearsable, match=r"calls 'load_partner', which is not rehearsed.*returns\(None\)"):
        calling.test(DAY)


def test_a_scripted_call_ends_as_the_script_says_and_when() -> None:
    name = "partner.run_load_partner"
    result = calling.test(
        DAY,
        outcomes={f"{name}[0]": takes("3h").returns(None), name: takes("1h").fails(1, LogicError), "left": takes("1d")},
    )
    assert [str(result.states[f"{name}[{number}]"]) for number in (0, 1)] == ["success", "failed"]
    assert result.causes(f"{name}[0]") == [Cause.CHILD_CALLED, Cause.CHILD_SUCCEEDED]
    assert result.tasks[f"{name}[0]"].changed_at - result.run.created_at == 3 * HOUR
    assert result.tasks[f"{name}[1]"].changed_at - result.run.created_at == HOUR
    assert (result.called, result.run.state) == ({}, "failed")


def test_a_parameter_that_the_called_dag_has_not_refuses_the_call_as_it_would_really() -> None:
    @dag
    def wrongly() -> None:
        run_dag("load_partner", partnr="acme")

    result = wrongly.test(others=[load_partner])
    assert result.causes("run_load_partner") == [Cause.CALL_REFUSED]
    assert "did you mean" in result.alerts[0].summary


def test_a_call_is_not_skipped() -> None:
    with pytest.raises(NotRehearsable, match="calls another dag"):
        calling.test(outcomes={"left": skips()})


def test_a_span_of_schedule_has_the_runs_that_were_called() -> None:
    @dag(schedule=every("1d"))
    def daily_calling() -> None:
        run_dag("load_partner", partner="acme")

    span = simulate([daily_calling, load_partner], **SPAN)
    assert [each.run.kind for each in span.of("load_partner")] == ["called"] * 2
    scripted = simulate([daily_calling], **SPAN, outcomes={"run_load_partner": returns(None)})
    assert [each.run.dag_id for each in scripted.runs] == ["daily_calling"] * 2


# --- other intervals --------------------------------------------------------------------------------------------


@task
def report() -> None: ...


@dag(schedule=every("1d"))
def daily() -> None:
    wait_for_dag("hourly") >> report()


@dag(schedule=every("1d"), previous=True)
def one_by_one() -> None:
    report()


def test_intervals_that_are_not_rehearsed_have_succeeded() -> None:
    assert daily.test(DAY).causes("wait_for_hourly") == [Cause.INTERVALS_DONE]
    assert daily.test(DAY, others=[hourly]).run.state == "success"
    assert one_by_one.test(DAY).run.state == "success"
    span = simulate([daily, one_by_one], **SPAN)
    assert [each.run.state for each in span.runs] == ["success"] * 4


def test_or_come_when_the_script_says_so() -> None:
    result = daily.test(DAY, outcomes={"wait_for_hourly": arrives("2h")})
    assert result.attempts["report"][0].queued_at - result.run.created_at == 2 * HOUR
    assert one_by_one.test(DAY, outcomes={"report": arrives("2h")}).run.finished_at == (
        one_by_one.test(DAY).run.created_at + 2 * HOUR
    )


def test_intervals_that_are_rehearsed_are_waited_for() -> None:
    span = simulate([daily, hourly], **SPAN, outcomes={"count": takes("90m")})
    assert [stamp(each.run.finished_at or 0) for each in span.of("daily")] == [
        "2024-01-02T01:30:00Z",
        "2024-01-03T01:30:00Z",
    ]


def test_an_interval_that_failed_is_waited_for_in_vain() -> None:
    def outcome(ctx: Context) -> Script | None:
        return fails(1, LogicError) if ctx.interval.start.hour == 7 and ctx.logical_date.day == 1 else None

    first, second = simulate([daily, hourly], **SPAN, outcomes={"count": outcome}).of("daily")
    assert (first.run.state, first.states) == ("running", {})
    assert second.run.state == "success"


def test_a_run_that_needs_the_one_before_waits_for_it() -> None:
    span = simulate([one_by_one], **SPAN, outcomes={"report": takes("30h")})
    assert [stamp(each.run.finished_at or 0) for each in span.runs] == ["2024-01-03T06:00:00Z", "2024-01-04T12:00:00Z"]


def test_a_task_of_another_dag_is_enough_where_it_is_asked_for() -> None:
    @dag(schedule=every("1d"))
    def early() -> None:
        wait_for_dag("two_steps", task="report") >> report()

    @dag(schedule=every("1d"))
    def two_steps() -> None:
        report() >> size("x")

    (one,) = simulate(
        [early, two_steps],
        start=DAY,
        end=DAY + timedelta(1),
        outcomes={"size": takes("5h"), "two_steps/report": takes("1h")},
    ).of("early")
    assert one.run.finished_at == one.run.created_at + HOUR


def test_what_a_sensor_waits_for_is_not_what_it_needs() -> None:
    @sensor(every="10m", timeout="3h", depends_on_past=True)
    def is_there() -> bool:
        return False

    @dag(schedule=every("1d"))
    def waiting() -> None:
        is_there()

    result = waiting.test(DAY, outcomes={"is_there": arrives("1h")})
    assert len(result.attempts["is_there"]) == 7


def test_the_run_of_a_dag_that_was_called_by_script_stands_for_its_interval() -> None:
    @dag(schedule=every("1d"))
    def caller() -> None:
        run_dag("called") >> (wait_for_dag("called", task="report", task_id="waits") >> report())

    @dag
    def called() -> None:
        report()

    (one, _) = simulate([caller, called], **SPAN, outcomes={"run_called": takes("1h")}).of("caller")
    assert one.states == {"run_called": "success", "waits": "success", "report": "success"}


def test_intervals_make_no_attempts() -> None:
    with pytest.raises(NotRehearsable, match="waits for intervals"):
        daily.test(outcomes={"wait_for_hourly": returns(1)})


# --- people -----------------------------------------------------------------------------------------------------


@dag
def asking() -> None:
    approval("publish it?", timeout="1d") >> report()


@dag
def asking_for_ever() -> None:
    approval("publish it?", no="fail") >> report()


def test_a_person_answers_by_the_script() -> None:
    yes = asking.test(outcomes={"approval": takes("2h").returns(True)})
    assert yes.states == {"approval": "success", "report": "success"}
    assert yes.causes("approval") == [Cause.ASKED, Cause.APPROVED]
    assert yes.run.finished_at == yes.run.created_at + 2 * HOUR
    no = asking.test(outcomes={"approval": returns(False)})
    assert no.states == {"approval": "skipped", "report": "skipped"}
    assert asking_for_ever.test(outcomes={"approval": returns(False)}).states["report"] == "upstream_failed"


def test_nobody_answers_unasked() -> None:
    late = asking.test()
    assert late.run.finished_at == late.run.created_at + 24 * HOUR
    assert late.states["approval"] == "skipped"
    never = asking_for_ever.test()
    assert (never.run.state, never.states) == ("running", {"approval": "deferred"})


@pytest.mark.parametrize("script", [returns("yes"), takes("1h"), fails(1, LogicError), skips()])
def test_an_answer_is_yes_or_no(script: Script) -> None:
    with pytest.raises(NotRehearsable, match="asks a person"):
        asking.test(outcomes={"approval": script})


# --- overlap ----------------------------------------------------------------------------------------------------


def test_a_later_run_takes_the_place_of_an_earlier_one_where_the_dag_says_so() -> None:
    @dag(schedule=every("1d"), overlap="cancel_previous")
    def newest() -> None:
        report()

    first, second = simulate([newest], **SPAN, outcomes={"report": takes("30h")}).runs
    assert (first.run.state, second.run.state) == ("cancelled", "success")
    assert first.run.finished_at == first.run.cancel_requested_at == second.run.created_at


def test_what_was_asked_for_a_run_that_gave_way_needs_no_answer() -> None:
    @dag(schedule=every("1h"), overlap="cancel_previous")
    def newest() -> None:
        wait_for_file("no/such/file", every="1h", timeout="1d") >> report()

    *given_way, last = simulate([newest], **SPAN).runs
    assert {each.run.state for each in given_way} == {"cancelled"}
    assert last.run.state == "failed"
