"""Found by the simulation, or while it was made to look: what a run has to do with the world outside of it."""

from collections.abc import Sequence

import pytest

from ostinato.decide.shape import Shape
from ostinato.model.cause import Cause
from ostinato.model.change import NewRun, SwitchedOff
from ostinato.model.record import UNMAPPED
from ostinato.model.spec import (
    Approval,
    CallDag,
    CompiledDag,
    DagSpec,
    Need,
    Overlap,
    Scope,
    TaskSpec,
    Value,
)
from ostinato.model.state import RunState, TaskState
from tests.unit.decide.boards import NOW, Desk, run_of

ASKS = TaskSpec("ask", kind="approval", approval=Approval("Go on?"))
OFF: dict[tuple[str, str], SwitchedOff] = {("sales", "load"): "skipped"}


def test_each_instance_asks_a_question_of_its_own() -> None:
    scope = Scope("s", "each", over=(("shop", Value([1, 2])),))
    task = TaskSpec("ask", kind="approval", approval=Approval("Go on?"), scope=0)
    desk = waiting(task, scopes=(scope,))
    desk.board.unfolded(desk.unfolds[0], [b"\x80", b"\x80"], desk.now)
    asked = desk.tick().commit.alerts
    assert [alert.dedup_key.rpartition("Z/")[2] for alert in asked] == ["1/ask[0]", "1/ask[1]"]
    assert [alert.details["next"] for alert in asked] == ["ostinato approve 1 'ask[0]'", "ostinato approve 1 'ask[1]'"]


def test_an_answer_to_one_run_leaves_the_question_of_another_of_its_interval_open() -> None:
    desk = Desk()
    for run_id in (1, 2):
        desk.open(ASKS, run=run_of(run_id))
    desk.decide("approve")
    asked, over = ([key for action, key in desk.alerts() if action == how] for how in ("trigger", "resolve"))
    assert len(set(asked)) == 2
    assert asked[0] in over
    assert asked[1] not in over


def waiting(*tasks: TaskSpec, scopes: tuple[Scope, ...] = ()) -> Desk:
    desk = Desk()
    desk.open(*tasks, scopes=scopes)
    return desk


@pytest.mark.parametrize("needs", [(), (Need("raw"),)], ids=["for room", "for intervals"])
def test_what_waits_to_begin_ends_when_it_is_switched_off(needs: tuple[Need, ...]) -> None:
    after = TaskSpec("after", upstream=(0,))
    desk = waiting(TaskSpec("load", pool="nowhere", needs=needs), after)
    desk.board.set_switched_off(OFF, desk.now)
    desk.tick()
    assert (desk.state(0), desk.state(1)) == (TaskState.SKIPPED, TaskState.SKIPPED)
    assert desk.run_state() is RunState.SUCCESS


def test_what_is_switched_off_and_waits_for_others_ends_no_sooner_than_its_turn_comes() -> None:
    desk = waiting(TaskSpec("first"), TaskSpec("load", upstream=(0,)), TaskSpec("after", upstream=(1,)))
    desk.board.set_switched_off(OFF, desk.now)
    desk.board.set_switched_off(OFF, desk.now)  # which is nothing new
    assert not desk.tick().commit
    desk.report(1)
    assert desk.run_state() is RunState.SUCCESS
    assert desk.last_states()[1] is TaskState.SKIPPED


def test_what_has_begun_goes_on_though_it_is_switched_off() -> None:
    desk = waiting(TaskSpec("load"))
    desk.board.set_switched_off(OFF, desk.now)
    assert not desk.tick().commit
    assert desk.state(0) is TaskState.QUEUED


def test_of_a_scope_whose_task_is_switched_off_only_what_waits_to_begin_ends() -> None:
    scope = Scope("s", "each", over=(("shop", Value([1, 2])),), max_active=1)
    desk = waiting(TaskSpec("load", pool="nowhere", scope=0), scopes=(scope,))
    desk.board.set_switched_off(OFF, desk.now)
    assert not desk.tick().commit  # it has no instances yet
    desk.board.set_switched_off({}, desk.now)
    desk.board.unfolded(desk.unfolds[0], [b"\x80", b"\x80"], desk.now)
    desk.tick()
    desk.board.set_switched_off(OFF, desk.now)
    desk.tick()
    assert desk.task_states()[0, 0] is TaskState.SKIPPED
    assert desk.run_state() is RunState.SUCCESS


@pytest.mark.parametrize("need", [Need("raw"), Need("raw", "check")], ids=["a run", "a task"])
def test_that_a_run_never_begins_is_a_reason_to_ask_again(need: Need) -> None:
    desk = waiting(TaskSpec("sum", needs=(need,)))
    desk.open(TaskSpec("check"), run=run_of(2, dag_id="raw"), most=1)
    desk.open(TaskSpec("check"), run=run_of(3, dag_id="raw"), most=1)
    desk.needs.clear()
    desk.board.cancel(3, "ann", desk.now)
    desk.tick()
    assert [needing.run.run_id for needing in desk.needs] == [1]


def come(desk: Desk, overlap: Overlap, tasks: Sequence[TaskSpec], *numbers: int) -> None:
    spec = DagSpec("sales", tuple(tasks), overlap=overlap)
    for number in numbers:
        run = run_of(number, day=number, kind="scheduled")
        desk.board.open_run(run, Shape(CompiledDag(spec, "x.py", "source", "version")))


def test_a_run_that_is_about_to_be_called_for_is_not_made_when_its_caller_gives_way() -> None:
    desk = Desk()
    call = TaskSpec("load", kind="call", call=CallDag("child"))
    come(desk, "cancel_previous", [call], 1)
    desk.tick()
    come(desk, "cancel_previous", [call], 2)
    child = NewRun("child", "v", "call:1:load:-1", "called", NOW, NOW + 1, b"\x80", NOW, parent=(1, 0, UNMAPPED))
    desk.board.called(desk.calls[0], child, desk.now)
    step = desk.tick()
    assert step.commit.new_runs == []
    assert desk.run_state(1) is RunState.CANCELLED
    assert [event.cause for event in step.commit.events if event.run_id == 1] == [
        Cause.CHILD_CALLED,
        Cause.CANCEL_REQUESTED,
        Cause.CANCELLED,
        Cause.CANCEL_CONFIRMED,
    ]
