"""Instances of tasks, what they are for, what people decide about them, and what a run takes over from another."""

from itertools import pairwise

import pytest

from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, Carried, Commit, Item, NewAttempt, NewRun, Output, TaskMove
from ostinato.model.errors import InvariantBroken, NotFound
from ostinato.model.record import UNMAPPED, Intervention, Run, Task
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.store import Store
from tests.contract.leader import MAY_1, NO_PARAMS, Leader, deploy, new_run


def unfold(leader: Leader, run: Run, *outputs: bytes | None) -> None:
    """The task 1 unfolds to so many instances, each of which succeeds and returns one of these."""
    commit = Commit(tasks=[TaskMove(run.run_id, 1, TaskState.NONE, TaskState.RUNNING, MAY_1)])
    for index, output in enumerate(outputs):
        commit.items.append(Item(run.run_id, 0, index, b"item %d" % index))
        attempt = leader.next_attempt
        leader.next_attempt += 1
        commit.new_attempts.append(NewAttempt(attempt, run.run_id, 1, 1, "a", MAY_1, index))
        moves = (TaskState.NONE, TaskState.QUEUED, TaskState.SUCCESS)
        for was, becomes in pairwise(moves):
            commit.tasks.append(TaskMove(run.run_id, 1, was, becomes, MAY_1, attempt, map_index=index))
        commit.attempts.append(AttemptMove(attempt, AttemptState.QUEUED, AttemptState.SUCCESS, finished_at=MAY_1))
        if output is not None:
            commit.outputs.append(Output(run.run_id, 1, output, index))
    leader.store.commit(commit, leader.epoch)


# --- instances ------------------------------------------------------------------------------------------------------


def test_instances_of_a_task_are_rows_of_their_own(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    unfold(leader, run, b"\x01", None, b"\x03")
    rows = [(task.task_no, task.map_index, task.state) for task in store.tasks(run.run_id)]
    assert rows == [(1, -1, TaskState.RUNNING), *((1, index, TaskState.SUCCESS) for index in range(3))]
    assert [row.map_index for row in store.attempts(run.run_id, 1)] == [0, 1, 2]
    assert [store.output(run.run_id, 1, index) for index in (-1, 0, 1, 2)] == [None, b"\x01", None, b"\x03"]


def test_what_each_instance_is_for_is_kept(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    unfold(leader, run, None, None)
    assert [store.item(run.run_id, 0, index) for index in range(3)] == [b"item 0", b"item 1", None]
    assert store.item(run.run_id, 1, 0) is None
    assert store.item(99, 0, 0) is None


def test_an_item_is_written_once(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    unfold(leader, run, None)
    with pytest.raises(InvariantBroken):
        store.commit(Commit(items=[Item(run.run_id, 0, 0, b"other")]), leader.epoch)
    assert store.item(run.run_id, 0, 0) == b"item 0"


def test_the_outputs_of_all_instances_are_in_order_and_only_of_those_that_succeeded(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    unfold(leader, run, b"\x09", None, b"\x01")
    moves = [TaskMove(run.run_id, 1, TaskState.NONE, TaskState.SKIPPED, MAY_1, map_index=3)]
    moves.append(TaskMove(run.run_id, 0, TaskState.NONE, TaskState.SKIPPED, MAY_1))
    store.commit(Commit(tasks=moves), leader.epoch)
    assert store.outputs_of_all(run.run_id, 1) == [b"\x09", None, b"\x01"]
    assert store.outputs_of_all(run.run_id, 0) == []


def test_open_work_knows_instances_and_how_far_scopes_have_unfolded(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    unfold(leader, run, None, None)
    moves = [TaskMove(run.run_id, 1, TaskState.NONE, TaskState.QUEUED, MAY_1, 9, map_index=2)]
    new = [NewAttempt(9, run.run_id, 1, 1, "a", MAY_1, 2)]
    store.commit(Commit(tasks=moves, new_attempts=new, items=[Item(run.run_id, 1, 0, b"x")]), leader.epoch)
    [found] = store.open_work()
    assert found.items == {0: 2, 1: 1}
    assert found.tries == {(1, 0): 1, (1, 1): 1, (1, 2): 1}
    assert [(row.attempt, row.map_index) for row in found.live] == [(9, 2)]
    assert [task.map_index for task in found.tasks] == [UNMAPPED, 0, 1, 2]


def test_one_run_is_read_like_all_open_work_and_whether_it_is_open_or_not(store: Store) -> None:
    leader = Leader(store)
    version = deploy(store)
    first, second = leader.begin(version), leader.begin(version, 1)
    unfold(leader, first, b"\x01")
    assert [store.open_run(first.run_id), store.open_run(second.run_id)] == store.open_work()
    leader.move_run(second.run_id, RunState.RUNNING, RunState.SUCCESS)
    leader.commit()
    assert store.open_run(second.run_id).run.state is RunState.SUCCESS
    with pytest.raises(NotFound, match="no run 99"):
        store.open_run(99)


# --- people ---------------------------------------------------------------------------------------------------------


def test_decisions_wait_in_their_order_until_they_are_taken_in(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    store.decide(run.run_id, (1, 2), "approve", "ann", MAY_1)
    store.decide(run.run_id, (0, UNMAPPED), "mark_failed", "bob", MAY_1 + 1)
    first, second = store.interventions()
    assert first == Intervention(first.intervention_id, run.run_id, 1, 2, "approve", "ann", MAY_1)
    assert second == Intervention(second.intervention_id, run.run_id, 0, UNMAPPED, "mark_failed", "bob", MAY_1 + 1)
    store.commit(Commit(taken=[first.intervention_id]), leader.epoch)
    assert store.interventions() == [second]
    store.commit(Commit(taken=[first.intervention_id, second.intervention_id]), leader.epoch)
    assert store.interventions() == []


def test_nobody_decides_about_a_run_that_is_not_there(store: Store) -> None:
    with pytest.raises(NotFound, match="no run 5"):
        store.decide(5, (0, UNMAPPED), "approve", "ann", MAY_1)
    assert store.interventions() == []


def test_a_task_is_switched_off_and_on(store: Store) -> None:
    deploy(store)
    revisions = [store.dags_revision()]
    store.switch_off("daily", "step_1", "skipped", "ann", MAY_1)
    revisions.append(store.dags_revision())
    assert store.switched_off() == {("daily", "step_1"): "skipped"}
    store.switch_off("daily", "step_1", "success", "bob", MAY_1 + 1)
    revisions.append(store.dags_revision())
    assert store.switched_off() == {("daily", "step_1"): "success"}
    assert store.switch_on("daily", "step_1", "ada", MAY_1)
    revisions.append(store.dags_revision())
    assert not store.switch_on("daily", "step_1", "ada", MAY_1)
    assert store.switched_off() == {}
    assert revisions == sorted(set(revisions))


def test_a_task_of_a_dag_that_is_not_there_is_not_switched(store: Store) -> None:
    with pytest.raises(NotFound):
        store.switch_off("nope", "t", "success", "ann", MAY_1)
    with pytest.raises(NotFound):
        store.switch_on("nope", "t", "ada", MAY_1)


# --- runs of runs ---------------------------------------------------------------------------------------------------


def test_a_called_run_says_who_called_for_it(store: Store) -> None:
    leader = Leader(store)
    version = deploy(store)
    caller = leader.begin(version)
    called = NewRun(
        "daily", version, "call:1", "called", MAY_1, MAY_1 + 1, NO_PARAMS, MAY_1, parent=(caller.run_id, 2, 7)
    )
    [run] = store.commit(Commit(new_runs=[called]), leader.epoch)
    assert (run.kind, run.parent) == ("called", (caller.run_id, 2, 7))
    assert store.run(run.run_id) == run
    assert [event.cause for event in store.events(run.run_id)] == [Cause.CALLED]
    assert store.commit(Commit(new_runs=[called]), leader.epoch) == []


def rerun(version: str, old: int) -> NewRun:
    """A run that takes over the task 0, all of the scope 0 and of it the instances 0 and 1 of the task 1."""
    success = TaskState.SUCCESS
    return NewRun(
        "daily",
        version,
        "again",
        "manual",
        MAY_1,
        MAY_1 + 1,
        NO_PARAMS,
        MAY_1 + 5,
        based_on=old,
        carried=(
            Carried(0, UNMAPPED, success, Cause.CARRIED_SUCCESS, output_of=0),
            Carried(1, 0, success, Cause.CARRIED_SUCCESS, output_of=1),
            Carried(1, 1, success, Cause.CARRIED_SUCCESS, output_of=1),
            Carried(2, UNMAPPED, TaskState.SKIPPED, Cause.CARRIED_SKIPPED),
        ),
        scopes=((0, 0),),
    )


def test_a_run_takes_over_ends_outputs_and_items_of_another_and_begins_with_them(store: Store) -> None:
    leader = Leader(store)
    version = deploy(store)
    old = leader.begin(version)
    leader.dispatch(old.run_id, 0)
    leader.commit()
    leader.succeed(old.run_id, 0, output=b"\x2a")
    leader.commit()
    unfold(leader, old, b"\x01", None, b"\x03")
    [run] = store.create_runs([rerun(version, old.run_id)])
    assert (run.based_on, store.run(run.run_id)) == (old.run_id, run)
    rows = [
        (0, -1, TaskState.SUCCESS),
        (1, 0, TaskState.SUCCESS),
        (1, 1, TaskState.SUCCESS),
        (2, -1, TaskState.SKIPPED),
    ]
    assert store.tasks(run.run_id) == [
        Task(run.run_id, task_no, state, MAY_1 + 5, map_index=index) for task_no, index, state in rows
    ]
    assert store.outputs_of_all(run.run_id, 1) == [b"\x01", None]
    assert store.output(run.run_id, 0) == b"\x2a"
    assert [store.item(run.run_id, 0, index) for index in range(4)] == [b"item 0", b"item 1", b"item 2", None]
    history = [(event.seq, event.cause, event.becomes, event.map_index) for event in store.events(run.run_id)]
    assert history == [
        (0, Cause.RERUN, "queued", -1),
        (1, Cause.CARRIED_SUCCESS, "success", -1),
        (2, Cause.CARRIED_SUCCESS, "success", 0),
        (3, Cause.CARRIED_SUCCESS, "success", 1),
        (4, Cause.CARRIED_SKIPPED, "skipped", -1),
    ]
    found = store.open_run(run.run_id)
    assert (found.items, found.next_seq, found.tries, len(found.tasks)) == ({0: 3}, 5, {}, 4)


def test_a_run_whose_key_is_taken_takes_nothing_over(store: Store) -> None:
    leader = Leader(store)
    version = deploy(store)
    old = leader.begin(version)
    unfold(leader, old, b"\x01", b"\x02")
    [run] = store.create_runs([rerun(version, old.run_id)])
    before = (store.tasks(run.run_id), store.events(run.run_id))
    assert store.create_runs([rerun(version, old.run_id)]) == []
    assert (store.tasks(run.run_id), store.events(run.run_id)) == before


def test_a_run_that_takes_over_nothing_is_a_run_like_any_other(store: Store) -> None:
    version = deploy(store)
    [run] = store.create_runs([new_run(version)])
    assert (run.based_on, run.parent, store.tasks(run.run_id)) == (None, None, [])
