"""Tasks that are performed for each item, or turn by turn: how many, how many at once, and what they come to."""

from collections.abc import Sequence

import pytest

from ostinato.model.cause import Cause
from ostinato.model.change import Carried, NewRun
from ostinato.model.message import Verdict
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import DagSpec, Scope, TaskSpec, TriggerRule
from ostinato.model.state import RunState, TaskState
from tests.unit.decide.boards import DAY, NOW, Desk, run_of
from tests.unit.decide.naive import Play, end_of_run
from tests.unit.decide.scenes import Scene

S, F, K, U, GOES = TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED, TaskState.UPSTREAM_FAILED, TaskState.RUNNING
EACH = (TaskSpec("read", scope=0), TaskSpec("load", upstream=(0,), scope=0), TaskSpec("after", upstream=(1,)))
LOOP = (TaskSpec("ask", scope=0), TaskSpec("done", upstream=(0,), scope=0), TaskSpec("after", upstream=(1,)))


def each(count: int, ends: dict[Instance, Verdict] | None = None, **more: object) -> Scene:
    """A scope with two tasks that has unfolded to so many instances, and a task after it."""
    scope = Scope("s", "each", **more)  # type: ignore[arg-type]
    scene = Scene(Play(DagSpec("sales", EACH, scopes=(scope,)), ends or {}, items={0: count})).open()
    scene.answer("unfold", 0)
    return scene


def loop(turns: int, ends: dict[Instance, Verdict] | None = None, limit: int = 10) -> Scene:
    """A loop that is done after so many turns, and a task after it."""
    spec = DagSpec("sales", LOOP, scopes=(Scope("s", "loop", limit=limit, until=1),))
    return Scene(Play(spec, ends or {}, items={0: turns})).open()


def begun(scene: Scene) -> set[int]:
    """The map indexes of instances that are going on."""
    return {row.map_index for row in scene.written.attempts.values() if row.state in {"queued", "running"}}


def wholes(scene: Scene) -> list[TaskState]:
    return [state for (_, index), state in scene.states().items() if index == UNMAPPED]


# --- for each item --------------------------------------------------------------------------------------------------


def test_no_more_instances_are_unfinished_at_once_than_may_be_and_they_begin_in_order() -> None:
    scene = each(5, max_active=2)
    assert begun(scene) == {0, 1}
    scene.end(0, 1)
    assert begun(scene) == {0, 1}
    scene.end(1, 1)
    assert begun(scene) == {0, 2}
    assert len(scene.board.runs[1].scopes[0].waiting) == 2


def test_an_instance_whose_end_somebody_decides_before_it_begins_makes_no_room_for_another() -> None:
    scene = each(4, max_active=1)
    scene.decide("mark_success", 0, 2)
    assert begun(scene) == {0}
    scene.decide("mark_success", 1, 2)
    assert begun(scene) == {0}
    scene.end(0, 0)
    scene.end(1, 0)
    assert begun(scene) == {1}
    scene.finish()
    assert wholes(scene) == [S, S, S]


@pytest.mark.parametrize("restarted", [False, True])
def test_after_a_restart_too_no_more_are_unfinished_at_once(restarted: bool) -> None:
    scene = each(4, max_active=1)
    scene.decide("mark_success", 0, 3)
    if restarted:
        scene.restart()
    most = 0
    while scene.board.runs[1].states[2] is TaskState.NONE:
        most = max(most, len(begun(scene)))
        scene.moves()[0]()
        scene.settle()
    assert most == 1


def test_no_items_skip_the_tasks() -> None:
    scene = each(0)
    assert (scene.states(), scene.run_state()) == ({(0, -1): K, (1, -1): K, (2, -1): K}, RunState.SUCCESS)


def test_too_many_items_fail_the_scope_and_say_so() -> None:
    scene = each(4, limit=3)
    assert (scene.states(), scene.run_state()) == ({(0, -1): F, (1, -1): U, (2, -1): U}, RunState.FAILED)
    assert [action for action, _ in scene.alerts] == ["trigger"]


def test_what_is_no_list_of_items_fails_the_scope_and_says_why() -> None:
    desk = Desk()
    desk.open(*EACH, scopes=(Scope("s", "each"),))
    [asked] = desk.unfolds
    desk.board.not_unfolded(asked, "a str and not a list", desk.now)
    events = desk.tick().commit.events
    assert [event.cause for event in events][:2] == [Cause.EXPANSION_FAILED, Cause.UPSTREAM_FAILED]
    assert events[0].facts == {"why": "a str and not a list"}
    desk.board.not_unfolded(asked, "again", desk.now)
    desk.board.unfolded(asked, [b"\x01"], desk.now)
    assert not desk.tick().commit


def test_an_answer_that_comes_twice_or_too_late_unfolds_nothing_more() -> None:
    desk = Desk()
    desk.open(*EACH, scopes=(Scope("s", "each"),))
    [asked] = desk.unfolds
    desk.board.unfolded(asked, [b"\x01"], desk.now)
    desk.tick()
    desk.board.unfolded(asked, [b"\x01"], desk.now)
    assert not desk.tick().commit
    desk.board.cancel(1, "ann", desk.now)
    desk.tick()
    desk.board.unfolded(asked, [b"\x01"], desk.now)
    assert not desk.tick().commit.items


def test_a_run_that_is_cancelled_before_its_scope_unfolds_has_no_instances() -> None:
    scene = Scene(Play(DagSpec("sales", EACH, scopes=(Scope("s", "each"),)), items={0: 3})).open()
    scene.cancel()
    scene.finish()
    assert set(scene.states().values()) == {TaskState.CANCELLED}
    assert (len(scene.states()), scene.run_state()) == (3, RunState.CANCELLED)


def test_a_cancellation_ends_instances_that_wait_and_those_that_go_on() -> None:
    scene = each(3, max_active=1)
    scene.cancel()
    assert wholes(scene) == [GOES, TaskState.CANCELLED, TaskState.CANCELLED]
    scene.finish()
    assert set(scene.states().values()) == {TaskState.CANCELLED}
    assert (len(scene.states()), scene.run_state()) == (9, RunState.CANCELLED)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ({}, [S, S, S]),
        ({(0, 0): "skipped", (0, 1): "skipped"}, [K, K, K]),
        ({(0, 0): "skipped"}, [S, S, S]),
        ({(0, 1): "failed"}, [F, U, U]),
        ({(0, 1): "failed", (1, 0): "failed"}, [F, F, U]),
    ],
)
def test_a_task_as_a_whole_comes_to_the_worst_of_its_instances(
    ends: dict[Instance, Verdict], expected: Sequence[TaskState]
) -> None:
    scene = each(2, ends)
    scene.finish()
    assert wholes(scene) == expected


@pytest.mark.parametrize(("rule", "last"), [("all_done", S), ("one_failed", S), ("none_failed", U), ("all_skipped", K)])
def test_trigger_rules_hold_inside_of_a_scope_for_each_instance_by_itself(rule: TriggerRule, last: TaskState) -> None:
    tasks = (TaskSpec("a", scope=0), TaskSpec("b", scope=0, upstream=(0,), trigger_rule=rule))
    play = Play(DagSpec("sales", tasks, scopes=(Scope("s", "each"),)), {(0, 1): "failed"}, items={0: 3})
    scene = Scene(play).open()
    scene.finish()
    assert scene.states()[1, 1] is last
    assert scene.states() == end_of_run(play)


# --- turn by turn ---------------------------------------------------------------------------------------------------


def test_a_loop_ends_when_it_is_done_and_its_tasks_have_an_instance_for_each_turn() -> None:
    scene = loop(3)
    scene.finish()
    assert [index for no, index in scene.states() if no == 0] == [-1, 0, 1, 2]
    assert wholes(scene) == [S, S, S]


def test_a_loop_takes_its_turns_one_after_another() -> None:
    scene = loop(3)
    scene.answer("unfold", 0)
    while scene.board.runs[1].states[2] is TaskState.NONE:
        assert len(begun(scene)) <= 1
        scene.moves()[0]()
        scene.settle()


def test_a_loop_that_does_not_come_to_its_end_fails_the_task_that_says_when_it_is_done() -> None:
    scene = loop(9, limit=2)
    scene.finish()
    assert wholes(scene) == [S, F, U]
    assert len([action for action, _ in scene.alerts if action == "trigger"]) == 1
    assert scene.run_state() is RunState.FAILED


def test_a_turn_that_fails_is_the_last() -> None:
    scene = loop(5, {(0, 1): "failed"})
    scene.finish()
    assert wholes(scene) == [F, U, U]
    assert (0, 2) not in scene.states()


def test_a_turn_that_cannot_be_made_fails_the_loop() -> None:
    desk = Desk()
    desk.open(*LOOP, scopes=(Scope("s", "loop", until=1),))
    desk.board.unfolded(desk.unfolds[0], [b"\x01"], desk.now)
    desk.tick()
    desk.report(1)
    desk.report(2)
    assert desk.unfolds[1].turn == 1
    desk.board.not_unfolded(desk.unfolds[1], "no such key", desk.now)
    desk.tick()
    assert desk.task_states()[0, UNMAPPED] is S
    assert desk.task_states()[1, UNMAPPED] is F
    desk.board.unfolded(desk.unfolds[1], [b"\x01"], desk.now)
    assert not desk.tick().commit


def test_a_loop_without_an_end_of_its_own_goes_on_to_its_limit() -> None:
    spec = DagSpec("sales", (TaskSpec("a", scope=0),), scopes=(Scope("s", "loop", limit=2),))
    scene = Scene(Play(spec, items={0: 9})).open()
    scene.finish()
    assert scene.states() == {(0, -1): F, (0, 0): S, (0, 1): S}


def test_a_loop_that_is_cancelled_between_two_turns_ends_at_once() -> None:
    scene = loop(3)
    scene.answer("unfold", 0)
    scene.end(0, 0)
    scene.end(1, 0)
    assert list(scene.asked) == [("unfold", 1, 0)]
    scene.cancel()
    assert wholes(scene) == [S, S, TaskState.CANCELLED]
    assert scene.run_state() is RunState.CANCELLED


# --- taken over from another run ------------------------------------------------------------------------------------


def carried(*ends: tuple[int, int]) -> Scene:
    """A run of three items that takes over these successes, and the items, from another run."""
    play = Play(DagSpec("sales", EACH, scopes=(Scope("s", "each", max_active=1),)), items={0: 3})
    scene = Scene(play)
    rows = tuple(Carried(no, index, S, Cause.CARRIED_SUCCESS) for no, index in ends)
    old = run_of(9)
    new = NewRun(
        "sales", "version", "k", "manual", old.interval.start, old.interval.end, b"\x80", NOW, based_on=9, carried=rows
    )
    run = scene.written.create(new)
    scene.written.items[run.run_id] = {0: 3}
    scene.restart()
    return scene


@pytest.mark.parametrize(
    "ends", [(), ((0, 0),), ((0, 0), (1, 0), (0, 2)), ((0, -1), (0, 0), (0, 1), (0, 2)), ((0, 1), (1, 1))]
)
def test_a_run_that_takes_over_instances_performs_only_the_others(ends: tuple[tuple[int, int], ...]) -> None:
    scene = carried(*ends)
    while moves := scene.moves():
        assert len(begun(scene)) <= 1
        assert not scene.asked
        moves[0]()
        scene.settle()
        scene.restart()
    assert set(scene.states().values()) == {S}
    assert len(scene.states()) == 9
    performed = {(row.task_no, row.map_index) for row in scene.written.attempts.values()}
    assert performed.isdisjoint(ends)
    assert scene.run_state() is RunState.SUCCESS


def test_a_run_that_took_over_instances_and_is_cancelled_before_it_begins_leaves_nothing_unended() -> None:
    scene = carried((0, 0))
    again = Scene(scene.play)
    rows = (Carried(0, 0, S, Cause.CARRIED_SUCCESS),)
    run = again.written.create(NewRun("sales", "version", "k", "manual", NOW, NOW + DAY, b"\x80", NOW, carried=rows))
    again.written.items[run.run_id] = {0: 3}
    again.board.adopt(again.written.open_run(1), again.shapes["sales"], NOW)
    again.cancel()
    assert again.run_state() is RunState.CANCELLED
    assert again.written.is_whole()
