"""Who decides whether a run has failed: every task, the last ones, or the last ones that were not skipped."""

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, composite, integers, sampled_from

from ostinato.decide.graph import BAD
from ostinato.decide.shape import Shape
from ostinato.model.spec import CompiledDag, DagSpec, RunOutcome, Scope, TaskSpec
from ostinato.model.state import FINAL_TASK, TaskState

S, F, K, U = TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED, TaskState.UPSTREAM_FAILED
TRY_CATCH = (TaskSpec("try"), TaskSpec("catch", upstream=(0,), conditions=(("failed",),)))
GUARDED = (
    TaskSpec("make", role="setup"),
    TaskSpec("work", upstream=(0,)),
    TaskSpec("remove", upstream=(0, 1), role="teardown", setups=(0,), trigger_rule="all_done_setup_success"),
)
MAPPED = (TaskSpec("list"), TaskSpec("load", scope=0), TaskSpec("after", upstream=(1,)))


def failed(
    outcome: RunOutcome, tasks: tuple[TaskSpec, ...], *states: TaskState, scopes: tuple[Scope, ...] = ()
) -> bool:
    spec = DagSpec("d", tasks, outcome=outcome, scopes=scopes)
    return Shape(CompiledDag(spec, "d.py", "source", "version")).failed(list(states))


@pytest.mark.parametrize(
    ("tasks", "states", "every_task", "leaves", "with_parents"),
    [
        (TRY_CATCH, (S, K), False, False, False),
        (TRY_CATCH, (F, S), True, False, False),  # what failed was dealt with
        (TRY_CATCH, (F, F), True, True, True),
        (TRY_CATCH, (F, K), True, False, True),  # nobody dealt with it
        (GUARDED, (S, S, F), False, False, False),
        (GUARDED, (S, F, S), True, True, True),
        (GUARDED, (F, U, U), True, True, True),
    ],
)
def test_a_run_has_failed_by_its_dags_rule(
    tasks: tuple[TaskSpec, ...],
    states: tuple[TaskState, ...],
    every_task: bool,
    leaves: bool,
    with_parents: bool,
) -> None:
    assert failed("every_task", tasks, *states) is every_task
    assert failed("leaves", tasks, *states) is leaves
    assert failed("leaves_and_skipped_parents", tasks, *states) is with_parents


def test_in_place_of_a_skipped_task_in_a_scope_stands_what_the_scope_waited_for() -> None:
    scopes = (Scope("s", "each", upstream=(0,), trigger_rule="all_done"),)
    assert failed("leaves_and_skipped_parents", MAPPED, F, K, K, scopes=scopes)
    assert not failed("leaves", MAPPED, F, K, K, scopes=scopes)
    assert not failed("leaves_and_skipped_parents", MAPPED, F, S, K, scopes=scopes)


@composite
def ended(draw) -> tuple[tuple[TaskSpec, ...], list[TaskState]]:
    tasks: list[TaskSpec] = []
    for no in range(draw(integers(1, 7))):
        upstream = tuple(above for above in range(no) if draw(booleans()))
        tasks.append(TaskSpec(f"t{no}", upstream=upstream))
    return tuple(tasks), [draw(sampled_from(sorted(FINAL_TASK))) for _ in tasks]


@given(ended())
def test_the_usual_rule_is_the_strictest_and_that_of_the_leaves_the_mildest(
    run: tuple[tuple[TaskSpec, ...], list[TaskState]],
) -> None:
    tasks, states = run
    every, parents, leaves = (
        failed(rule, tasks, *states) for rule in ("every_task", "leaves_and_skipped_parents", "leaves")
    )
    assert every == bool(BAD & set(states))
    assert leaves <= parents <= every
    last = [no for no in range(len(tasks)) if not any(no in task.upstream for task in tasks)]
    assert leaves == bool(BAD & {states[no] for no in last})
