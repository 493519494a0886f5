"""A task that asks somebody waits for the answer, holds no slot, and takes no silence for a no unless it was told to."""

import pytest

from ostinato.model.cause import Cause
from ostinato.model.spec import Approval, DagSpec, TaskSpec
from ostinato.model.state import RunState, TaskState
from tests.unit.decide.boards import DAY, Desk
from tests.unit.decide.naive import Play
from tests.unit.decide.scenes import Scene


def asking(no: str = "skip", timeout: float | None = None) -> Scene:
    """A run that asks, and goes on with another task."""
    task = TaskSpec("ask", kind="approval", approval=Approval("publish?", timeout=timeout, no=no))  # type: ignore[arg-type]
    return Scene(Play(DagSpec("sales", (task, TaskSpec("publish", upstream=(0,)))))).open()


def ends(scene: Scene) -> list[TaskState]:
    return list(scene.states().values())


def test_a_yes_lets_it_go_on_and_closes_the_question() -> None:
    scene = asking()
    assert ends(scene) == [TaskState.DEFERRED]
    assert scene.board.next_due() is None
    scene.decide("approve")
    assert ends(scene) == [TaskState.SUCCESS, TaskState.QUEUED]
    assert [action for action, _ in scene.alerts] == ["trigger", "resolve"]
    assert len({key for _, key in scene.alerts}) == 1


@pytest.mark.parametrize(
    ("no", "states", "run"),
    [
        ("skip", [TaskState.SKIPPED, TaskState.SKIPPED], RunState.SUCCESS),
        ("fail", [TaskState.FAILED, TaskState.UPSTREAM_FAILED], RunState.FAILED),
    ],
)
@pytest.mark.parametrize("how", ["decline", "silence"])
def test_a_no_or_a_silence_that_is_too_long_skips_or_fails_what_comes_after(
    no: str, states: list[TaskState], run: RunState, how: str
) -> None:
    scene = asking(no, timeout=60.0)
    if how == "decline":
        scene.decide("decline")
    else:
        scene.later(59_999)
        assert ends(scene) == [TaskState.DEFERRED]
        scene.later(1)
    assert (ends(scene), scene.run_state()) == (states, run)
    assert scene.alerts[1][0] == "resolve"


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_after_a_restart_it_waits_as_long_as_before(timeout: float | None) -> None:
    scene = asking(timeout=timeout)
    scene.later(50_000)
    scene.restart()
    assert ends(scene) == [TaskState.DEFERRED]
    scene.later(10_000)
    assert ends(scene)[0] is (TaskState.DEFERRED if timeout is None else TaskState.SKIPPED)
    scene.later(DAY)
    assert ends(scene)[0] is (TaskState.DEFERRED if timeout is None else TaskState.SKIPPED)


def test_a_run_that_is_cancelled_needs_no_answer_any_more() -> None:
    scene = asking(timeout=60.0)
    scene.cancel()
    assert (ends(scene), scene.run_state()) == ([TaskState.CANCELLED] * 2, RunState.CANCELLED)
    assert [action for action, _ in scene.alerts] == ["trigger", "resolve"]
    scene.later(60_000)
    assert len(scene.alerts) == 2


def test_whose_end_somebody_decides_needs_no_answer_any_more() -> None:
    scene = asking()
    scene.decide("mark_success")
    assert ends(scene) == [TaskState.SUCCESS, TaskState.QUEUED]
    assert [action for action, _ in scene.alerts] == ["trigger", "resolve"]


def test_an_answer_is_recorded_with_who_gave_it_and_counts_once() -> None:
    desk = Desk()
    desk.open(TaskSpec("ask", kind="approval", approval=Approval("?")), TaskSpec("other"))
    for _ in range(2):
        desk.decide("approve")
    events = [event for event in desk.commits[-2].events if event.cause is Cause.APPROVED]
    assert [event.facts for event in events] == [{"by": "ann"}]
    assert not desk.commits[-1].events
    assert desk.commits[-1].taken == [1]


def test_an_answer_to_what_asked_nothing_changes_nothing() -> None:
    desk = Desk()
    desk.open(TaskSpec("work"))
    desk.decide("approve")
    assert desk.state(0) is TaskState.QUEUED
