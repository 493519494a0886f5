"""What a task needs of other intervals is asked for when its turn comes, and again whenever something of them succeeds."""

from ostinato.model.cause import Cause
from ostinato.model.change import SwitchedOff
from ostinato.model.record import UNMAPPED
from ostinato.model.spec import DagSpec, Need, Scope, TaskSpec
from ostinato.model.state import RunState, TaskState
from tests.unit.decide.boards import Desk, run_of
from tests.unit.decide.naive import Play
from tests.unit.decide.scenes import Scene

NEEDY = TaskSpec("sum", needs=(Need("raw"), Need("raw", "check"), Need()))


def asking() -> Desk:
    """A desk whose run 1 waits for intervals."""
    desk = Desk()
    desk.open(NEEDY)
    assert [(needing.run.run_id, needing.no) for needing in desk.needs] == [(1, 0)]
    return desk


def test_it_begins_once_what_it_needs_is_there_and_no_sooner() -> None:
    desk = asking()
    assert desk.sent == []
    desk.board.needs_met(desk.needs[0], desk.now)
    assert list(desk.tick().dispatches) == [1]
    desk.board.needs_met(desk.needs[0], desk.now)
    assert not desk.tick().commit


def test_it_is_asked_for_again_when_a_run_or_a_task_that_is_needed_has_succeeded_and_for_nothing_else() -> None:
    desk = asking()
    for dag_id, task_id, asks in (("raw", "check", True), ("raw", "other", False), ("else", "check", False)):
        desk.needs.clear()
        desk.open(TaskSpec(task_id), TaskSpec("more", upstream=(0,)), run=run_of(2, dag_id=dag_id))
        desk.report(desk.of(0, 2))
        assert bool(desk.needs) is asks
        desk.needs.clear()
        desk.report(desk.of(1, 2))
        assert desk.run_state(2) is RunState.SUCCESS
        assert bool(desk.needs) is (dag_id == "raw")


def test_it_is_asked_for_again_however_a_run_ends_as_a_newer_one_may_have_succeeded_while_it_was_open() -> None:
    desk = asking()
    desk.open(TaskSpec("check"), run=run_of(2, dag_id="raw"))
    desk.needs.clear()
    desk.decide("mark_failed", 0, run_id=2)
    assert desk.run_state(2) is RunState.FAILED
    assert len(desk.needs) == 1


def test_one_whose_needs_are_met_before_it_is_asked_for_again_begins_once() -> None:
    desk = Desk()
    arrived = TaskSpec("arrived", kind="interval", needs=(Need("raw"),))
    desk.open(arrived, TaskSpec("sum", needs=(Need(task_id="arrived"),)))
    first, second = desk.needs
    desk.board.needs_met(first, desk.now)  # its success is a reason to ask for the other again
    desk.board.needs_met(second, desk.now)
    step = desk.tick()
    assert (list(step.dispatches), list(step.needs)) == ([1], [])


def test_nobody_asks_for_one_that_waits_no_more() -> None:
    for end in (lambda desk: desk.board.cancel(1, "ann", desk.now), lambda desk: desk.decide("mark_success")):
        desk = asking()
        desk.open(NEEDY, run=run_of(3))
        end(desk)
        desk.tick()
        desk.needs.clear()
        desk.open(TaskSpec("check"), run=run_of(2, dag_id="raw"))
        desk.report(desk.of(0, 2))
        assert {needing.run.run_id for needing in desk.needs} == {3}


def test_one_that_has_begun_is_asked_for_no_more() -> None:
    desk = asking()
    desk.board.needs_met(desk.needs.pop(), desk.now)
    desk.tick()
    desk.open(TaskSpec("check"), run=run_of(2, dag_id="raw"))
    desk.report(desk.of(0, 2))
    assert desk.needs == []


def test_a_task_that_is_nothing_but_its_needs_succeeds_as_they_are_met() -> None:
    desk = Desk()
    desk.open(TaskSpec("arrived", kind="interval", needs=(Need("raw"),)), TaskSpec("after", upstream=(0,)))
    desk.board.needs_met(desk.needs[0], desk.now)
    commit = desk.tick().commit
    assert [event.cause for event in commit.events] == [Cause.INTERVALS_DONE, Cause.READY]
    assert desk.sent == [1]


# --- switched off ---------------------------------------------------------------------------------------------------


def switched(becomes: SwitchedOff) -> dict[tuple[str, str], SwitchedOff]:
    return {("sales", "sum"): becomes}


def test_a_task_that_is_switched_off_ends_as_its_turn_comes_whatever_it_needs() -> None:
    for becomes, ends in (("success", [TaskState.SUCCESS, TaskState.QUEUED]), ("skipped", [TaskState.SKIPPED] * 2)):
        desk = Desk()
        desk.board.ready.switched_off = switched(becomes)  # type: ignore[arg-type]
        desk.open(NEEDY, TaskSpec("after", upstream=(0,)))
        assert list(desk.last_states().values()) == ends
        assert desk.needs == []


def test_one_that_is_switched_off_while_it_waits_for_its_needs_is_not_run_when_they_are_met() -> None:
    desk = asking()
    desk.board.ready.switched_off = switched("skipped")
    desk.board.needs_met(desk.needs[0], desk.now)
    desk.tick()
    assert (desk.sent, desk.last_states()) == ([], {0: TaskState.SKIPPED})


def test_a_task_in_a_scope_that_is_switched_off_ends_in_each_instance() -> None:
    tasks = (TaskSpec("sum", scope=0), TaskSpec("after", scope=0, upstream=(0,)))
    for kind in ("each", "loop"):
        scope = Scope("s", kind, until=0 if kind == "loop" else None)  # type: ignore[arg-type]
        play = Play(DagSpec("sales", tasks, scopes=(scope,)), items={0: 2})
        scene = Scene(play, switched_off=switched("success")).open()
        scene.finish()
        assert [row.task_no for row in scene.written.attempts.values()] == [1, 1]
        assert scene.states()[0, UNMAPPED] is TaskState.SUCCESS
        assert scene.run_state() is RunState.SUCCESS
