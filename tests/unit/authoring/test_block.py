"""Groups, and steps between a setup and a teardown."""

import pytest

from ostinato.model.spec import DagSpec, TaskSpec
from tests.unit.authoring.files import only_problem, problems, spec

TASKS = "@task\ndef t() -> None: ...\n@task\ndef value() -> int: return 1\n@task\ndef use(n: int) -> None: ...\n"


def laid_out(text: str) -> DagSpec:
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    return spec(f"{TASKS}@dag\ndef d() -> None:\n    a, b = t.named('a')(), t.named('b')()\n{lines}\n")


def upstream(text: str) -> dict[str, set[str]]:
    """What each task waits for, by ids."""
    tasks = laid_out(text).tasks
    return {task.task_id: {tasks[n].task_id for n in task.upstream} for task in tasks}


def by_id(text: str) -> dict[str, TaskSpec]:
    return {task.task_id: task for task in laid_out(text).tasks}


def wrong(text: str) -> tuple[str, int]:
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    problem = only_problem(f"{TASKS}@dag\ndef d() -> None:\n    a, b = t.named('a')(), t.named('b')()\n{lines}\n")
    return problem.code, problem.line - 9


def test_the_steps_of_a_group_have_its_name_before_theirs() -> None:
    made = upstream("with group('g'):\n    t()\n    with group('h'):\n        t()\nt()")
    assert set(made) == {"a", "b", "g.t", "g.h.t", "t"}


def test_a_group_in_an_order_is_its_first_and_its_last_steps() -> None:
    made = upstream("with group('g') as g:\n    t.named('x')() >> t.named('y')()\n    t.named('z')()\na >> g >> b")
    assert made == {"a": set(), "g.x": {"a"}, "g.y": {"g.x"}, "g.z": {"a"}, "b": {"g.y", "g.z"}}


def test_an_order_with_a_step_outside_does_not_change_what_is_first_inside() -> None:
    made = upstream("with group('g') as g:\n    a >> t()\nb >> g")
    assert made["g.t"] == {"a", "b"}


def test_a_group_can_have_conditions_after_it() -> None:
    made = by_id("with group('g') as g:\n    t()\ng.on('failed') >> b")
    assert made["b"].conditions == (("failed",),)


def test_outputs_go_in_and_out_of_groups() -> None:
    made = upstream("v = value()\nwith group('g'):\n    use(v)\n    w = value()\nuse.named('u')(w)")
    assert (made["g.use"], made["u"]) == ({"value"}, {"g.value"})


def test_a_setup_comes_before_the_block_and_its_teardown_after() -> None:
    made = by_id("with guarded(setup=a, teardown=b):\n    t.named('x')() >> t.named('y')()")
    assert [(made[name].role, made[name].upstream) for name in ("a", "x", "y", "b")] == [
        ("setup", ()),
        ("work", (0,)),
        ("work", (1,)),
        ("teardown", (0, 2)),
    ]
    assert made["b"].setups == (0,)
    assert made["b"].trigger_rule == "all_done_setup_success"


def test_setups_and_teardowns_may_be_several() -> None:
    made = upstream("e, f = t.named('e')(), t.named('f')()\nwith guarded(setup=[a, b], teardown=[e, f]):\n    t()\n")
    assert made == {"a": set(), "b": set(), "t": {"a", "b"}, "e": {"a", "b", "t"}, "f": {"a", "b", "t"}}


def test_what_comes_after_a_guarded_block_does_not_wait_for_the_teardown() -> None:
    made = upstream("with guarded(setup=a, teardown=b) as block:\n    t()\nblock >> t.named('x')()")
    assert made["x"] == {"t"}


def test_what_comes_after_a_group_does_not_wait_for_the_teardowns_inside() -> None:
    made = upstream(
        "with group('g') as g:\n    with guarded(setup=t.named('s')(), teardown=t.named('z')()):\n        t()\ng >> a"
    )
    assert made["a"] == {"g.t"}


def test_an_inner_guard_is_taken_down_before_the_outer_one() -> None:
    made = upstream(
        "with guarded(setup=a, teardown=b):\n"
        "    with guarded(setup=t.named('s')(), teardown=t.named('z')()):\n        t()"
    )
    assert made == {"a": set(), "s": {"a"}, "t": {"s"}, "z": {"s", "t"}, "b": {"a", "z"}}


def test_a_guarded_block_without_steps_is_set_up_and_taken_down() -> None:
    assert upstream("with guarded(setup=a, teardown=b):\n    pass") == {"a": set(), "b": {"a"}}


def test_a_mapped_task_can_be_guarded() -> None:
    made = laid_out("with guarded(setup=a, teardown=b):\n    use.expand(n=[1, 2])")
    assert made.scopes[0].upstream == (0,)
    assert made.tasks[-1].upstream == (0, 1)


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ("with group('g') as g:\n    g >> t()", "OST-163", 2),
        ("with group('g') as g:\n    t() >> g", "OST-163", 2),
        ("with group('g') as g:\n    g.on('failed') >> t()", "OST-163", 2),
        ("with group('g'):\n    t()\nwith group('g'):\n    t.named('x')()", "OST-164", 3),
        ("with group('a'):\n    t()", "OST-164", 1),
        ("with group('g'):\n    t()\nt.named('g')()", "OST-112", 3),
        ("with group('g g'):\n    t()", "OST-110", 1),
        ("with guarded(setup=[], teardown=b):\n    t()", "OST-165", 1),
        ("with guarded(setup=a, teardown=a):\n    t()", "OST-165", 1),
        ("with guarded(setup=3, teardown=b):\n    t()", "OST-124", 1),
    ],
)
def test_a_wrong_block_is_reported_where_it_is_written(lines: str, code: str, line: int) -> None:
    found = problems(
        f"{TASKS}@dag\ndef d() -> None:\n    a, b = t.named('a')(), t.named('b')()\n"
        + "".join(f"    {line}\n" for line in lines.splitlines())
    )
    assert (code, line) in [(problem.code, problem.line - 9) for problem in found]


def test_a_teardown_guards_one_block() -> None:
    assert wrong("for x in '12':\n    with guarded(setup=a, teardown=b):\n        t.named(x)()") == ("OST-165", 2)


def test_a_teardown_has_no_trigger_rule() -> None:
    rule = "@task(trigger_rule='all_done')\ndef r() -> None: ...\n"
    text = f"{TASKS}{rule}@dag\ndef d() -> None:\n    with guarded(setup=t(), teardown=r()):\n        use(1)\n"
    assert only_problem(text).code == "OST-165"


def test_a_teardown_has_no_conditions() -> None:
    assert wrong("with guarded(setup=a, teardown=b):\n    x = t()\nx.on('failed') >> b") == ("OST-161", 3)


def test_setup_and_teardown_are_where_their_block_is() -> None:
    text = "with each('e', over=[1]) as n:\n    with guarded(setup=a, teardown=t()):\n        use(n)"
    assert wrong(text) == ("OST-165", 2)


def test_a_guard_inside_of_an_each_guards_every_instance() -> None:
    made = by_id(
        "with each('e', over=[1]) as n:\n"
        "    with guarded(setup=t.named('s')(), teardown=t.named('z')()):\n        use(n)"
    )
    assert {made[name].scope for name in ("e.s", "e.use", "e.z")} == {0}
    assert made["e.z"].trigger_rule == "all_done_setup_success"


def test_a_block_outside_of_a_dag_is_refused() -> None:
    assert only_problem("with group('g'):\n    pass\n").code == "OST-118"


def test_a_group_that_raises_is_reported_by_what_it_raised() -> None:
    text = f"{TASKS}@dag\ndef d() -> None:\n    with group('g'):\n        t()\n        1 / 0\n"
    assert only_problem(text).code == "OST-113"
