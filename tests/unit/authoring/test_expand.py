"""Tasks that are performed for each item of lists."""

import pytest

from ostinato.model.spec import DagSpec, ItemOf, OutputOf, ParamOf, Scope, Value
from tests.unit.authoring.files import only_problem, spec

TASKS = """@task
def paths() -> list[str]: return ["a"]
@task
def one(path: str, region: str = "eu", *, limit: int = 0) -> int: return 1
@task
def total(rows: list[int]) -> int: return sum(rows)
@task
def done(path: str) -> None: ...
@task(trigger_rule="all_done")
def late(path: str) -> None: ...
"""
LINES = TASKS.count("\n") + 2


def laid_out(text: str) -> DagSpec:
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    return spec(f"{TASKS}@dag(params={{'paths': ['a'], 'n': 1}})\ndef d() -> None:\n{lines}\n")


def wrong(text: str) -> tuple[str, int]:
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    problem = only_problem(f"{TASKS}@dag(params={{'paths': ['a'], 'n': 1}})\ndef d() -> None:\n{lines}\n")
    return problem.code, problem.line - LINES


def test_a_mapped_task_is_a_scope_of_one_task_that_takes_the_item() -> None:
    made = laid_out("one.expand(path=['a', 'b'])")
    assert made.scopes == (Scope("one", "each", over=(("path", Value(["a", "b"])),)),)
    (task,) = made.tasks
    assert (task.task_id, task.scope, task.kwargs) == ("one", 0, (("path", ItemOf("path")),))


def test_arguments_that_are_the_same_every_time_stay_with_the_task() -> None:
    (task,) = laid_out("one.partial(region='us').partial(limit=3).expand(path=['a'])").tasks
    assert task.kwargs == (("region", Value("us")), ("limit", Value(3)), ("path", ItemOf("path")))


def test_a_list_may_be_an_output_and_is_waited_for_by_the_scope() -> None:
    made = laid_out("one.expand(path=paths())")
    assert made.scopes[0].over == (("path", OutputOf(0)),)
    assert made.scopes[0].upstream == (0,)
    assert made.tasks[1].upstream == ()


def test_a_list_may_be_a_parameter() -> None:
    for kind in ("list", "list[str]"):
        assert laid_out(f"one.expand(path=param('paths', {kind}))").scopes[0].over == (("path", ParamOf("paths")),)


def test_what_is_the_same_every_time_may_be_an_output_too() -> None:
    made = laid_out("one.partial(limit=total([1])).expand(path=['a'])")
    assert made.tasks[1].kwargs[0] == ("limit", OutputOf(0))
    assert (made.scopes[0].upstream, made.tasks[1].upstream) == ((0,), ())


def test_several_lists_are_combined_in_the_order_in_which_they_are_written() -> None:
    (scope,) = laid_out("one.expand(region=['eu', 'us'], path=['a'])").scopes
    assert [name for name, _ in scope.over] == ["region", "path"]
    assert scope.pairing == "product"


def test_lists_may_be_taken_item_by_item() -> None:
    assert laid_out("one.expand_zip(path=['a', 'b'], region=['eu', 'us'])").scopes[0].pairing == "zip"


def test_what_a_mapped_task_returns_is_a_list_to_others_and_can_be_mapped_over_again() -> None:
    made = laid_out(
        "rows = one.expand(path=paths())\nagain = one.named('again').expand(limit=rows, path=['x'])\ntotal(again)"
    )
    assert made.scopes[1].over[0] == ("limit", OutputOf(1))
    assert made.scopes[1].upstream == (1,)
    assert made.tasks[3].kwargs == (("rows", OutputOf(2)),)
    assert made.tasks[3].upstream == (2,)


def test_the_bounds_are_kept() -> None:
    bounds, fixed = "bounded(limit=5, max_active=2)", "partial(region='us')"
    for line in (f"one.{bounds}.{fixed}.expand(path=['a'])", f"one.{fixed}.{bounds}.expand(path=['a'])"):
        made = laid_out(line)
        assert (made.scopes[0].limit, made.scopes[0].max_active) == (5, 2)
        assert made.tasks[0].kwargs[0] == ("region", Value("us"))


def test_the_trigger_rule_of_a_mapped_task_is_that_of_its_scope() -> None:
    made = laid_out("late.expand(path=paths())")
    assert (made.scopes[0].trigger_rule, made.tasks[1].trigger_rule) == ("all_done", "all_success")


def test_a_mapped_task_in_a_group_has_the_groups_name() -> None:
    made = laid_out("with group('g') as g:\n    one.expand(path=['a'])\nstep(paths()) >> g")
    assert (made.scopes[0].scope_id, made.tasks[1].task_id) == ("g.one", "g.one")
    assert made.scopes[0].upstream == (0,)


def test_a_mapped_task_can_be_put_in_order() -> None:
    made = laid_out("first = step(paths())\nmapped = done.expand(path=['a'])\nfirst >> mapped >> step(total([1]))")
    assert made.scopes[0].upstream == (0,)
    assert made.tasks[2].upstream == (1,)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("one.expand()", "OST-167"),
        ("one.expand(path='a')", "OST-167"),
        ("one.expand(path={'a': 1})", "OST-167"),
        ("one.expand(path=param('n'))", "OST-167"),
        ("one.expand(path=['a', param('paths')])", "OST-167"),
        ("one.expand(path=['{{ logical_date }}'])", "OST-167"),
        ("one.expand_zip(path=['a', 'b'], region=['eu'])", "OST-167"),
        ("one.bounded(limit=3).expand(path=['a', 'b'], region=['eu', 'us'])", "OST-167"),
        ("one.bounded(limit=0).expand(path=['a'])", "OST-136"),
        ("one.bounded(max_active=0).expand(path=['a'])", "OST-136"),
        ("one.expand(path=param('nosuch'))", "OST-143"),
        ("one.expand(paht=['a'], path=['b'])", "OST-122"),
        ("one.expand(region=['eu'])", "OST-122"),
        ("one.partial(path='a').expand(path=['a'])", "OST-122"),
        ("one.expand(path=[object()])", "OST-123"),
        ("one.expand(path=wait_for_file('a'))", "OST-119"),
    ],
)
def test_a_wrong_list_or_argument_is_reported_where_it_is_written(line: str, code: str) -> None:
    assert wrong(f"paths()\n{line}") == (code, 2)


def test_what_a_mapped_task_returns_is_not_gathered_twice() -> None:
    made = laid_out("rows = one.expand(path=['a'])\ntotal(gathered(rows))")
    assert made.tasks[1].kwargs == (("rows", OutputOf(0)),)


def test_a_mapped_task_outside_of_a_dag_is_refused() -> None:
    assert only_problem(f"{TASKS}one.expand(path=['a'])\n").code == "OST-118"
