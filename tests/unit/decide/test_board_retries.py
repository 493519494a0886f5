"""Failures within the budget of their class are tried again, when the class says; then they are final."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis.strategies import lists, sampled_from

from ostinato.model.cause import Cause
from ostinato.model.errors import ErrorClass
from ostinato.model.message import Failure
from ostinato.model.spec import TaskSpec
from ostinato.model.state import RunState, TaskState
from tests.unit.decide.boards import LOGIC, RESOURCE, RETRY, TRANSIENT, Desk

ONE = TaskSpec("t", retry=RETRY)
BUDGET = {"transient": RETRY.transient, "resource": RETRY.resource, "logic": 0}
FAILURES = {"transient": TRANSIENT, "resource": RESOURCE, "logic": LOGIC}


@given(lists(sampled_from(sorted(FAILURES)), min_size=1, max_size=8))
def test_each_class_has_a_budget_of_its_own(classes: list[str]) -> None:
    desk = Desk()
    desk.open(ONE)
    failed: Counter[str] = Counter()
    for error_class in classes:
        if 1 not in desk.board.runs:
            break
        desk.report(desk.of(0), "failed", FAILURES[error_class])
        failed[error_class] += 1
        spent = failed[error_class] > BUDGET[error_class]
        assert (desk.run_state() is RunState.FAILED) == spent
        desk.tick(60_000)
    assert all(count <= BUDGET[error_class] + 1 for error_class, count in failed.items())


def test_a_transient_failure_is_tried_again_in_the_same_commit() -> None:
    desk = Desk()
    desk.open(ONE)
    step = desk.report(1, "failed", TRANSIENT)
    assert [event.cause for event in step.commit.events] == [Cause.FAILED_WILL_RETRY, Cause.RETRY_DUE]
    assert step.dispatches[2].number == 2


def test_a_resource_failure_waits_first() -> None:
    desk = Desk()
    desk.open(ONE)
    step = desk.report(1, "failed", RESOURCE)
    assert step.commit.tasks[0].due_at == desk.now + 4_000
    assert desk.board.next_due() == desk.now + 4_000
    assert not desk.tick(3_999).dispatches
    assert list(desk.tick(1).dispatches) == [2]
    assert desk.board.next_due() is None


def test_the_history_says_class_rule_and_next_try() -> None:
    desk = Desk()
    desk.open(ONE)
    (event,) = desk.report(1, "failed", RESOURCE).commit.events
    assert event.facts == {
        "class": "resource",
        "rule": "the exception declares resource",
        "error": "raised",
        "failures": 1,
        "delay_ms": 4_000,
    }


def test_a_failure_that_nobody_described_counts_as_lost() -> None:
    desk = Desk()
    desk.open(ONE)
    (event,) = desk.report(1, "failed").commit.events
    assert event.cause is Cause.LOST_WILL_RETRY


def test_people_are_told_of_the_last_failure_only() -> None:
    desk = Desk()
    desk.open(ONE)
    for attempt in (1, 2, 3):
        assert desk.alerts() == []
        desk.report(attempt, "failed", TRANSIENT)
    assert [action for action, _ in desk.alerts()] == ["trigger"]


@pytest.mark.parametrize("error_class", ErrorClass)
def test_another_task_of_the_run_goes_on(error_class: ErrorClass) -> None:
    desk = Desk()
    desk.open(ONE, TaskSpec("other"))
    other = desk.of(1)
    desk.report(desk.of(0), "failed", FAILURES[error_class])
    desk.report(other)
    assert desk.state(1) is TaskState.SUCCESS


def test_killed_for_memory_is_a_resource_failure() -> None:
    desk = Desk()
    desk.open(ONE)
    desk.report(1, "failed", Failure("killed", exit_code=-9))
    assert desk.board.runs[1].failures == {0: {ErrorClass.RESOURCE: 1}}
