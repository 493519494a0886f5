"""The order of steps: by use and by >>, numbered so that each comes after those it waits for."""

from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis.strategies import DataObject, DrawFn, composite, data, integers, lists, tuples

from ostinato import Step, each, step, task
from ostinato.authoring.build import build
from ostinato.authoring.layout import Layout, layout
from ostinato.model.errors import DagFileInvalid
from tests.unit.authoring.files import only_problem, spec


def upstream(text: str) -> dict[str, set[str]]:
    """What each task of a dag waits for, by ids."""
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    tasks = spec(
        "@task\ndef t() -> None: ...\n"
        f"@dag\ndef d() -> None:\n    a, b, c, e = [t.named(x)() for x in 'abce']\n{lines}\n"
    ).tasks
    return {task.task_id: {tasks[n].task_id for n in task.upstream} for task in tasks}


def test_an_arrow_orders_two_steps() -> None:
    assert upstream("a >> b") == {"a": set(), "b": {"a"}, "c": set(), "e": set()}


def test_arrows_are_chained() -> None:
    assert upstream("a >> b >> c >> e") == {"a": set(), "b": {"a"}, "c": {"b"}, "e": {"c"}}


def test_lists_stand_on_either_side() -> None:
    assert upstream("[a, b] >> c\na >> [b, e]") == {"a": set(), "b": {"a"}, "c": {"a", "b"}, "e": {"a"}}
    assert upstream("a >> [b, c] >> e") == {"a": set(), "b": {"a"}, "c": {"a"}, "e": {"b", "c"}}


def test_a_step_of_several_stands_for_all_of_them() -> None:
    assert upstream("step(a, [b, c]) >> e")["e"] == {"a", "b", "c"}
    assert upstream("a >> step(b, c, e)") == {"a": set(), "b": {"a"}, "c": {"a"}, "e": {"a"}}


def test_an_order_given_twice_is_one() -> None:
    assert upstream("a >> b\na >> b\n[a, a] >> b")["b"] == {"a"}


def test_a_step_that_is_called_first_may_come_after_later_ones() -> None:
    assert upstream("e >> a") == {"b": set(), "c": set(), "e": set(), "a": {"e"}}


def test_an_arrow_from_nothing_orders_nothing() -> None:
    assert upstream("step() >> a\n[] >> a\na >> []") == {"a": set(), "b": set(), "c": set(), "e": set()}


@composite
def arrows(draw: DrawFn) -> tuple[int, list[tuple[int, int]]]:
    size = draw(integers(1, 12))
    node = integers(0, size - 1)
    return size, draw(lists(tuples(node, node), max_size=20))


def laid_out(size: int, edges: list[tuple[int, int]]) -> Layout:
    @task
    def t() -> None: ...

    current = Layout("d", ())
    token = layout.set(current)
    try:
        steps = [t.named(f"t{n}")() for n in range(size)]
        for up, down in edges:
            step(steps[up]) >> step(steps[down])
    finally:
        layout.reset(token)
    return current


@given(arrows())
def test_every_task_is_numbered_after_those_it_waits_for_or_there_is_a_cycle(
    graph: tuple[int, list[tuple[int, int]]],
) -> None:
    size, edges = graph
    if has_cycle(size, edges):
        with pytest.raises(DagFileInvalid, match="OST-120"):
            build(laid_out(size, edges))
        return
    tasks = build(laid_out(size, edges)).tasks
    assert sorted(task.task_id for task in tasks) == sorted(f"t{n}" for n in range(size))
    assert all(up < number for number, task in enumerate(tasks) for up in task.upstream)
    kept = {(tasks[up].task_id, task.task_id) for task in tasks for up in task.upstream}
    assert kept == {(f"t{up}", f"t{down}") for up, down in edges}


def has_cycle(size: int, edges: list[tuple[int, int]]) -> bool:
    left = set(range(size))
    while free := {n for n in left if not any(down == n and up in left for up, down in edges)}:
        left -= free
    return bool(left)


@given(arrows(), data())
def test_a_block_that_is_performed_more_than_once_is_numbered_after_all_that_it_needs(
    graph: tuple[int, list[tuple[int, int]]], drawn: DataObject
) -> None:
    size, edges = graph
    blocks = drawn.draw(lists(integers(0, 3), min_size=size, max_size=size))  # 0 is outside of any
    if goes_round(blocks, edges):
        with pytest.raises(DagFileInvalid, match="OST-120"):
            build(laid_out_in_blocks(blocks, edges))
        return
    built = build(laid_out_in_blocks(blocks, edges))
    number = {task.task_id.rpartition(".")[2]: n for n, task in enumerate(built.tasks)}
    assert len(number) == size
    for up, down in edges:
        task = built.tasks[number[f"t{down}"]]
        before = number[f"t{up}"]
        if task.scope is None or blocks[up] == blocks[down]:
            assert before in task.upstream
        else:
            assert before in built.scopes[task.scope].upstream
        assert before < number[f"t{down}"]
    for n, task in enumerate(built.tasks):
        assert all(up < n for up in task.upstream)
        if task.scope is not None:
            assert all(built.tasks[up].scope == task.scope for up in task.upstream)
            assert all(up < n for up in built.scopes[task.scope].upstream)


def goes_round(blocks: list[int], edges: list[tuple[int, int]]) -> bool:
    """Whether there is a cycle inside of a block, or among the blocks and the steps outside."""
    inside = [(up, down) for up, down in edges if blocks[up] and blocks[up] == blocks[down]]
    unit = [block or 4 + n for n, block in enumerate(blocks)]
    between = [(unit[up], unit[down]) for up, down in edges if (up, down) not in inside]
    return has_cycle(len(blocks), inside) or has_cycle(4 + len(blocks), between)


def laid_out_in_blocks(blocks: list[int], edges: list[tuple[int, int]]) -> Layout:
    @task
    def t() -> None: ...

    current = Layout("d", ())
    token = layout.set(current)
    steps: dict[int, Step] = {}
    try:
        for block in range(4):
            inside = [n for n, of in enumerate(blocks) if of == block]
            with each(f"b{block}", over=[1]) if block and inside else nullcontext():
                steps |= {n: t.named(f"t{n}")() for n in inside}
        for up, down in edges:
            steps[up] >> steps[down]
    finally:
        layout.reset(token)
    return current


def test_a_cycle_is_reported_by_its_steps_at_its_last_arrow() -> None:
    problem = only_problem(
        "@dag\n"
        "def d() -> None:\n"
        "    a = load('a')\n"
        "    b = publish(a)\n"
        "    c = load.named('c')('c')\n"
        "    b >> step(c)\n"
        "    step(c) >> step(a)\n"
    )
    assert (problem.code, problem.line, problem.column) == ("OST-120", 7, 5)
    assert problem.what == "steps wait for each other in a circle: load >> publish >> c >> load"


def test_a_step_cannot_wait_for_itself() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    a = step(load('a'))\n    a >> a\n")
    assert problem.what.endswith("load >> load")


def test_only_steps_can_be_ordered() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    step(load('a')) >> 3\n")
    assert (problem.code, problem.line, problem.column) == ("OST-124", 3, 5)


def test_steps_of_different_dags_cannot_be_ordered_or_used() -> None:
    one = "steps = []\n@dag\ndef one() -> None:\n    steps.append(load('a'))\n"
    for use in ("steps[0] >> step(load('a'))", "publish(steps[0])"):
        problem = only_problem(f"{one}@dag\ndef two() -> None:\n    {use}\n")
        assert (problem.code, problem.line) == ("OST-121", 7)
        assert "belongs to the dag 'one'" in problem.what
