"""Sensors wait without a slot, look again when it is time, and give up when their patience ends."""

from msgspec import structs

from ostinato.model.cause import Cause
from ostinato.model.message import Finished
from ostinato.model.record import OpenRun, Task
from ostinato.model.spec import Sensor, TaskSpec
from ostinato.model.state import RunState, TaskState
from tests.unit.decide.boards import FIRST, NOW, PATIENT, RETRY, TRANSIENT, Desk, run_of, shape_of

POLLED = TaskSpec("polled", kind="sensor", sensor=PATIENT, retry=RETRY)
AFTER = TaskSpec("after", upstream=(0,))


def file_sensor(every: float = 30.0, timeout: float = 100.0) -> TaskSpec:
    return TaskSpec("arrived", kind="file_sensor", sensor=Sensor(every=every, timeout=timeout, path="x.csv"))


# --- user code that answers -----------------------------------------------------------------------------------------


def test_between_two_looks_a_sensor_has_no_attempt() -> None:
    desk = Desk()
    desk.open(POLLED, AFTER)
    desk.report(1, "not_yet")
    assert (desk.state(0), desk.board.attempts) == (TaskState.DEFERRED, {})
    assert not desk.tick(29_999).dispatches
    assert list(desk.tick(1).dispatches) == [2]
    desk.report(2, output=b"\x01")
    assert (desk.state(0), desk.state(1)) == (TaskState.SUCCESS, TaskState.QUEUED)


def test_patience_begins_with_the_first_look_not_with_the_wait_for_a_slot() -> None:
    desk = Desk(joined=False)
    desk.open(POLLED)
    desk.tick(500_000)
    step = desk.join()
    assert step.commit.tasks[0].waiting_since == desk.now
    desk.report(1, "not_yet")
    assert desk.state(0) is TaskState.DEFERRED


def test_a_sensor_looks_once_more_as_its_patience_ends_and_then_fails() -> None:
    desk = Desk()
    desk.open(POLLED, AFTER)
    looks = []
    while 1 in desk.board.runs:
        attempt = desk.of(0)
        looks.append(desk.now - NOW)
        desk.report(attempt, "not_yet")
        if 1 in desk.board.runs:
            desk.tick(desk.board.next_due() - desk.now)
    assert looks == [0, 30_000, 60_000, 90_000, 100_000]
    assert desk.last_states() == {0: TaskState.FAILED, 1: TaskState.UPSTREAM_FAILED}
    assert [action for action, _ in desk.alerts()] == ["trigger"]


def test_a_failing_look_spends_the_budget_and_keeps_the_patience() -> None:
    desk = Desk()
    desk.open(POLLED)
    desk.report(1, "failed", TRANSIENT)
    assert desk.sent == [1, 2]
    desk.now += 100_000
    desk.report(2, "not_yet")
    assert desk.last_states() == {0: TaskState.FAILED}


def test_a_sensor_that_looks_while_its_run_is_cancelled_ends_cancelled() -> None:
    desk = Desk()
    desk.open(POLLED)
    desk.board.cancel(1, "ann", desk.now)
    desk.report(1, "not_yet")
    assert (desk.last_states(), desk.run_state()) == ({0: TaskState.CANCELLED}, RunState.CANCELLED)


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_file_is_looked_for_at_once_and_needs_no_agent() -> None:
    desk = Desk(joined=False)
    desk.open(file_sensor(), AFTER)
    assert desk.probes == [(1, 0)]
    desk.look(found=True)
    step = desk.tick()
    assert [event.cause for event in step.commit.events] == [Cause.CONDITION_MET]


def test_a_file_that_is_not_there_is_looked_for_again() -> None:
    desk = Desk()
    desk.open(file_sensor())
    desk.look(found=False)
    assert not desk.tick().commit
    desk.tick(29_999)
    assert desk.probes == [(1, 0)]
    desk.tick(1)
    assert desk.probes == [(1, 0), (1, 0)]


def test_a_file_that_never_comes_fails_its_sensor() -> None:
    desk = Desk()
    desk.open(file_sensor())
    desk.look(later=100_000, found=False)
    desk.tick()
    assert (desk.last_states(), desk.run_state()) == ({0: TaskState.FAILED}, RunState.FAILED)
    assert [action for action, _ in desk.alerts()] == ["trigger"]


def test_however_often_a_file_is_to_be_looked_for_time_goes_on_in_between() -> None:
    desk = Desk()
    desk.open(file_sensor(every=0.0))
    desk.look(found=False)
    assert desk.board.next_due() == desk.now + 1


def test_a_look_that_comes_too_late_changes_nothing() -> None:
    desk = Desk()
    desk.open(file_sensor(), TaskSpec("other"))
    desk.look(found=True)
    desk.tick()
    desk.look(found=True)
    desk.look(run_id=77, found=True)
    assert not desk.tick().commit


def test_a_timer_of_a_task_that_has_moved_on_does_nothing() -> None:
    desk = Desk()
    desk.open(file_sensor(), TaskSpec("other"))
    desk.look(found=False)
    desk.board.cancel(1, "ann", desk.now)
    desk.tick(30_000)
    assert desk.probes == [(1, 0)]
    desk.report(1, "cancelled")
    desk.tick(30_000)
    assert desk.run_state() is RunState.CANCELLED


def test_a_timer_of_a_run_that_has_ended_does_nothing() -> None:
    desk = Desk()
    desk.open(file_sensor())
    desk.look(found=False)
    desk.board.cancel(1, "ann", desk.now)
    assert desk.board.runs == {}
    assert not desk.tick(30_000).probes


def test_after_a_restart_a_sensor_keeps_its_patience_and_its_next_look() -> None:
    desk = Desk()
    rows = (
        Task(1, 0, TaskState.DEFERRED, NOW, due_at=NOW + 9_000, waiting_since=NOW - 90_000),
        Task(1, 1, TaskState.DEFERRED, NOW, waiting_since=NOW - 90_000),
    )
    running = structs.replace(run_of(1), state=RunState.RUNNING)
    desk.board.adopt(OpenRun(running, rows, (), {FIRST: 3}, {}, 9), shape_of(POLLED, file_sensor()), NOW)
    desk.tick()
    assert desk.probes == [(1, 1)]
    assert list(desk.tick(9_000).dispatches) == [1]
    desk.now = NOW + 10_000
    desk.board.finished("a1", Finished(1, "not_yet", NOW, NOW), desk.now)
    desk.tick()
    assert desk.last_states()[0] is TaskState.FAILED
