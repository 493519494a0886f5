"""Found by the simulation: a rule may let a task begin while upstreams are open; then it is not they that hold it up."""

import pytest

from ostinato.decide.reason import Code
from ostinato.decide.situation import PoolRoom
from ostinato.model.record import Task
from ostinato.model.spec import Scope, TaskKind, TaskSpec, TriggerRule, Value
from ostinato.model.state import TaskState
from tests.unit.decide.situations import row, situation, why_task

ENDED = row(0, TaskState.SUCCESS)


def told(asked: int, *tasks: TaskSpec, scopes: tuple[Scope, ...] = (), ended: Task = ENDED) -> Code:
    """Why the task ``asked`` waits, when only the first has ended."""
    full = {"default": PoolRoom(1, 1)}
    return why_task(situation(ended, tasks=tasks, scopes=scopes, pools=full), asked)[0].code


def after(rule: TriggerRule, second: TaskKind = "python") -> tuple[TaskSpec, ...]:
    return TaskSpec("a"), TaskSpec("b", kind=second), TaskSpec("c", upstream=(0, 1), trigger_rule=rule)


@pytest.mark.parametrize("rule", ["always", "one_success", "one_done"])
def test_what_may_begin_at_once_waits_for_room(rule: TriggerRule) -> None:
    assert told(2, *after(rule)) is Code.POOL_FULL


@pytest.mark.parametrize("rule", ["all_success", "all_done", "one_failed", "none_failed"])
def test_what_may_not_waits_for_the_upstream_that_is_open(rule: TriggerRule) -> None:
    assert told(2, *after(rule)) is Code.UPSTREAM_OPEN


@pytest.mark.parametrize("kind", ["branch", "short_circuit"])
def test_what_steers_it_holds_it_up_whatever_its_rule(kind: TaskKind) -> None:
    assert told(2, *after("always", kind)) is Code.UPSTREAM_OPEN


def test_a_short_circuit_further_up_holds_it_up_too() -> None:
    tasks = (
        TaskSpec("a"),
        TaskSpec("ask", kind="short_circuit"),
        TaskSpec("b", upstream=(1,)),
        TaskSpec("c", upstream=(1, 2)),
        TaskSpec("d", upstream=(0, 2, 3), trigger_rule="always"),
    )
    assert told(4, *tasks) is Code.UPSTREAM_OPEN


def test_edges_with_conditions_wait_for_all() -> None:
    tasks = (TaskSpec("a"), TaskSpec("b"), TaskSpec("c", upstream=(0, 1), conditions=(("succeeded",), ("completed",))))
    assert told(2, *tasks) is Code.UPSTREAM_OPEN


def test_a_scope_goes_by_its_own_rule() -> None:
    scope = Scope("each_shop", "each", upstream=(0, 1), trigger_rule="one_success", over=(("shop", Value([1])),))
    assert told(2, TaskSpec("a"), TaskSpec("b"), TaskSpec("load", scope=0), scopes=(scope,)) is Code.UNFOLDS


@pytest.mark.parametrize(
    ("task", "code"),
    [
        (TaskSpec("c", upstream=(1,), trigger_rule="all_done"), Code.UPSTREAM_OPEN),
        (TaskSpec("c", upstream=(1,), role="teardown", trigger_rule="all_done_setup_success"), Code.POOL_FULL),
    ],
    ids=["work", "teardown"],
)
def test_a_short_circuit_before_what_somebody_has_decided_about_holds_up_all_but_teardowns(
    task: TaskSpec, code: Code
) -> None:
    circuit, decided = TaskSpec("ask", kind="short_circuit"), TaskSpec("b", upstream=(0,))
    assert told(2, circuit, decided, task, ended=row(1, TaskState.FAILED)) is code
