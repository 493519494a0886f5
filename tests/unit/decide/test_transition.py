"""The laws of the three state machines. What the tables refuse is pinned here, so that no arrow appears unnoticed."""

from collections.abc import Mapping
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from

from ostinato.decide.transition import (
    ATTEMPT,
    RUN,
    RUN_BIRTHS,
    TASK,
    diagrams,
    next_attempt,
    next_run,
    next_task,
)
from ostinato.model.cause import Cause
from ostinato.model.state import FINAL_ATTEMPT, FINAL_RUN, FINAL_TASK, AttemptState, RunState, TaskState

MACHINES = [
    pytest.param(RUN, next_run, RunState, FINAL_RUN, RunState.QUEUED, id="run"),
    pytest.param(TASK, next_task, TaskState, FINAL_TASK, TaskState.NONE, id="task"),
    pytest.param(ATTEMPT, next_attempt, AttemptState, FINAL_ATTEMPT, AttemptState.QUEUED, id="attempt"),
]
INTENT = {Cause.CANCEL_REQUESTED}

AN_ATTEMPT_ENDS = {
    Cause.REPORTED_SUCCESS,
    Cause.REPORTED_SKIP,
    Cause.REPORTED_NOT_YET,
    Cause.CONDITION_TIMED_OUT,
    Cause.FAILED_WILL_RETRY,
    Cause.FAILED_FINALLY,
    Cause.LOST_WILL_RETRY,
    Cause.LOST_FINALLY,
    Cause.INTERRUPTED,
    Cause.CANCEL_CONFIRMED,
}
MARKED = {
    Cause.MARKED_SUCCESS: TaskState.SUCCESS,
    Cause.MARKED_FAILED: TaskState.FAILED,
    Cause.MARKED_SKIPPED: TaskState.SKIPPED,
}
MOVES = {
    RunState: {
        RunState.QUEUED: {Cause.ADMITTED, Cause.OVERLAPPED, Cause.CANCELLED},
        RunState.RUNNING: {Cause.TASKS_SUCCEEDED, Cause.TASKS_FAILED, Cause.CANCEL_CONFIRMED},
    },
    TaskState: {
        TaskState.NONE: {
            Cause.READY,
            Cause.AWAITED,
            Cause.UPSTREAM_FAILED,
            Cause.UPSTREAM_SKIPPED,
            Cause.RULE_NOT_MET,
            Cause.EDGE_NOT_TAKEN,
            Cause.BRANCH_NOT_TAKEN,
            Cause.SHORT_CIRCUITED,
            Cause.INTERVALS_DONE,
            Cause.SWITCHED_OFF_AS_SUCCESS,
            Cause.SWITCHED_OFF_AS_SKIPPED,
            Cause.CARRIED_SUCCESS,
            Cause.CARRIED_SKIPPED,
            Cause.EXPANDED,
            Cause.NOTHING_TO_EXPAND,
            Cause.EXPANSION_FAILED,
            Cause.CHILD_CALLED,
            Cause.CHILD_LEFT,
            Cause.CALL_REFUSED,
            Cause.ASKED,
            Cause.CANCELLED,
            *MARKED,
        },
        TaskState.QUEUED: AN_ATTEMPT_ENDS | {Cause.STARTED, *MARKED},
        TaskState.RUNNING: AN_ATTEMPT_ENDS
        | {
            Cause.EXPANSION_FAILED,
            Cause.LOOP_EXHAUSTED,
            Cause.INSTANCES_SUCCEEDED,
            Cause.INSTANCES_FAILED,
            Cause.INSTANCES_SKIPPED,
            Cause.INSTANCES_UPSTREAM_FAILED,
            *MARKED,
        },
        TaskState.UP_FOR_RETRY: {Cause.RETRY_DUE, Cause.CANCELLED, *MARKED},
        TaskState.DEFERRED: {
            Cause.CHECK_DUE,
            Cause.CONDITION_MET,
            Cause.CONDITION_TIMED_OUT,
            Cause.CHILD_SUCCEEDED,
            Cause.CHILD_FAILED,
            Cause.APPROVED,
            Cause.DECLINED,
            Cause.DECLINED_AS_FAILURE,
            Cause.CANCELLED,
            *MARKED,
        },
    },
    AttemptState: {
        AttemptState.QUEUED: AN_ATTEMPT_ENDS | {Cause.STARTED, *MARKED},
        AttemptState.RUNNING: AN_ATTEMPT_ENDS | {*MARKED},
    },
}


@pytest.mark.parametrize(("table", "step", "states", "final", "first"), MACHINES)
def test_every_pair_is_in_the_table_or_in_the_pinned_refusals(table, step, states, final, first):
    allowed = {(state, cause) for state, causes in MOVES[states].items() for cause in causes}
    every = {(state, cause) for state in states for cause in Cause}
    assert set(table) == allowed
    assert {pair for pair in every if step(*pair) is None} == every - allowed
    assert {pair: step(*pair) for pair in allowed} == dict(table)


@pytest.mark.parametrize(("table", "step", "states", "final", "first"), MACHINES)
def test_a_final_state_never_moves(table, step, states, final, first):
    assert {step(state, cause) for state in final for cause in Cause} == {None}


@pytest.mark.parametrize(("table", "step", "states", "final", "first"), MACHINES)
def test_every_state_is_reached_and_reaches_a_final_one(table, step, states, final, first):
    assert closure(table, {first}) == set(states)
    for state in states:
        assert closure(table, {state}) & final


@pytest.mark.parametrize(("table", "step", "states", "final", "first"), MACHINES)
def test_no_move_stands_still(table, step, states, final, first):
    assert all(was is not becomes for (was, _), becomes in table.items())


def test_every_cause_brings_a_run_to_be_or_moves_something_or_is_an_intent():
    moving = {cause for table in (RUN, TASK, ATTEMPT) for _, cause in table}
    assert moving.isdisjoint(RUN_BIRTHS)
    assert moving.isdisjoint(INTENT)
    assert moving | set(RUN_BIRTHS) | INTENT == set(Cause)


@given(sampled_from(AttemptState), sampled_from(sorted(AN_ATTEMPT_ENDS)))
def test_whatever_ends_a_live_attempt_moves_its_task_too(attempt: AttemptState, cause: Cause):
    if attempt not in FINAL_ATTEMPT:
        assert next_attempt(attempt, cause) in FINAL_ATTEMPT
        task = TaskState.QUEUED if attempt is AttemptState.QUEUED else TaskState.RUNNING
        assert next_task(task, cause) not in {None, TaskState.QUEUED, TaskState.RUNNING}


@given(lists(sampled_from(Cause), max_size=60))
def test_in_any_history_the_first_final_state_is_the_last(causes: list[Cause]):
    state, ended = TaskState.NONE, None
    for cause in causes:
        state = next_task(state, cause) or state
        ended = ended or (state if state in FINAL_TASK else None)
    assert ended in {None, state}


@pytest.mark.parametrize("state", [TaskState.QUEUED, TaskState.RUNNING])
@pytest.mark.parametrize(
    ("cause", "becomes"),
    [
        (Cause.REPORTED_SUCCESS, TaskState.SUCCESS),
        (Cause.REPORTED_SKIP, TaskState.SKIPPED),
        (Cause.REPORTED_NOT_YET, TaskState.DEFERRED),
        (Cause.CONDITION_TIMED_OUT, TaskState.FAILED),
        (Cause.FAILED_WILL_RETRY, TaskState.UP_FOR_RETRY),
        (Cause.LOST_WILL_RETRY, TaskState.UP_FOR_RETRY),
        (Cause.FAILED_FINALLY, TaskState.FAILED),
        (Cause.LOST_FINALLY, TaskState.FAILED),
        (Cause.INTERRUPTED, TaskState.UP_FOR_RETRY),
        (Cause.CANCEL_CONFIRMED, TaskState.CANCELLED),
    ],
)
def test_how_an_attempt_ends_decides_where_its_task_goes(state, cause, becomes):
    assert next_task(state, cause) is becomes


@pytest.mark.parametrize(
    ("was", "cause", "becomes"),
    [
        (TaskState.NONE, Cause.READY, TaskState.QUEUED),
        (TaskState.NONE, Cause.AWAITED, TaskState.DEFERRED),
        (TaskState.NONE, Cause.UPSTREAM_FAILED, TaskState.UPSTREAM_FAILED),
        (TaskState.NONE, Cause.UPSTREAM_SKIPPED, TaskState.SKIPPED),
        (TaskState.NONE, Cause.RULE_NOT_MET, TaskState.SKIPPED),
        (TaskState.NONE, Cause.EDGE_NOT_TAKEN, TaskState.SKIPPED),
        (TaskState.NONE, Cause.BRANCH_NOT_TAKEN, TaskState.SKIPPED),
        (TaskState.NONE, Cause.SHORT_CIRCUITED, TaskState.SKIPPED),
        (TaskState.NONE, Cause.INTERVALS_DONE, TaskState.SUCCESS),
        (TaskState.NONE, Cause.SWITCHED_OFF_AS_SUCCESS, TaskState.SUCCESS),
        (TaskState.NONE, Cause.SWITCHED_OFF_AS_SKIPPED, TaskState.SKIPPED),
        (TaskState.NONE, Cause.CARRIED_SUCCESS, TaskState.SUCCESS),
        (TaskState.NONE, Cause.CARRIED_SKIPPED, TaskState.SKIPPED),
        (TaskState.NONE, Cause.EXPANDED, TaskState.RUNNING),
        (TaskState.NONE, Cause.NOTHING_TO_EXPAND, TaskState.SKIPPED),
        (TaskState.NONE, Cause.EXPANSION_FAILED, TaskState.FAILED),
        (TaskState.NONE, Cause.CHILD_CALLED, TaskState.DEFERRED),
        (TaskState.NONE, Cause.CHILD_LEFT, TaskState.SUCCESS),
        (TaskState.NONE, Cause.CALL_REFUSED, TaskState.FAILED),
        (TaskState.NONE, Cause.ASKED, TaskState.DEFERRED),
        (TaskState.NONE, Cause.CANCELLED, TaskState.CANCELLED),
        (TaskState.RUNNING, Cause.EXPANSION_FAILED, TaskState.FAILED),
        (TaskState.RUNNING, Cause.LOOP_EXHAUSTED, TaskState.FAILED),
        (TaskState.RUNNING, Cause.INSTANCES_SUCCEEDED, TaskState.SUCCESS),
        (TaskState.RUNNING, Cause.INSTANCES_FAILED, TaskState.FAILED),
        (TaskState.RUNNING, Cause.INSTANCES_SKIPPED, TaskState.SKIPPED),
        (TaskState.RUNNING, Cause.INSTANCES_UPSTREAM_FAILED, TaskState.UPSTREAM_FAILED),
        (TaskState.DEFERRED, Cause.CHILD_SUCCEEDED, TaskState.SUCCESS),
        (TaskState.DEFERRED, Cause.CHILD_FAILED, TaskState.FAILED),
        (TaskState.DEFERRED, Cause.APPROVED, TaskState.SUCCESS),
        (TaskState.DEFERRED, Cause.DECLINED, TaskState.SKIPPED),
        (TaskState.DEFERRED, Cause.DECLINED_AS_FAILURE, TaskState.FAILED),
        (TaskState.QUEUED, Cause.STARTED, TaskState.RUNNING),
        (TaskState.UP_FOR_RETRY, Cause.RETRY_DUE, TaskState.QUEUED),
        (TaskState.UP_FOR_RETRY, Cause.CANCELLED, TaskState.CANCELLED),
        (TaskState.DEFERRED, Cause.CHECK_DUE, TaskState.QUEUED),
        (TaskState.DEFERRED, Cause.CONDITION_MET, TaskState.SUCCESS),
        (TaskState.DEFERRED, Cause.CONDITION_TIMED_OUT, TaskState.FAILED),
        (TaskState.DEFERRED, Cause.CANCELLED, TaskState.CANCELLED),
    ],
)
def test_a_task_moves_as_the_table_says(was, cause, becomes):
    assert next_task(was, cause) is becomes


@pytest.mark.parametrize(
    ("was", "cause", "becomes"),
    [
        (RunState.QUEUED, Cause.ADMITTED, RunState.RUNNING),
        (RunState.QUEUED, Cause.OVERLAPPED, RunState.CANCELLED),
        (RunState.QUEUED, Cause.CANCELLED, RunState.CANCELLED),
        (RunState.RUNNING, Cause.TASKS_SUCCEEDED, RunState.SUCCESS),
        (RunState.RUNNING, Cause.TASKS_FAILED, RunState.FAILED),
        (RunState.RUNNING, Cause.CANCEL_CONFIRMED, RunState.CANCELLED),
    ],
)
def test_a_run_moves_as_the_table_says(was, cause, becomes):
    assert next_run(was, cause) is becomes


@pytest.mark.parametrize("state", [AttemptState.QUEUED, AttemptState.RUNNING])
@pytest.mark.parametrize(
    ("cause", "becomes"),
    [
        (Cause.REPORTED_SUCCESS, AttemptState.SUCCESS),
        (Cause.REPORTED_SKIP, AttemptState.SUCCESS),
        (Cause.REPORTED_NOT_YET, AttemptState.DEFERRED),
        (Cause.CONDITION_TIMED_OUT, AttemptState.DEFERRED),
        (Cause.FAILED_WILL_RETRY, AttemptState.FAILED),
        (Cause.FAILED_FINALLY, AttemptState.FAILED),
        (Cause.LOST_WILL_RETRY, AttemptState.LOST),
        (Cause.LOST_FINALLY, AttemptState.LOST),
        (Cause.INTERRUPTED, AttemptState.LOST),
        (Cause.CANCEL_CONFIRMED, AttemptState.CANCELLED),
    ],
)
def test_an_attempt_ends_as_the_table_says(state, cause, becomes):
    assert next_attempt(state, cause) is becomes


@pytest.mark.parametrize("state", [state for state in TaskState if state not in FINAL_TASK])
@pytest.mark.parametrize(("cause", "becomes"), MARKED.items())
def test_whatever_a_task_is_doing_it_ends_as_somebody_decides(state, cause, becomes):
    assert next_task(state, cause) is becomes


@pytest.mark.parametrize("state", sorted(set(AttemptState) - FINAL_ATTEMPT))
@pytest.mark.parametrize("cause", MARKED)
def test_an_attempt_of_a_task_whose_end_somebody_decides_is_cancelled(state, cause):
    assert next_attempt(state, cause) is AttemptState.CANCELLED


def test_the_diagrams_show_every_state_and_every_move():
    drawn = diagrams()
    assert list(drawn) == ["run", "task instance", "attempt"]
    for table, text in zip((RUN, TASK, ATTEMPT), drawn.values(), strict=True):
        assert text.startswith("stateDiagram-v2\n")
        for (was, cause), becomes in table.items():
            (arrow,) = [line for line in text.splitlines() if line.startswith(f"    {was} --> {becomes}:")]
            assert cause in arrow.partition(": ")[2].split(", ")


def test_the_diagram_of_a_run_reads_as_it_should():
    assert (
        diagrams()["run"]
        == """\
stateDiagram-v2
    [*] --> queued: scheduled, triggered, backfilled, called, rerun
    queued --> running: admitted
    queued --> cancelled: overlapped, cancelled
    running --> success: tasks_succeeded
    running --> failed: tasks_failed
    running --> cancelled: cancel_confirmed
    cancelled --> [*]
    failed --> [*]
    success --> [*]
"""
    )


def closure(table: Mapping[tuple[StrEnum, Cause], StrEnum], start: set) -> set:
    """All the states that can be reached from ``start``, itself included."""
    reached, before = set(start), set()
    while reached != before:
        before = set(reached)
        reached |= {becomes for (was, _), becomes in table.items() if was in reached}
    return reached
