"""A task that calls for a run of another dag ends as that run does; nobody runs for a task that has ended."""

import pytest

from ostinato.model.cause import Cause
from ostinato.model.change import Decision
from ostinato.model.message import Verdict
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import CallDag, DagSpec, TaskSpec
from ostinato.model.state import RunState, TaskState
from tests.unit.decide.boards import Desk
from tests.unit.decide.naive import Play
from tests.unit.decide.scenes import CHILD, Scene

CALL = TaskSpec("load", kind="call", call=CallDag(CHILD))
AFTER = TaskSpec("after", upstream=(0,))
FIRST, SECOND = (0, UNMAPPED), (1, UNMAPPED)


def calling(end: Verdict = "success", *, most: int = 16, wait: bool = True) -> Scene:
    """A run that has called for the run 2, of which only ``most`` may run at once."""
    task = TaskSpec("load", kind="call", call=CallDag(CHILD, wait=wait))
    scene = Scene(Play(DagSpec("sales", (task, AFTER)), {FIRST: end}), child_most=most).open()
    scene.answer("call", 0)
    return scene


@pytest.mark.parametrize(
    ("end", "states", "run"),
    [
        ("success", {FIRST: TaskState.SUCCESS, SECOND: TaskState.SUCCESS}, RunState.SUCCESS),
        ("failed", {FIRST: TaskState.FAILED, SECOND: TaskState.UPSTREAM_FAILED}, RunState.FAILED),
    ],
)
def test_a_task_that_waits_ends_as_the_run_it_called_for(
    end: Verdict, states: dict[Instance, TaskState], run: RunState
) -> None:
    scene = calling(end)
    assert scene.states() == {FIRST: TaskState.DEFERRED}
    assert scene.run_state(2) is RunState.RUNNING
    scene.finish()
    assert (scene.states(), scene.run_state()) == (states, run)


def test_one_that_does_not_wait_succeeds_as_the_run_is_made() -> None:
    scene = calling("failed", wait=False)
    assert scene.states() == {FIRST: TaskState.SUCCESS, SECOND: TaskState.QUEUED}
    scene.finish()
    assert (scene.run_state(), scene.run_state(2)) == (RunState.SUCCESS, RunState.FAILED)


def test_a_call_that_is_refused_fails_and_says_why() -> None:
    desk = Desk()
    desk.open(CALL, AFTER)
    [asked] = desk.calls
    desk.board.not_called(asked, "there is no dag 'child'", desk.now)
    commit = desk.tick().commit
    assert [event.cause for event in commit.events][:2] == [Cause.CALL_REFUSED, Cause.UPSTREAM_FAILED]
    assert commit.events[0].facts == {"why": "there is no dag 'child'"}
    assert [action for action, _ in desk.alerts()] == ["trigger"]
    desk.board.not_called(asked, "too late", desk.now)
    assert not desk.tick().commit


def test_an_answer_for_a_run_that_is_being_cancelled_makes_no_run() -> None:
    scene = Scene(Play(DagSpec("sales", (CALL, TaskSpec("beside"))))).open()
    scene.board.cancel(1, "ann", scene.now)
    scene.answer("call", 0)
    assert list(scene.written.runs) == [1]


@pytest.mark.parametrize("most", [16, 0], ids=["running", "queued"])
def test_a_cancellation_reaches_the_runs_that_were_called_for(most: int) -> None:
    scene = calling(most=most)
    scene.cancel()
    scene.finish()
    assert scene.states() == {FIRST: TaskState.CANCELLED, SECOND: TaskState.CANCELLED}
    assert (scene.run_state(), scene.run_state(2)) == (RunState.CANCELLED, RunState.CANCELLED)
    assert scene.written.runs[2].cancel_requested_at == scene.now
    assert scene.alerts == []


@pytest.mark.parametrize("most", [16, 0], ids=["running", "queued"])
@pytest.mark.parametrize(
    ("what", "ends"),
    [("mark_success", TaskState.SUCCESS), ("mark_skipped", TaskState.SKIPPED), ("mark_failed", TaskState.FAILED)],
)
def test_who_decides_how_a_call_ends_stops_the_run_it_called_for(most: int, what: Decision, ends: TaskState) -> None:
    scene = calling(most=most)
    scene.decide(what)
    assert scene.states()[FIRST] is ends
    scene.finish()
    assert scene.run_state(2) is RunState.CANCELLED
    assert scene.written.is_whole()


@pytest.mark.parametrize("most", [16, 0], ids=["running", "queued"])
def test_a_called_run_that_somebody_cancels_fails_its_caller(most: int) -> None:
    scene = calling(most=most)
    scene.cancel(2)
    scene.finish()
    assert scene.states() == {FIRST: TaskState.FAILED, SECOND: TaskState.UPSTREAM_FAILED}
    assert [action for action, _ in scene.alerts] == ["trigger"]


def test_a_called_run_that_outlives_its_caller_changes_nothing_any_more() -> None:
    scene = calling(wait=False)
    scene.end(1)
    assert scene.run_state() is RunState.SUCCESS
    scene.finish()
    assert scene.run_state(2) is RunState.SUCCESS
