"""A run that is cancelled starts nothing more, and ends when all that ran of it has stopped."""

import pytest
from msgspec import structs

from ostinato.model.cause import Cause
from ostinato.model.message import Verdict
from ostinato.model.record import Attempt, OpenRun, Task
from ostinato.model.spec import TaskSpec
from ostinato.model.state import AttemptState, RunState, TaskState
from tests.unit.decide.boards import FIRST, LOGIC, NOW, RESOURCE, RETRY, Desk, chain, run_of, shape_of


def test_a_run_that_has_not_begun_is_cancelled_at_once() -> None:
    desk = Desk()
    desk.open(TaskSpec("t"), run=run_of(1), most=1)
    desk.open(TaskSpec("t"), run=run_of(2, day=1), most=1)
    desk.board.cancel(2, "ann", desk.now)
    step = desk.tick()
    assert [event.cause for event in step.commit.events] == [Cause.CANCEL_REQUESTED, Cause.CANCELLED]
    assert step.commit.events[0].facts == {"by": "ann"}
    assert len(desk.board.admission) == 0


def test_what_has_not_started_ends_at_once_and_what_runs_is_told_to_stop() -> None:
    desk = Desk()
    desk.open(*chain(3), TaskSpec("beside"))
    desk.board.cancel(1, "ann", desk.now)
    step = desk.tick()
    assert step.cancel == {"a1": [1, 2]}
    assert desk.last_states()[1] is TaskState.CANCELLED
    assert desk.last_states()[2] is TaskState.CANCELLED
    desk.report(1, "cancelled")
    assert desk.run_state() is RunState.RUNNING
    desk.report(2, "cancelled")
    assert desk.run_state() is RunState.CANCELLED


@pytest.mark.parametrize(
    ("verdict", "ends"),
    [
        ("success", TaskState.SUCCESS),
        ("skipped", TaskState.SKIPPED),
        ("failed", TaskState.CANCELLED),
        ("cancelled", TaskState.CANCELLED),
        ("interrupted", TaskState.CANCELLED),
    ],
)
def test_whatever_the_last_attempt_says_nothing_follows_from_it(verdict: Verdict, ends: TaskState) -> None:
    desk = Desk()
    desk.open(*chain(2, retry=RETRY))
    desk.board.cancel(1, "ann", desk.now)
    desk.tick()
    step = desk.report(1, verdict, LOGIC if verdict == "failed" else None)
    assert desk.last_states() == {0: ends, 1: TaskState.CANCELLED}
    assert (desk.run_state(), step.dispatches, desk.alerts()) == (RunState.CANCELLED, {}, [])


def test_a_task_that_waits_for_its_next_try_is_cancelled() -> None:
    desk = Desk()
    desk.open(TaskSpec("t", retry=RETRY))
    desk.report(1, "failed", RESOURCE)
    desk.board.cancel(1, "ann", desk.now)
    desk.tick()
    assert (desk.last_states(), desk.run_state()) == ({0: TaskState.CANCELLED}, RunState.CANCELLED)
    assert not desk.tick(60_000).dispatches


def test_asking_twice_asks_once() -> None:
    desk = Desk()
    desk.open(TaskSpec("t"))
    desk.board.cancel(1, "ann", desk.now)
    desk.board.cancel(1, "bob", desk.now)
    desk.board.cancel(77, "bob", desk.now)
    events = desk.tick().commit.events
    assert [(event.cause, event.facts) for event in events] == [(Cause.CANCEL_REQUESTED, {"by": "ann"})]


def test_an_agent_that_comes_back_is_told_again_to_stop() -> None:
    desk = Desk()
    desk.open(TaskSpec("t"))
    desk.board.cancel(1, "ann", desk.now)
    desk.tick()
    desk.board.agent_gone("a1")
    assert desk.join(holds=[1]).cancel == {"a1": [1]}


def test_an_attempt_that_never_reached_its_agent_is_not_sent_after_the_cancellation() -> None:
    desk = Desk()
    desk.open(TaskSpec("t"))
    desk.board.cancel(1, "ann", desk.now)
    desk.tick()
    desk.board.agent_gone("a1")
    step = desk.join(holds=[])
    assert step.dispatches == {}
    assert desk.run_state() is RunState.CANCELLED


def test_an_attempt_whose_agent_died_ends_with_the_cancellation() -> None:
    desk = Desk()
    desk.open(TaskSpec("t"))
    desk.board.cancel(1, "ann", desk.now)
    desk.tick()
    desk.join("a2", predecessors=[("a1", (1,))])
    assert (desk.last_states(), desk.run_state()) == ({0: TaskState.CANCELLED}, RunState.CANCELLED)


def test_after_a_restart_a_request_is_acted_on_like_a_new_one() -> None:
    desk = Desk()
    asked = structs.replace(run_of(1), state=RunState.RUNNING, cancel_requested_at=NOW - 5)
    task = Task(1, 0, TaskState.QUEUED, NOW, attempt=4)
    attempt = Attempt(4, 1, 0, 1, AttemptState.QUEUED, "a1", NOW)
    desk.board.adopt(OpenRun(asked, (task,), (attempt,), {FIRST: 1}, {}, 9), shape_of(*chain(2)), NOW)
    assert not desk.tick().dispatches
    desk.board.cancel(1, "ann", NOW)
    assert desk.tick().cancel == {"a1": [4]}
    desk.report(4, "cancelled")
    assert desk.run_state() is RunState.CANCELLED


def test_after_a_restart_a_queued_run_is_cancelled_like_any_other() -> None:
    desk = Desk()
    desk.board.adopt(OpenRun(run_of(1), (), (), {}, {}, 3), shape_of(TaskSpec("t")), NOW)
    desk.board.cancel(1, "ann", NOW)
    assert [event.seq for event in desk.tick().commit.events] == [3, 4]
    assert desk.run_state() is RunState.CANCELLED
