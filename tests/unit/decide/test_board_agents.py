"""Agents come, go and come back: what they hold stays theirs, what they never had is sent, what died with them ends."""

import pytest
from msgspec import structs

from ostinato.model.cause import Cause
from ostinato.model.errors import ErrorClass
from ostinato.model.message import Finished, Hello, LogRange, Started
from ostinato.model.record import Attempt, OpenRun, Task
from ostinato.model.spec import TaskSpec
from ostinato.model.state import AttemptState, RunState, TaskState
from tests.unit.decide.boards import FIRST, NOW, RESOURCE, RETRY, TRANSIENT, Desk, run_of, shape_of

ONE = TaskSpec("t", retry=RETRY)


def at_work() -> Desk:
    """A desk whose agent a1 has the attempt 1 of the only task."""
    desk = Desk()
    desk.open(ONE)
    assert desk.sent == [1]
    return desk


def test_without_an_agent_work_waits() -> None:
    desk = Desk(joined=False)
    desk.open(ONE)
    assert desk.sent == []
    desk.join()
    assert desk.sent == [1]


def test_no_more_is_sent_than_the_window_holds() -> None:
    desk = Desk(window=2)
    desk.open(TaskSpec("a"), TaskSpec("b"), TaskSpec("c"))
    assert desk.sent == [1, 2]
    desk.report(1)
    assert desk.sent == [1, 2, 3]


def test_what_was_never_delivered_is_sent_again_under_its_id_and_costs_no_number() -> None:
    desk = at_work()
    desk.board.agent_gone("a1")
    step = desk.join(holds=[])
    assert list(step.dispatches) == [1]
    assert step.dispatches[1].number == 1
    assert not step.commit


def test_what_an_agent_still_holds_is_not_sent_again() -> None:
    desk = at_work()
    assert not desk.join(holds=[1]).dispatches


def test_an_agent_that_joins_twice_at_once_is_sent_its_work_once() -> None:
    desk = at_work()
    desk.board.agent_gone("a1")
    desk.board.agent_joined(Hello("a1", 1, 2, 10, ()), NOW)
    step = desk.join(holds=[])
    assert list(step.dispatches) == [1]


def test_what_an_agent_holds_and_should_not_is_stopped() -> None:
    desk = at_work()
    step = desk.join(holds=[1, 77, 66])
    assert step.cancel == {"a1": [66, 77]}


def test_an_attempt_that_had_begun_is_lost_with_its_agent_and_spends_the_resource_budget() -> None:
    desk = at_work()
    desk.board.agent_gone("a1")
    step = desk.join("a2", predecessors=[("a1", (1,))])
    assert [event.cause for event in step.commit.events] == [Cause.LOST_WILL_RETRY]
    assert [move.error_class for move in step.commit.attempts] == ["resource"]
    assert desk.state(0) is TaskState.UP_FOR_RETRY


def test_an_attempt_that_never_began_is_tried_again_at_once_and_spends_nothing() -> None:
    desk = at_work()
    for life in range(2, 12):
        step = desk.join(f"a{life}", predecessors=[(f"a{life - 1}", ())])
        assert [event.cause for event in step.commit.events] == [Cause.INTERRUPTED, Cause.RETRY_DUE]
        assert [move.error_class for move in step.commit.attempts] == [None]
    assert desk.state(0) is TaskState.QUEUED
    assert desk.board.runs[1].failures == {}


def test_of_an_agent_that_nobody_knows_anything_of_all_may_have_begun() -> None:
    desk = at_work()
    desk.board.agent_gone("a1")
    step = desk.join("a2")
    assert [event.cause for event in step.commit.events] == [Cause.LOST_WILL_RETRY]


def test_a_predecessor_is_dead_even_if_its_connection_seems_to_live() -> None:
    desk = at_work()
    desk.join("a2", predecessors=[("a1", ())])
    assert not desk.board.capacity.seated("a1")
    assert desk.board.attempts[2].agent == "a2"


def test_another_agent_takes_nothing_from_one_that_lives() -> None:
    desk = at_work()
    assert not desk.join("a2").commit
    assert desk.board.attempts[1].agent == "a1"


def test_losing_it_too_often_is_final() -> None:
    desk = at_work()
    desk.join("a2", predecessors=[("a1", (1,))])
    desk.tick(4_000)
    step = desk.join("a3", predecessors=[("a2", (2,))])
    assert [event.cause for event in step.commit.events] == [Cause.LOST_FINALLY, Cause.TASKS_FAILED]


def test_a_result_takes_effect_once_and_is_acknowledged_each_time() -> None:
    desk = at_work()
    assert desk.report(1).commit
    again = desk.report(1, "failed", RESOURCE)
    assert not again.commit
    assert desk.acknowledged == [1, 1]
    assert desk.run_state() is RunState.SUCCESS


def test_a_result_of_an_earlier_attempt_changes_nothing() -> None:
    desk = at_work()
    desk.report(1, "failed", TRANSIENT)
    assert desk.sent == [1, 2]
    assert not desk.report(1).commit
    assert desk.state(0) is TaskState.QUEUED


def test_a_start_is_written_once() -> None:
    desk = at_work()
    desk.board.started("a1", Started(1, NOW + 3, LogRange("s", 0, 0)), NOW + 5)
    step = desk.tick()
    assert [(move.becomes, move.started_at) for move in step.commit.attempts] == [(AttemptState.RUNNING, NOW + 3)]
    assert desk.state(0) is TaskState.RUNNING
    desk.board.started("a1", Started(1, NOW + 3), NOW + 6)
    assert not desk.tick().commit


def test_one_that_starts_and_should_not_is_told_to_stop() -> None:
    desk = at_work()
    desk.board.started("a1", Started(99, NOW), NOW)
    step = desk.tick()
    assert (step.cancel, bool(step.commit)) == ({"a1": [99]}, False)


def test_an_agent_that_stops_in_order_gets_nothing_more_and_its_attempts_cost_nothing() -> None:
    desk = at_work()
    step = desk.report(1, "interrupted")
    assert [event.cause for event in step.commit.events] == [Cause.INTERRUPTED]
    assert desk.sent == [1]
    assert desk.board.runs[1].failures == {}
    desk.join("a2", predecessors=[("a1", ())])
    assert desk.sent == [1, 2]


def test_an_attempt_that_cannot_be_prepared_fails_and_nobody_is_told_of_its_end() -> None:
    desk = at_work()
    step = desk.report(1, "failed", agent=None)
    assert step.acknowledge == {}
    assert desk.state(0) is TaskState.UP_FOR_RETRY


def test_what_was_never_sent_and_ends_in_the_same_step_is_not_sent() -> None:
    desk = at_work()
    desk.board.agent_gone("a1")
    desk.board.agent_joined(Hello("a1", 1, 2, 10, ()), NOW)
    step = desk.join("a2", predecessors=[("a1", ())])
    assert list(step.dispatches) == [2]


def with_attempt_4(desk: Desk, state: AttemptState) -> None:
    """The state has a run whose only task is tried for the second time, by a1, after a transient failure."""
    task = Task(1, 0, TaskState.RUNNING if state is AttemptState.RUNNING else TaskState.QUEUED, NOW, attempt=4)
    attempt = Attempt(4, 1, 0, 2, state, "a1", NOW)
    running = structs.replace(run_of(1), state=RunState.RUNNING)
    found = OpenRun(running, (task,), (attempt,), {FIRST: 2}, {FIRST: {"transient": 1}}, 9)
    desk.board.adopt(found, shape_of(ONE), NOW)


@pytest.mark.parametrize("state", [AttemptState.QUEUED, AttemptState.RUNNING])
def test_what_nobody_holds_once_the_state_was_set_back_gets_a_new_id_for_it_may_have_been_performed(
    state: AttemptState,
) -> None:
    desk = Desk(joined=False, attempt_set_back=99)
    with_attempt_4(desk, state)
    step = desk.join(holds=[])
    assert [event.cause for event in step.commit.events] == [Cause.INTERRUPTED, Cause.RETRY_DUE]
    assert desk.sent == [100]
    assert desk.board.runs[1].failures == {0: {ErrorClass.TRANSIENT: 1}}  # as before: that costs nothing
    desk.join(holds=[])
    assert desk.sent == [100, 100]  # of what came afterwards all is known


@pytest.mark.parametrize("state", [AttemptState.QUEUED, AttemptState.RUNNING])
def test_what_an_agent_holds_goes_on_though_the_state_was_set_back(state: AttemptState) -> None:
    desk = Desk(joined=False, attempt_set_back=99)
    with_attempt_4(desk, state)
    desk.join(holds=[4])
    assert desk.sent == []
    step = desk.report(4)
    assert [event.cause for event in step.commit.events] == [Cause.REPORTED_SUCCESS, Cause.TASKS_SUCCEEDED]


@pytest.mark.parametrize("state", [AttemptState.QUEUED, AttemptState.RUNNING])
def test_after_a_restart_an_agent_goes_on_with_what_it_has(state: AttemptState) -> None:
    desk = Desk(joined=False)
    with_attempt_4(desk, state)
    desk.join(holds=[4])
    assert desk.sent == []
    desk.board.finished("a1", Finished(4, "failed", NOW, NOW, failure=TRANSIENT), NOW)
    step = desk.tick()
    assert [event.seq for event in step.commit.events] == [9, 10]
    assert step.commit.events[0].facts is not None
    assert step.commit.events[0].facts["failures"] == 2
