"""Alerts are about intervals: what one run of an interval opens, any other run of it closes."""

from ostinato.decide import alarm
from ostinato.decide.classify import classify
from ostinato.model.message import DeadLetters, Failure
from ostinato.model.spec import Sensor, TaskSpec
from tests.unit.decide.boards import LOGIC, NOW, run_of

TASK = TaskSpec("load")
LETTERS = DeadLetters("orders", "d", "dlq/y", 3, {"type": 3})


def test_a_later_run_of_the_interval_takes_back_what_an_earlier_one_raised() -> None:
    raised = alarm.failure_alert(run_of(1), TASK, classify(LOGIC), LOGIC, 1, NOW)
    taken_back = alarm.recovery_alert(run_of(2), NOW)
    assert raised.dedup_key == taken_back.dedup_key
    assert (raised.action, taken_back.action) == ("trigger", "resolve")


def test_another_interval_takes_back_nothing() -> None:
    raised = alarm.failure_alert(run_of(1, day=0), TASK, classify(LOGIC), LOGIC, 1, NOW)
    assert alarm.recovery_alert(run_of(2, day=1), NOW).dedup_key != raised.dedup_key


def test_a_deadline_has_a_key_of_its_own() -> None:
    missed = alarm.deadline_alert("sales", NOW, NOW + 1, NOW + 2)
    assert missed.dedup_key == alarm.deadline_recovery("sales", NOW, NOW + 3).dedup_key
    assert missed.dedup_key != alarm.recovery_alert(run_of(1), NOW).dedup_key
    assert missed.severity == "critical"


def test_a_failure_is_named_by_its_exception_or_else_by_how_it_ended() -> None:
    raised = Failure("raised", "'price'", ("builtins.KeyError", "builtins.LookupError"))
    killed = Failure("killed", "ended by SIGKILL", exit_code=-9)
    told = [alarm.failure_alert(run_of(1), TASK, classify(f), f, 2, NOW).summary for f in (raised, killed)]
    assert "load failed (builtins.KeyError: 'price')" in told[0]
    assert "load failed (killed: ended by SIGKILL)" in told[1]


def test_what_was_rejected_is_told_once_until_the_interval_is_run_again() -> None:
    letters = [DeadLetters("sales", "a day", "dlq/x", 1200, {"range": 1100, "type": 200}), LETTERS]
    told = alarm.rejects_alert(run_of(1), TASK, letters, NOW)
    assert (told.action, told.severity) == ("trigger", "warning")
    assert told.summary.endswith("load rejected 1,203 records, mostly: range")
    assert told.details["reasons"] == {"range": 1100, "type": 203}
    assert told.details["dead_letters"] == ["dlq/x", "dlq/y"]
    assert told.details["next"] == "ostinato dlq show sales 'a day'"
    again = alarm.rejects_over(run_of(2), NOW)
    assert (again.dedup_key, again.action) == (told.dedup_key, "resolve")
    assert told.dedup_key != alarm.recovery_alert(run_of(1), NOW).dedup_key


def test_rejects_without_a_reason_are_told_too() -> None:
    told = alarm.rejects_alert(run_of(1), TASK, [DeadLetters("sales", "d", "dlq/x", 1, {})], NOW)
    assert told.summary.endswith("load rejected 1 record, no reason given")


def test_a_long_message_is_cut() -> None:
    endless = Failure("raised", "x" * 10_000)
    assert len(alarm.failure_alert(run_of(1), TASK, classify(endless), endless, 1, NOW).summary) < 400


def test_a_sensor_that_waited_in_vain_says_for_how_long() -> None:
    sensor = TaskSpec("arrived", sensor=Sensor(every=1.0, timeout=90.0))
    assert alarm.sensor_alert(run_of(1), sensor, NOW).details["waited_s"] == 90.0
