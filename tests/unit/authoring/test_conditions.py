"""What lets a step begin: a trigger rule over all that comes before it, or a condition for each edge."""

from typing import get_args

import pytest

from ostinato.model.spec import TaskSpec, TriggerRule
from tests.unit.authoring.files import only_problem, problems, spec

TASKS = "@task\ndef t() -> None: ...\n@task(trigger_rule='all_done')\ndef r() -> None: ...\n@dag\ndef d() -> None:\n"


def last(text: str) -> TaskSpec:
    """The last task of a dag with steps a, b, c of which these lines make more."""
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    return spec(f"{TASKS}    a, b, c = [t.named(x)() for x in 'abc']\n{lines}\n").tasks[-1]


def wrong(text: str) -> tuple[str, int]:
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    problem = only_problem(f"{TASKS}    a, b = t.named('a')(), t.named('b')()\n{lines}\n")
    return problem.code, problem.line - 7


@pytest.mark.parametrize("rule", get_args(TriggerRule))
def test_every_trigger_rule_can_be_asked_for(rule: str) -> None:
    (task,) = spec(f"@task(trigger_rule='{rule}')\ndef t() -> None: ...\n@dag\ndef d() -> None:\n    t()\n").tasks
    assert task.trigger_rule == rule


def test_a_condition_is_kept_for_each_upstream() -> None:
    made = last("step(a).on('failed') >> c\nb >> c")
    assert made.upstream == (0, 1)
    assert made.conditions == (("failed",), ("succeeded",))


def test_a_plain_order_has_no_conditions() -> None:
    assert last("[a, b] >> c").conditions == ()


def test_the_outcomes_of_one_edge_have_one_order_however_they_are_written() -> None:
    assert last("a.on('skipped', 'failed', 'skipped') >> c").conditions == (("failed", "skipped"),)


def test_two_edges_between_the_same_steps_take_what_either_takes() -> None:
    assert last("a.on('failed') >> c\na.on('skipped') >> c").conditions == (("failed", "skipped"),)
    assert last("a.on('failed') >> c\na >> c").conditions == (("succeeded", "failed"),)


def test_edges_with_different_conditions_stand_in_one_list() -> None:
    assert last("[a.on('failed'), b.on('completed')] >> c").conditions == (("failed",), ("completed",))


def test_a_condition_says_more_than_the_use_of_an_output() -> None:
    made = spec(
        "@dag\ndef d() -> None:\n    loaded = load('a')\n    done = publish(loaded)\n"
        "    step(loaded).on('completed') >> done\n"
    ).tasks[1]
    assert made.upstream == (0,)
    assert made.conditions == (("completed",),)


def test_a_condition_on_several_steps_is_one_for_each_of_them() -> None:
    assert last("step(a, b).on('failed') >> c").conditions == (("failed",), ("failed",))


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ("a.on() >> b", "OST-160", 1),
        ("a.on('faild') >> b", "OST-135", 1),
        ("step(a.on('failed'), b) >> t()", "OST-160", 1),
        ("x = r()\n\na.on('failed') >> x", "OST-161", 3),
    ],
)
def test_a_wrong_condition_is_reported_where_it_is_written(lines: str, code: str, line: int) -> None:
    assert wrong(lines) == (code, line)


def test_the_help_for_a_misspelt_outcome_is_the_right_one() -> None:
    (problem,) = problems(f"{TASKS}    a, b = t.named('a')(), t()\n    a.on('faild') >> b\n")
    assert problem.help == "did you mean 'failed'?"
