"""What the store has must be whole: what follows from a task's end was written with it."""

import pytest
from msgspec import structs

from ostinato.model.errors import InvariantBroken
from ostinato.model.record import OpenRun, Task
from ostinato.model.spec import TaskSpec
from ostinato.model.state import RunState, TaskState
from tests.unit.decide.boards import FIRST, NOW, Desk, chain, run_of, shape_of

RUNNING = structs.replace(run_of(1), state=RunState.RUNNING)


def test_a_history_that_lacks_what_had_to_follow_is_refused() -> None:
    failed = OpenRun(RUNNING, (Task(1, 0, TaskState.FAILED, NOW),), (), {}, {}, 3)
    with pytest.raises(InvariantBroken, match="not recorded"):
        Desk().board.adopt(failed, shape_of(*chain(2)), NOW)


def test_what_was_ready_and_had_not_begun_is_ready_again() -> None:
    desk = Desk()
    done = OpenRun(RUNNING, (Task(1, 0, TaskState.SUCCESS, NOW),), (), {FIRST: 1}, {}, 3)
    desk.board.adopt(done, shape_of(*chain(2), TaskSpec("root")), NOW)
    step = desk.tick()
    assert [dispatch.task_no for dispatch in step.dispatches.values()] == [1, 2]


def test_a_task_that_was_to_be_tried_again_is_when_it_is_due() -> None:
    desk = Desk()
    row = Task(1, 0, TaskState.UP_FOR_RETRY, NOW, attempt=3, due_at=NOW + 50)
    found = OpenRun(RUNNING, (row,), (), {FIRST: 1}, {FIRST: {"resource": 1}}, 3)
    desk.board.adopt(found, shape_of(TaskSpec("t")), NOW)
    assert not desk.tick().dispatches
    assert [dispatch.number for dispatch in desk.tick(50).dispatches.values()] == [2]


def test_a_queued_run_that_is_known_already_stays_as_it_is() -> None:
    desk = Desk()
    for _ in range(2):
        desk.board.adopt(OpenRun(run_of(1), (), (), {}, {}, 1), shape_of(TaskSpec("t")), NOW)
    assert len(desk.board.admission) == 1
    desk.tick()
    desk.board.adopt(OpenRun(run_of(1), (), (), {}, {}, 1), shape_of(TaskSpec("t")), NOW)
    assert not desk.tick().dispatches
