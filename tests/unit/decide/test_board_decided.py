"""Somebody decides how a task instance ends: whatever it is doing it ends so, and what is over stays as it is."""

import pytest

from ostinato.model.cause import Cause
from ostinato.model.change import Decision
from ostinato.model.record import UNMAPPED
from ostinato.model.spec import DagSpec, Scope, TaskSpec
from ostinato.model.state import AttemptState, RunState, TaskState
from tests.unit.decide.boards import DAY, NOW, PATIENT, RESOURCE, RETRY, Desk, chain, run_of, shape_of
from tests.unit.decide.naive import Play
from tests.unit.decide.scenes import Scene

ENDS: dict[Decision, tuple[TaskState, TaskState]] = {
    "mark_success": (TaskState.SUCCESS, TaskState.QUEUED),
    "mark_skipped": (TaskState.SKIPPED, TaskState.SKIPPED),
    "mark_failed": (TaskState.FAILED, TaskState.UPSTREAM_FAILED),
}


@pytest.mark.parametrize("what", ENDS)
@pytest.mark.parametrize("running", [False, True], ids=["queued", "running"])
def test_what_is_going_on_is_stopped_and_ends_as_decided(what: Decision, running: bool) -> None:
    desk = Desk()
    desk.open(*chain(2))
    if running:
        desk.start(1)
    step = desk.decide(what)
    assert step.cancel == {"a1": [1]}
    assert [move.becomes for move in step.commit.attempts] == [AttemptState.CANCELLED]
    assert (desk.last_states()[0], desk.last_states()[1]) == ENDS[what]
    assert not desk.report(1, "success").commit.tasks


@pytest.mark.parametrize("what", ENDS)
def test_what_waits_between_two_tries_or_two_looks_ends_as_decided(what: Decision) -> None:
    for task, report in (
        (TaskSpec("t", retry=RETRY), "failed"),
        (TaskSpec("t", kind="sensor", sensor=PATIENT), "not_yet"),
    ):
        desk = Desk()
        desk.open(task, TaskSpec("after", upstream=(0,)))
        desk.report(1, report, RESOURCE if report == "failed" else None)
        desk.decide(what)
        assert (desk.last_states()[0], desk.last_states()[1]) == ENDS[what]
        assert not desk.tick(DAY).probes


@pytest.mark.parametrize("what", ENDS)
def test_what_has_not_begun_ends_as_decided_and_does_not_wait_for_what_is_before_it(what: Decision) -> None:
    desk = Desk()
    desk.open(*chain(3))
    step = desk.decide(what, 1)
    assert [event.facts for event in step.commit.events][:1] == [{"by": "ann"}]
    assert (desk.last_states()[1], desk.last_states()[2]) == ENDS[what]


def test_a_decision_about_what_is_not_there_or_over_is_taken_in_and_changes_nothing() -> None:
    desk = Desk()
    desk.open(*chain(2))
    desk.report(1)
    for task_no, map_index, run_id in ((0, UNMAPPED, 1), (1, 3, 1), (0, UNMAPPED, 77)):
        step = desk.decide("mark_failed", task_no, map_index, run_id)
        assert (step.commit.taken, step.commit.tasks) == ([1], [])


def test_a_decision_about_a_run_that_is_cancelled_comes_too_late() -> None:
    desk = Desk()
    desk.open(*chain(2))
    desk.board.cancel(1, "ann", desk.now)
    desk.tick()
    assert not desk.decide("mark_success").commit.tasks


def test_a_task_in_a_scope_as_a_whole_is_what_its_instances_came_to_and_nothing_else() -> None:
    task = TaskSpec("load", scope=0)
    scene = Scene(Play(DagSpec("sales", (task,), scopes=(Scope("s", "each"),)), items={0: 2})).open()
    scene.answer("unfold", 0)
    scene.decide("mark_failed", 0)
    assert scene.states()[0, UNMAPPED] is TaskState.RUNNING
    scene.decide("mark_failed", 0, 1)
    scene.finish()
    assert scene.states() == {(0, -1): TaskState.FAILED, (0, 0): TaskState.SUCCESS, (0, 1): TaskState.FAILED}


def test_a_run_that_waits_for_admission_takes_no_decision() -> None:
    desk = Desk()
    desk.board.open_run(run_of(1), shape_of(*chain(1), most=0))
    desk.decide("mark_success")
    assert desk.run_state() is RunState.QUEUED
    assert desk.now == NOW
    assert not [event for commit in desk.commits for event in commit.events if event.cause is Cause.MARKED_SUCCESS]
