"""Blocks that are performed for each item of a list, and turn by turn."""

import pytest

from ostinato.authoring.perform import perform
from ostinato.model.message import Call
from ostinato.model.spec import DagSpec, ItemOf, OutputOf, ParamOf, Scope, Template, Value
from ostinato.model.value import encode
from tests.unit.authoring.files import loaded, only_problem, problems, spec

TASKS = """@task
def names() -> list[str]: return ["a"]
@task
def fetch(name: str) -> int: return 1
@task
def keep(rows: int, name: str = "") -> None: ...
@task
def total(rows: list[int]) -> int: return sum(rows)
@task
def is_last(page: int) -> bool: return True
@task
def following(page: int) -> str: return "b"
@task(trigger_rule="all_done")
def late(rows: int) -> None: ...
"""
LINES = TASKS.count("\n") + 2
PARAMS = "@dag(params={'names': ['a'], 'n': 1})"


def laid_out(text: str) -> DagSpec:
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    return spec(f"{TASKS}{PARAMS}\ndef d() -> None:\n{lines}\n")


def wrong(text: str) -> tuple[str, int]:
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    problem = only_problem(f"{TASKS}{PARAMS}\ndef d() -> None:\n{lines}\n")
    return problem.code, problem.line - LINES


def test_the_steps_inside_of_an_each_are_its_scope_and_take_the_item() -> None:
    made = laid_out("with each('p', over=names()) as name:\n    keep(fetch(name), name)")
    assert made.scopes == (Scope("p", "each", upstream=(0,), over=(("p", OutputOf(0)),)),)
    assert [(task.task_id, task.scope, task.upstream) for task in made.tasks] == [
        ("names", None, ()),
        ("p.fetch", 0, ()),
        ("p.keep", 0, (1,)),
    ]
    assert made.tasks[2].kwargs == (("rows", OutputOf(1)), ("name", ItemOf("p")))


def test_the_item_may_be_a_part_of_an_argument() -> None:
    made = laid_out("with each('p', over=['a']) as name:\n    total([1, name])")
    assert made.tasks[0].kwargs[1] == ("rows[1]", ItemOf("p"))


def test_an_argument_with_the_item_in_it_is_put_together_again() -> None:
    text = f"{TASKS}@dag\ndef d() -> None:\n    with each('p', over=[1]) as n:\n        total([1, n])\n"
    values = (("rows[0]", encode(1)), ("rows[1]", encode(41)))
    call = Call("d", "v", "", 0, "p.total", 1, 1, 1, 0, 86_400_000, encode({}), kwargs=values, map_index=3)
    assert perform(loaded(text), call).output == encode(42)


def test_a_task_can_know_its_place_in_the_list() -> None:
    text = "@task\ndef t(ctx: Context) -> int: return ctx.map_index\n@dag\ndef d() -> None:\n    t()\n"
    call = Call("d", "v", "", 0, "t", 1, 1, 1, 0, 86_400_000, encode({}), map_index=3)
    assert perform(loaded(text), call).output == encode(3)


def test_what_the_steps_inside_need_from_outside_the_scope_waits_for() -> None:
    made = laid_out(
        "n = total([1])\nwith each('p', over=['a']) as name:\n    keep(n, name)\nstep(names()) >> step(name)"
    )
    assert made.scopes[0].upstream == (0, 1)
    assert [task.upstream for task in made.tasks] == [(), (), ()]
    assert [task.task_id for task in made.tasks] == ["total", "names", "p.keep"]


def test_outside_an_output_is_gathered() -> None:
    made = laid_out("with each('p', over=['a']) as name:\n    n = fetch(name)\ntotal(gathered(n))")
    assert made.tasks[1].kwargs == (("rows", OutputOf(0)),)
    assert made.tasks[1].upstream == (0,)


def test_gathered_outputs_can_be_mapped_over() -> None:
    made = laid_out("with each('p', over=['a']) as name:\n    n = fetch(name)\nkeep.expand(rows=gathered(n))")
    assert made.scopes[1].over == (("rows", OutputOf(0)),)


def test_the_item_in_an_order_is_the_whole_block() -> None:
    made = laid_out("with each('p', over=['a']) as name:\n    keep(fetch(name))\nstep(name) >> step(names())")
    assert made.tasks[2].upstream == (1,)


def test_the_bounds_and_the_trigger_rule_are_the_blocks() -> None:
    text = "with each('p', over=['a'], limit=7, max_active=2, trigger_rule='all_done') as name:\n    fetch(name)"
    (scope,) = laid_out(text).scopes
    assert (scope.limit, scope.max_active, scope.trigger_rule) == (7, 2, "all_done")


def test_a_step_inside_may_have_a_trigger_rule_over_steps_inside() -> None:
    made = laid_out("with each('p', over=['a']) as name:\n    late(fetch(name))")
    assert made.tasks[1].trigger_rule == "all_done"


def test_conditions_between_steps_inside_are_theirs() -> None:
    made = laid_out("with each('p', over=['a']) as name:\n    step(fetch(name)).on('failed') >> keep(1)")
    assert made.tasks[1].conditions == (("failed",),)


def test_a_group_inside_of_an_each_is_in_its_scope() -> None:
    made = laid_out("with each('p', over=['a']) as name:\n    with group('g'):\n        fetch(name)")
    assert (made.tasks[0].task_id, made.tasks[0].scope) == ("p.g.fetch", 0)


def test_an_each_inside_of_a_group_has_the_groups_name() -> None:
    made = laid_out("with group('g'):\n    with each('p', over=['a']) as name:\n        fetch(name)")
    assert (made.tasks[0].task_id, made.scopes[0].scope_id) == ("g.p.fetch", "g.p")


def test_a_dag_can_be_called_for_each_item() -> None:
    made = laid_out("with each('p', over=['a']) as name:\n    run_dag('other', name=name)")
    assert made.tasks[0].kwargs == (("name", ItemOf("p")),)


def test_a_loop_has_a_value_a_number_and_an_end() -> None:
    made = laid_out(
        "with loop('pages', start='{{ logical_date }}', limit=9) as turn:\n"
        "    page = fetch(turn.value)\n    keep(turn.number)\n    turn.until(is_last(page), carry=following(page))"
    )
    (scope,) = made.scopes
    assert scope == Scope("pages", "loop", limit=9, start=Template("{{ logical_date }}"), until=2, carry=3)
    assert made.tasks[0].kwargs == (("name", ItemOf("value")),)
    assert made.tasks[1].kwargs == (("rows", ItemOf("number")),)


@pytest.mark.parametrize(
    ("start", "kept"),
    [
        ("{'page': [1]}", Value({"page": [1]})),
        ("None", Value(None)),
        ("param('n')", ParamOf("n")),
        ("names()", OutputOf(0)),
    ],
)
def test_a_loop_starts_with_a_value_a_parameter_or_an_output(start: str, kept: object) -> None:
    made = laid_out(f"with loop('x', start={start}) as turn:\n    turn.until(is_last(turn.value))")
    assert made.scopes[0].start == kept
    assert made.scopes[0].upstream == ((0,) if kept == OutputOf(0) else ())
    assert made.scopes[0].carry is None


def test_a_loop_in_an_order_is_its_first_and_its_last_steps() -> None:
    made = laid_out(
        "with loop('x', start=1) as turn:\n    turn.until(is_last(fetch(turn.value)))\nstep(names()) >> turn >> keep(1)"
    )
    assert [task.task_id for task in made.tasks] == ["names", "x.fetch", "x.is_last", "keep"]
    assert made.scopes[0].upstream == (0,)
    assert made.tasks[3].upstream == (2,)


EACH = "with each('p', over=['a']) as name:\n"
LOOP = "with loop('x', start=1) as turn:\n"
DONE = "    turn.until(is_last(1))\n"


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        (f"{EACH}    with each('q', over=[1]) as q:\n        pass", "OST-166", 2),
        (f"{EACH}    fetch.expand(name=['a'])", "OST-166", 2),
        (f"{EACH}    with loop('q', start=1) as turn:\n        pass", "OST-166", 2),
        ("with each('p', over=3) as name:\n    fetch(name)", "OST-167", 1),
        ("with each('p', over=param('n')) as name:\n    fetch(name)", "OST-167", 1),
        ("with each('p', over=['a', 'b'], limit=1) as name:\n    fetch(name)", "OST-167", 1),
        (f"{EACH}    n = fetch(name)\ntotal([n])", "OST-168", 3),
        (f"{EACH}    n = fetch(name)\n    total(gathered(n))", "OST-169", 3),
        ("total(gathered(fetch('a')))", "OST-169", 1),
        (f"{EACH}    keep(1)\nfetch(name)", "OST-170", 3),
        (f"{EACH}    fetch(name)\n{LOOP}{DONE}    keep(1, name)", "OST-170", 5),
        (f"{EACH}    keep(name + 1)", "OST-119", 2),
        (f"{EACH}    keep(name if name == 'a' else 1)", "OST-119", 2),
        (f"{LOOP}    keep(turn.value.rows)", "OST-119", 2),
        (f"{EACH}    pass", "OST-171", 1),
        (f"{LOOP}    pass", "OST-171", 1),
        (f"{LOOP}    keep(1)", "OST-172", 1),
        (f"{LOOP}{DONE}    turn.until(is_last.named('y')(1))", "OST-172", 3),
        (f"{LOOP}    turn.until(True)", "OST-172", 2),
        (f"b = is_last(1)\n{LOOP}    keep(1)\n    turn.until(b)", "OST-172", 4),
        (f"b = fetch('a')\n{LOOP}    turn.until(is_last(1), carry=b)", "OST-172", 3),
        (f"with loop('x', start=[param('n')]) as turn:\n{DONE}", "OST-172", 1),
        (f"with loop('x', start=object()) as turn:\n{DONE}", "OST-123", 1),
        (f"with loop('x', start='{{{{ nosuch }}}}') as turn:\n{DONE}", "OST-141", 1),
        (f"a = fetch('a')\n{EACH}    late(a)", "OST-173", 3),
        (f"a = step(names())\n{EACH}    a.on('failed') >> keep(1)", "OST-173", 3),
        (f"{EACH}    keep(1)\n    step(name) >> keep.named('z')(1)", "OST-163", 3),
    ],
)
def test_a_wrong_block_is_reported_where_it_is_written(lines: str, code: str, line: int) -> None:
    found = problems(f"{TASKS}{PARAMS}\ndef d() -> None:\n" + "".join(f"    {text}\n" for text in lines.splitlines()))
    assert (code, line) in [(problem.code, problem.line - LINES) for problem in found]


def test_what_stands_in_the_dag_after_a_wrong_block_is_still_checked() -> None:
    found = problems(
        f"{TASKS}{PARAMS}\ndef d() -> None:\n    with each('p', over=['a'], limit=0) as name:\n        fetch(name, 3)\n"
        "    total(3, 4)\n"
    )
    assert [problem.code for problem in found] == ["OST-136", "OST-122", "OST-122"]


def test_a_circle_through_a_block_is_reported_by_the_blocks_name() -> None:
    text = f"{EACH}    keep(fetch(name))\na = step(total([1]))\na >> step(name) >> a"
    assert wrong(text) == ("OST-120", 4)
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    assert "p >> total >> p" in only_problem(f"{TASKS}{PARAMS}\ndef d() -> None:\n{lines}").what


def test_a_circle_inside_of_a_block_is_reported() -> None:
    text = f"{EACH}    a = step(fetch(name))\n    b = keep(1)\n    a >> b >> a\ntotal(gathered(a))"
    assert wrong(text) == ("OST-120", 4)


@pytest.mark.parametrize("line", ["each('p', over=[1])", "loop('p', start=1)"])
def test_outside_of_a_dag_there_are_no_blocks(line: str) -> None:
    assert only_problem(f"with {line} as x:\n    pass\n").code == "OST-118"
