"""What a rehearsal gives back, and for which interval it is."""

from datetime import UTC, date, datetime

import pytest

from ostinato import Context, TransientError, dag, param, task, wait_for_file
from ostinato.model.cause import Cause
from ostinato.model.errors import NotRehearsable, UsageError
from ostinato.model.time import stamp
from ostinato.testing import fails, returns, takes
from tests.unit.testing.plays import DAY, hourly, sales


def test_a_run_is_for_the_interval_of_its_logical_date_in_the_schedules_zone() -> None:
    result = sales.test(DAY)
    assert (result.run.state, result.run.kind, result.run.by) == ("success", "manual", "test")
    assert stamp(result.run.interval.start) == "2024-01-31T05:00:00Z"
    assert result.outputs["extract"] == {"region": "eu", "day": DAY, "try": 1}
    assert result.run.started_at == result.run.created_at == result.run.interval.end


def test_without_a_date_it_is_always_the_same_one() -> None:
    assert sales.test().outputs["extract"]["day"] == date(2000, 1, 1)
    assert stamp(hourly.test().run.interval.start) == "2000-01-01T00:00:00Z"


def test_a_moment_names_the_interval_that_starts_then() -> None:
    assert stamp(hourly.test(datetime(2024, 1, 31, 7)).run.interval.start) == "2024-01-31T07:00:00Z"
    moment = datetime(2024, 1, 31, 5, tzinfo=UTC)
    assert sales.test(moment).run.interval == sales.test(datetime(2024, 1, 31, 6)).run.interval


def test_a_date_for_which_there_is_no_run_is_refused() -> None:
    with pytest.raises(NotRehearsable, match=r"no interval of the schedule of 'hourly' starts at .* Around it"):
        hourly.test(datetime(2024, 1, 31, 7, 30))
    with pytest.raises(NotRehearsable, match="'2024-01-31' is not a date"):
        hourly.test("2024-01-31")


def test_params_are_filled_and_checked() -> None:
    assert sales.test(DAY, params={"region": "us"}).outputs["load"] == "out/2024-01-31: us"
    with pytest.raises(UsageError, match="did you mean 'region'"):
        sales.test(DAY, params={"regoin": "us"})


def test_the_history_tells_every_move_with_its_cause() -> None:
    result = sales.test(DAY)
    assert [event.seq for event in result.events] == list(range(len(result.events)))
    assert result.causes() == [Cause.TRIGGERED, Cause.ADMITTED, Cause.TASKS_SUCCEEDED]
    assert result.causes("publish") == [Cause.READY, Cause.REPORTED_SUCCESS]
    with pytest.raises(KeyError):
        result.causes("nobody")


def test_the_tasks_that_moved_are_on_record_and_no_output_is_none() -> None:
    result = sales.test(DAY, outcomes={"load": fails(1, ValueError("no"))})
    assert {name: task.state for name, task in result.tasks.items()} == result.states
    assert list(result.outputs) == ["extract"]
    assert list(result.attempts) == ["extract", "load"]


def test_it_shows_how_a_run_went() -> None:
    text = repr(sales.test(DAY, outcomes={"extract": fails(1, TransientError), "load": fails(1, ValueError("no"))}))
    assert text.splitlines() == [
        "<sales for 2024-01-31T05:00:00Z: failed",
        "  extract  success  (2 attempts)",
        "  load     failed  ValueError: no",
        "  publish  upstream_failed>",
    ]


def test_a_deadline_is_watched() -> None:
    assert sales.test(DAY).alerts == []
    late = sales.test(DAY, outcomes={"extract": takes("3h")})
    assert [(alert.action, alert.summary) for alert in late.alerts] == [
        ("trigger", "sales for 2024-01-31T05:00:00Z is not done by 2024-02-01T07:00:00Z"),
        ("resolve", "sales for 2024-01-31T05:00:00Z is done, late"),
    ]


@task
def divide(ctx: Context, number: int) -> float:
    ctx.dead_letters(asset="a", partition="p", path="x.json", count=2, reasons={"null": 2})
    return 1 / number


@task
def use(path: str) -> str:
    return path


@dag(params={"number": 1})
def dividing() -> None:
    divide(param("number", int))


def test_what_a_task_really_raises_is_told_with_the_authors_lines() -> None:
    (attempt,) = dividing.test(params={"number": 0}).attempts["divide"]
    assert attempt.failure is not None
    assert attempt.failure.types[0] == "builtins.ZeroDivisionError"
    assert "return 1 / number" in attempt.failure.traceback
    assert "perform" not in attempt.failure.traceback


def test_dead_letters_count_with_success() -> None:
    (letters,) = dividing.test().dead_letters["divide"]
    assert (letters.count, letters.path) == (2, "x.json")
    assert dividing.test(params={"number": 0}).dead_letters == {}


def test_arguments_that_cannot_be_filled_in_fail_the_attempt_as_they_would_really() -> None:
    @dag(params={"text": "x" * 600_000})
    def long() -> None:
        use("{{ params.text }}{{ params.text }}")

    (attempt,) = long.test().attempts["use"]
    assert attempt.failure is not None
    assert (attempt.failure.how, attempt.failure.code) == ("unloadable", "OST-201")


def test_who_interrupts_a_task_interrupts_the_test() -> None:
    @task
    def interrupted() -> None:
        raise KeyboardInterrupt

    @dag
    def one() -> None:
        interrupted()

    with pytest.raises(KeyboardInterrupt):
        one.test()


def test_a_pool_has_room_for_what_uses_it() -> None:
    @task(pool="gold", slots=3)
    def large() -> None: ...

    @dag
    def greedy() -> None:
        large()

    assert greedy.test().run.state == "success"


def test_every_test_is_one_of_its_own() -> None:
    assert sales.test(DAY, outcomes={"load": returns(1)}).run.run_id == 1
    assert sales.test(DAY).outputs["load"] == "out/2024-01-31: eu"


def test_a_file_that_is_there_is_found_from_the_folder_of_the_dag_file() -> None:
    @dag
    def found() -> None:
        wait_for_file("plays.py") >> use.named("after")("x")

    assert found.test().states == {"wait_for_file": "success", "after": "success"}


def test_a_path_that_cannot_be_looked_at_is_not_there() -> None:
    @dag
    def lost() -> None:
        wait_for_file("x" * 5_000, timeout="1m")

    assert lost.test().run.state == "failed"
