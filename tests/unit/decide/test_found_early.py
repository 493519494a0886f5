"""Found by the simulation: a rule may let a task begin while upstreams are open; then it is not they that hold it up."""

import pytest

from ostinato.decide.explain import why_task
from ostinato.decide.reason import Code
from ostinato.decide.situation import PoolRoom, RunSituation
from ostinato.model.record import UNMAPPED, Run, Task
from ostinato.model.spec import DagSpec, Scope, TaskKind, TaskSpec, TriggerRule, Value
from ostinato.model.state import RunState, TaskState
from ostinato.model.time import DataInterval

RUN = Run(1, "sales", "v", "1970-01-01T00:00:00Z", "manual", RunState.RUNNING, DataInterval(0, 10), b"\x80", 10)
ENDED = Task(1, 0, TaskState.SUCCESS, 10)


def told(spec: DagSpec, asked: int) -> Code:
    """Why the task ``asked`` waits, when only the first has ended."""
    tasks = {(0, UNMAPPED): ENDED}
    pools = {"default": PoolRoom(1, 1)}
    situation = RunSituation(20, True, True, spec, RUN, tasks, [], pools, running_runs=1)
    return why_task(situation, (asked, UNMAPPED))[0].code


def after(rule: TriggerRule, second: TaskKind = "python") -> DagSpec:
    return DagSpec(
        "sales", (TaskSpec("a"), TaskSpec("b", kind=second), TaskSpec("c", upstream=(0, 1), trigger_rule=rule))
    )


@pytest.mark.parametrize("rule", ["always", "one_success", "one_done"])
def test_what_may_begin_at_once_waits_for_room(rule: TriggerRule) -> None:
    assert told(after(rule), 2) is Code.POOL_FULL


@pytest.mark.parametrize("rule", ["all_success", "all_done", "one_failed", "none_failed"])
def test_what_may_not_waits_for_the_upstream_that_is_open(rule: TriggerRule) -> None:
    assert told(after(rule), 2) is Code.UPSTREAM_OPEN


@pytest.mark.parametrize("kind", ["branch", "short_circuit"])
def test_what_steers_it_holds_it_up_whatever_its_rule(kind: TaskKind) -> None:
    assert told(after("always", kind), 2) is Code.UPSTREAM_OPEN


def test_a_short_circuit_further_up_holds_it_up_too() -> None:
    tasks = (
        TaskSpec("a"),
        TaskSpec("ask", kind="short_circuit"),
        TaskSpec("b", upstream=(1,)),
        TaskSpec("c", upstream=(1, 2)),
        TaskSpec("d", upstream=(0, 2, 3), trigger_rule="always"),
    )
    assert told(DagSpec("sales", tasks), 4) is Code.UPSTREAM_OPEN


def test_edges_with_conditions_wait_for_all() -> None:
    tasks = (TaskSpec("a"), TaskSpec("b"), TaskSpec("c", upstream=(0, 1), conditions=(("succeeded",), ("completed",))))
    assert told(DagSpec("sales", tasks), 2) is Code.UPSTREAM_OPEN


def test_a_scope_goes_by_its_own_rule() -> None:
    scope = Scope("each_shop", "each", upstream=(0, 1), trigger_rule="one_success", over=(("shop", Value([1])),))
    spec = DagSpec("sales", (TaskSpec("a"), TaskSpec("b"), TaskSpec("load", scope=0)), scopes=(scope,))
    assert told(spec, 2) is Code.UNFOLDS


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
    spec = DagSpec("sales", (circuit, decided, task))
    tasks = {(1, UNMAPPED): Task(1, 1, TaskState.FAILED, 10)}
    pools = {"default": PoolRoom(1, 1)}
    situation = RunSituation(20, True, True, spec, RUN, tasks, [], pools, running_runs=1)
    assert why_task(situation, (2, UNMAPPED))[0].code is code
