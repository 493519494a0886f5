"""Who may write, and that it is all or nothing."""

from collections.abc import Callable

import pytest

from ostinato.model.cause import Cause
from ostinato.model.change import (
    Alert,
    AttemptMove,
    Commit,
    Delivery,
    Event,
    NewAttempt,
    Output,
    RunMove,
    ScheduleCursor,
    TaskMove,
)
from ostinato.model.errors import FencedOut, InvariantBroken, NotFound
from ostinato.model.record import Run
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.store import Store
from tests.contract.leader import MAY_1, Leader, deploy, everything, new_run


def test_each_lead_has_a_higher_epoch(store: Store) -> None:
    assert [store.take_lead("a", 1), store.take_lead("b", 2), store.take_lead("a", 3)] == [1, 2, 3]


def test_a_commit_of_an_earlier_epoch_is_refused_and_changes_nothing(store: Store) -> None:
    version = deploy(store)
    old = Leader(store, "old")
    run = old.begin(version)
    new = Leader(store, "new")
    before = everything(store)
    old.dispatch(run.run_id, 0)
    with pytest.raises(FencedOut, match="taken by new"):
        old.commit()
    assert everything(store) == before
    new.next_seq[run.run_id] = 2
    new.dispatch(run.run_id, 0)
    new.commit()


def test_a_fenced_out_leader_cannot_create_runs(store: Store) -> None:
    version = deploy(store)
    old = Leader(store, "old")
    store.take_lead("new", MAY_1)
    with pytest.raises(FencedOut):
        store.commit(Commit(new_runs=[new_run(version)]), old.epoch)
    assert store.runs() == []


STALE: dict[str, Callable[[Run], Commit]] = {
    "a run's move from another state": lambda run: Commit(
        runs=[RunMove(run.run_id, RunState.QUEUED, RunState.RUNNING, MAY_1)]
    ),
    "a run's move that is not there": lambda _: Commit(runs=[RunMove(99, RunState.QUEUED, RunState.RUNNING, MAY_1)]),
    "a task's second first move": lambda run: Commit(
        tasks=[TaskMove(run.run_id, 0, TaskState.NONE, TaskState.SKIPPED, MAY_1)]
    ),
    "a task's move from another state": lambda run: Commit(
        tasks=[TaskMove(run.run_id, 0, TaskState.RUNNING, TaskState.SUCCESS, MAY_1)]
    ),
    "a task's move that is not there": lambda run: Commit(
        tasks=[TaskMove(run.run_id, 2, TaskState.QUEUED, TaskState.SUCCESS, MAY_1)]
    ),
    "an attempt's move from another state": lambda _: Commit(
        attempts=[AttemptMove(1, AttemptState.RUNNING, AttemptState.SUCCESS)]
    ),
    "an attempt's id twice": lambda run: Commit(
        new_attempts=[NewAttempt(1, run.run_id, 2, 1, "agent-1", MAY_1)],
        tasks=[TaskMove(run.run_id, 2, TaskState.NONE, TaskState.QUEUED, MAY_1, 1)],
    ),
    "an attempt its task instance does not name": lambda run: Commit(
        new_attempts=[NewAttempt(9, run.run_id, 2, 1, "agent-1", MAY_1)],
        tasks=[TaskMove(run.run_id, 2, TaskState.NONE, TaskState.QUEUED, MAY_1)],
    ),
    "an event's number twice": lambda run: Commit(
        events=[Event(run.run_id, 0, MAY_1, Cause.ADMITTED, "queued", "running")]
    ),
    "a second output": lambda run: Commit(outputs=[Output(run.run_id, 1, b"\x02")]),
    "an alert delivered that was never written": lambda _: Commit(deliveries=[Delivery(7, MAY_1, done=True)]),
}


@pytest.mark.parametrize("stale", STALE)
def test_a_commit_that_does_not_fit_the_state_is_refused_as_a_whole(store: Store, stale: str) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    leader.dispatch(run.run_id, 0, 1)
    leader.succeed(run.run_id, 1, output=b"\x01")
    leader.commit()
    before = everything(store)
    change = STALE[stale](run)
    leader.record(run.run_id, Cause.ADMITTED, "running", "running")
    change.events += leader.change.events
    change.alerts.append(Alert("key", "trigger", "error", "must not be seen", MAY_1, {}))
    with pytest.raises(InvariantBroken):
        store.commit(change, leader.epoch)
    assert everything(store) == before


@pytest.mark.parametrize(
    "change",
    [
        Commit(new_runs=[new_run("no such version")]),
        Commit(cursors=[ScheduleCursor("no such dag", MAY_1)]),
    ],
)
def test_a_commit_about_a_definition_that_is_not_there_says_so(store: Store, change: Commit) -> None:
    deploy(store)
    leader = Leader(store)
    with pytest.raises(NotFound):
        store.commit(change, leader.epoch)


def test_the_store_goes_on_after_a_refused_commit(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    leader.agent = "never seen before"
    leader.dispatch(run.run_id, 0)
    leader.move_run(run.run_id, RunState.QUEUED, RunState.RUNNING)
    with pytest.raises(InvariantBroken):
        leader.commit()
    leader.next_seq[run.run_id] = 2
    [attempt] = leader.dispatch(run.run_id, 0)
    leader.commit()
    assert [(row.attempt, row.agent) for row in store.attempts(run.run_id)] == [(attempt, "never seen before")]


def test_moves_of_one_task_in_one_commit_apply_in_order(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    leader.dispatch(run.run_id, 0)
    leader.commit()
    leader.fail(run.run_id, 0, becomes=TaskState.UP_FOR_RETRY, due_at=MAY_1)
    second = leader.dispatch(run.run_id, 0, was=TaskState.UP_FOR_RETRY)
    leader.commit()
    [task] = store.tasks(run.run_id)
    assert (task.state, [task.attempt], task.due_at) == (TaskState.QUEUED, second, None)
    assert [row.state for row in store.attempts(run.run_id)] == [AttemptState.FAILED, AttemptState.QUEUED]


def test_an_empty_commit_is_fenced_too(store: Store) -> None:
    epoch = store.take_lead("a", 1)
    assert store.commit(Commit(), epoch) == []
    with pytest.raises(FencedOut):
        store.commit(Commit(), epoch - 1)
