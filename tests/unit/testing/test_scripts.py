"""How a script says that attempts end, and what the product makes of it."""

import pytest

from ostinato import LogicError, ResourceError, TransientError
from ostinato.authoring.context import Context
from ostinato.model.cause import Cause
from ostinato.model.errors import DagFileInvalid, NotRehearsable
from ostinato.model.state import AttemptState
from ostinato.testing import Script, arrives, fails, returns, skips, takes
from tests.unit.testing.plays import DAY, file_waiting, sales, waiting

HOUR = 3_600_000
MINUTE = 60_000


def classes(script: Script) -> list[str | None]:
    """The error classes of the attempts that ``load`` makes."""
    return [attempt.error_class for attempt in sales.test(DAY, outcomes={"load": script}).attempts["load"]]


def test_what_fails_a_few_times_is_tried_again_and_then_really_called() -> None:
    result = sales.test(DAY, outcomes={"load": fails(2, TransientError("it hung up"))})
    assert result.outputs["load"] == "out/2024-01-31: eu"
    assert [attempt.state for attempt in result.attempts["load"]] == ["failed", "failed", "success"]
    failure = result.attempts["load"][0].failure
    assert failure is not None
    assert (failure.message, failure.declared) == ("it hung up", "transient")
    assert result.causes("load")[1:5] == [Cause.FAILED_WILL_RETRY, Cause.RETRY_DUE] * 2


def test_errors_are_classified_as_in_production() -> None:
    assert classes(fails(3, TransientError)) == ["transient"] * 3
    assert classes(fails(9, MemoryError)) == ["resource"] * 2
    assert classes(fails(9, ConnectionResetError)) == ["transient"] * 3
    assert classes(fails(9, LogicError)) == ["logic"]
    assert classes(fails(9, KeyError("x"))) == ["logic"]


def test_failures_follow_one_another_and_what_is_said_last_holds_for_the_rest() -> None:
    script = fails(1, TransientError).fails(1, ResourceError).returns(7)
    result = sales.test(DAY, outcomes={"load": script})
    assert [attempt.error_class for attempt in result.attempts["load"]] == ["transient", "resource", None]
    assert result.outputs["load"] == 7


def test_a_resource_error_waits_on_the_clock_of_the_rehearsal() -> None:
    first, second = sales.test(DAY, outcomes={"load": fails(1, ResourceError)}).attempts["load"]
    assert second.queued_at - first.queued_at == 10_000


def test_what_is_skipped_skips_what_needs_it() -> None:
    assert sales.test(DAY, outcomes={"load": skips()}).states == {
        "extract": "success",
        "load": "skipped",
        "publish": "skipped",
    }


def test_what_is_returned_goes_to_the_next_task() -> None:
    result = sales.test(DAY, outcomes={"extract": returns({"region": "us"})})
    assert result.outputs == {"extract": {"region": "us"}, "load": "out/2024-01-31: us"}


def test_what_cannot_be_kept_fails_as_it_would_really() -> None:
    (attempt,) = sales.test(DAY, outcomes={"extract": returns(object())}).attempts["extract"]
    assert attempt.failure is not None
    assert (attempt.failure.how, attempt.failure.code) == ("unstorable", "OST-201")


def test_time_passes_for_what_is_said_after_it() -> None:
    script = takes("10m").fails(1, TransientError).takes("30m")
    first, second = sales.test(DAY, outcomes={"load": script}).attempts["load"]
    assert [(first.finished_at or 0) - first.queued_at, (second.finished_at or 0) - second.queued_at] == [
        10 * MINUTE,
        30 * MINUTE,
    ]
    assert second.queued_at == first.finished_at


def test_what_takes_long_says_that_it_has_started_and_what_does_not_does_not() -> None:
    result = sales.test(DAY, outcomes={"load": takes("10m")})
    assert result.causes("load") == [Cause.READY, Cause.STARTED, Cause.REPORTED_SUCCESS]
    assert result.causes("extract") == [Cause.READY, Cause.REPORTED_SUCCESS]


def test_what_takes_longer_than_it_may_is_stopped() -> None:
    result = sales.test(DAY, outcomes={"load": takes("3h").returns(1)})
    attempts = result.attempts["load"]
    assert [attempt.state for attempt in attempts] == [AttemptState.FAILED] * 2
    assert [attempt.failure.how for attempt in attempts if attempt.failure] == ["timed_out"] * 2
    assert attempts[1].queued_at - attempts[0].queued_at == HOUR + 10_000


def test_a_function_gives_the_script_for_each_attempt() -> None:
    def outcome(ctx: Context) -> Script | None:
        return fails(1, TransientError) if ctx.number == 1 and ctx.logical_date == DAY else None

    assert len(sales.test(DAY, outcomes={"load": outcome}).attempts["load"]) == 2
    assert len(sales.test(outcomes={"load": outcome}).attempts["load"]) == 1


def test_a_sensor_looks_until_what_it_waits_for_arrives() -> None:
    result = waiting.test(DAY, outcomes={"is_there": arrives("25m")})
    attempts = result.attempts["is_there"]
    assert [attempt.state for attempt in attempts] == ["deferred", "deferred", "deferred", "success"]
    assert attempts[-1].queued_at - attempts[0].queued_at == 30 * MINUTE
    assert result.run.state == "success"


def test_a_sensor_can_be_scripted_look_by_look() -> None:
    script = fails(1, TransientError).returns(True)
    assert [attempt.state for attempt in waiting.test(outcomes={"is_there": script}).attempts["is_there"]] == [
        "failed",
        "success",
    ]


def test_a_sensor_that_is_not_scripted_is_asked_really_and_gives_up() -> None:
    result = waiting.test(DAY)
    assert result.states == {"is_there": "failed", "count": "upstream_failed"}
    assert result.causes("is_there")[-1] == Cause.CONDITION_TIMED_OUT
    assert "waited in vain" in result.alerts[0].summary


def test_a_file_arrives_without_an_attempt() -> None:
    result = file_waiting.test(DAY, outcomes={"wait_for_file": arrives("2h")})
    assert "wait_for_file" not in result.attempts
    assert result.causes("wait_for_file") == [Cause.AWAITED, Cause.CONDITION_MET]
    assert result.attempts["count"][0].queued_at - result.events[2].at == 2 * HOUR


def test_a_file_that_is_not_scripted_is_really_looked_for() -> None:
    assert file_waiting.test(DAY).states == {"wait_for_file": "failed", "count": "upstream_failed"}


def test_a_file_can_be_scripted_by_a_function_too() -> None:
    def outcome(ctx: Context) -> Script:
        return arrives(f"{ctx.logical_date.day}m")

    result = file_waiting.test(DAY, outcomes={"wait_for_file": outcome})
    assert result.attempts["count"][0].queued_at - result.events[2].at == 40 * MINUTE


@pytest.mark.parametrize(
    ("outcomes", "says"),
    [
        ({"laod": skips()}, "did you mean 'load'"),
        ({"load": arrives("1h")}, "'load' waits for nothing"),
        ({"load": lambda _: arrives("1h")}, "'load' waits for nothing"),
    ],
)
def test_what_does_not_fit_the_dag_is_refused(outcomes: dict[str, Script], says: str) -> None:
    with pytest.raises(NotRehearsable, match=says):
        sales.test(DAY, outcomes=outcomes)


@pytest.mark.parametrize("script", [returns(True), fails(1, LogicError), takes("1h")])
def test_an_attempt_of_a_file_sensor_cannot_be_scripted(script: Script) -> None:
    with pytest.raises(NotRehearsable, match="waits for a file"):
        file_waiting.test(DAY, outcomes={"wait_for_file": script})


def test_a_script_that_says_nothing_sensible_is_refused_where_it_is_written() -> None:
    with pytest.raises(NotRehearsable, match="fails at no attempt"):
        fails(0, TransientError)
    with pytest.raises(DagFileInvalid, match="is not a duration"):
        takes("long")
