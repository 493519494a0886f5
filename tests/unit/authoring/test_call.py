"""Calling a task: arguments are bound, checked, and kept in one form."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from msgspec import msgpack

from ostinato import task
from ostinato.authoring.layout import Layout, Node, layout
from ostinato.authoring.step import Step
from ostinato.model.canonical import canonical
from ostinato.model.spec import DagSpec, OutputOf, ParamOf, TaskSpec, Template, Value
from ostinato.model.value import decode, encode
from tests.unit.authoring.files import only_problem, plain_data, problems, spec


def call(text: str, extra: str = "") -> TaskSpec:
    """The last task of a dag with these calls in it."""
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    return spec(f"{extra}\n@dag(params={{'region': 'eu'}})\ndef d() -> None:\n{lines}\n").tasks[-1]


def test_arguments_are_kept_by_name_however_they_are_given() -> None:
    by_name = call("load(path='a.csv')")
    assert by_name.kwargs == (("path", Value("a.csv")),)
    assert call("load('a.csv')") == by_name


def test_defaults_stay_with_the_function() -> None:
    assert [name for name, _ in call("publish(load('a'))").kwargs] == ["data"]


def test_only_what_cannot_be_named_is_kept_by_position() -> None:
    many = "@task\ndef f(a: int, /, b: int, *rest: int, c: int = 0, **more: int) -> None: ..."
    kept = call("f(1, 2, 3, c=4, d=5)", many)
    assert kept.args == (Value(1), Value(2), Value(3))
    assert kept.kwargs == (("c", Value(4)), ("d", Value(5)))


def test_a_context_is_no_argument_however_its_annotation_is_written() -> None:
    for written in ("Context", "'Context'", "ostinato.Context", "'ostinato.Context'", "Ctx"):
        extra = f"import ostinato\nfrom ostinato import Context as Ctx\n@task\ndef f(x: {written}, y: int) -> None: ..."
        assert call("f(1)", extra).kwargs == (("y", Value(1)),)


def test_a_class_of_the_authors_own_called_context_is_an_argument() -> None:
    extra = "class Context: ...\n@task\ndef f(x: 'Context') -> None: ..."
    assert call("f(1)", extra).kwargs == (("x", Value(1)),)


def test_an_output_is_an_argument_and_an_order() -> None:
    kept = call("publish(load('a'))")
    assert kept.kwargs == (("data", OutputOf(0)),)
    assert kept.upstream == (0,)


def test_a_template_and_a_param_are_filled_by_the_run() -> None:
    assert call("load('raw/{{ logical_date }}.csv')").kwargs == (("path", Template("raw/{{ logical_date }}.csv")),)
    assert call("load(param('region', str))").kwargs == (("path", ParamOf("region")),)


def test_outputs_params_and_templates_may_stand_inside_lists_and_dicts() -> None:
    extra = "@task\ndef f(parts: object, options: object = None) -> None: ..."
    kept = call("a = load('x')\nf([a, 1, ['{{ run_id }}']], options={'k': (a, param('region'))})", extra)
    assert kept.kwargs == (
        ("parts[0]", OutputOf(0)),
        ("parts[1]", Value(1)),
        ("parts[2][0]", Template("{{ run_id }}")),
        ("options['k'][0]", OutputOf(0)),
        ("options['k'][1]", ParamOf("region")),
    )
    assert kept.upstream == (0,)


def test_plain_lists_and_dicts_are_one_value() -> None:
    extra = "@task\ndef f(x: object) -> None: ..."
    assert call("f({'a': [1, (2, 3)]})", extra).kwargs == (("x", Value({"a": [1, [2, 3]]})),)


def kept_value(value: object) -> object:
    """A value as a step keeps it, once the spec went through its stored form, and as the task gets it."""

    @task
    def f(x: object) -> None: ...

    current = Layout("d", ())
    token = layout.set(current)
    try:
        f(value)
    finally:
        layout.reset(token)
    ((_, kept),) = current.nodes[0].kwargs
    assert isinstance(kept, Value)
    through = msgpack.decode(canonical(DagSpec("d", (TaskSpec("f", kwargs=(("x", kept),)),))), type=DagSpec)
    ((_, stored),) = through.tasks[0].kwargs
    assert isinstance(stored, Value)
    return decode(encode(stored.value))


@given(plain_data().filter(lambda value: "{{" not in repr(value)))
def test_plain_data_arrives_as_it_was_given(value: object) -> None:
    assert kept_value(value) == value


@pytest.mark.parametrize(
    "value",
    [
        date(2024, 1, 31),
        datetime(2024, 1, 31, 6),
        datetime(2024, 1, 31, 6, tzinfo=UTC),
        timedelta(days=-1, seconds=3),
        [date.min],
    ],
)
def test_dates_and_times_arrive_as_they_were_given(value: object) -> None:
    assert kept_value(value) == value


BAD_CALLS = [
    ("load()", "load is called without 'path'", "load"),
    ("load('a', 'b')", "load is given 2 arguments by position", "load"),
    ("load('a', path='b')", "load is given 'path' by position and by name", "path='b'"),
    ("load(pth='a')", "load has no argument 'pth'", "pth"),
    ("publish(table='t')", "publish is called without 'data'", "publish"),
]


@pytest.mark.parametrize(("text", "what", "at"), BAD_CALLS)
def test_a_call_that_does_not_fit_is_reported_where_it_is(text: str, what: str, at: str) -> None:
    found = problems(f"@dag\ndef d() -> None:\n    {text}\n")
    problem = next(problem for problem in found if problem.what == what)
    assert (problem.code, problem.line) == ("OST-122", 3)
    assert f"    {text}"[problem.column - 1 :].startswith(at)


def test_a_wrong_name_is_answered_by_the_right_one() -> None:
    found = problems("@dag\ndef d() -> None:\n    load(pth='a')\n")
    assert {problem.help for problem in found} == {"did you mean 'path'?", "it takes 'path'"}


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("object()", "path is a builtins.object"),
        ("{1, 2}", "path is a builtins.set"),
        ("[{'a': object()}]", "path[0]['a'] is a builtins.object"),
        ("{(1, 2): 3}", "path has the key (1, 2)"),
        ("2**64", "cannot be kept"),
        ("'\\ud800'", "cannot be kept"),
        ("load", "path is a ostinato.authoring.task.Task"),
        ("'x' * 2_000_000", "2,000,005 bytes"),
        ("[load('b'), object()]", "path[1] is a builtins.object"),
    ],
)
def test_an_argument_that_cannot_be_kept_is_reported(value: str, what: str) -> None:
    found = [p for p in problems(f"@dag\ndef d() -> None:\n    load({value})\n") if p.code == "OST-123"]
    assert len(found) == 1
    assert what in found[0].what
    assert found[0].line == 3


def test_data_that_contains_itself_is_reported() -> None:
    found = problems("@dag\ndef d() -> None:\n    a: list[object] = ['{{ run_id }}']\n    a.append(a)\n    load(a)\n")
    assert [problem.code for problem in found] == ["OST-123"]


@pytest.mark.parametrize(
    ("template", "code", "help"),
    [
        ("{{ logicl_date }}", "OST-141", "did you mean 'logical_date'?"),
        ("{{ logical_date | nodsh }}", "OST-142", "dates have"),
        ("{{ x y }}", "OST-140", "write {{ name }}"),
        ("{{ params.regoin }}", "OST-143", "did you mean 'region'?"),
    ],
)
def test_a_wrong_template_is_reported_at_the_hole(template: str, code: str, help: str) -> None:
    problem = only_problem(f"@dag(params={{'region': 'eu'}})\ndef d() -> None:\n    load('a{template}')\n")
    assert (problem.code, problem.line, problem.column) == (code, 3, 12)
    assert problem.help.startswith(help)


def test_a_parameter_must_be_declared_with_the_type_it_is_used_with() -> None:
    text = "@dag(params={'region': 'eu'})\ndef d() -> None:\n    load(param('regin'))\n    load.named('b')(param('region', int))\n"
    assert [(p.code, p.line, p.help) for p in problems(text)] == [
        ("OST-143", 3, "did you mean 'region'?"),
        ("OST-143", 4, ""),
    ]


def test_what_a_sensor_waits_for_is_no_argument() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    load(wait_for_file('a'))\n")
    assert (problem.code, problem.line) == ("OST-119", 3)


def test_several_steps_have_no_one_output() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    load.named('c')(step(load('a'), load.named('b')('b')))\n")
    assert "stands for several steps" in problem.what


@pytest.mark.parametrize(
    "use",
    ["if x: pass", "x['rows']", "x + 1", "1 + x", "len(x)", "list(x)", "f'{x}'", "str(x)", "x.rows", "x()", "x == 3", "3 in x",
     "x < 3", "-x", "int(x)", "x['a'] = 1", "x << x", "'a' + x", "range(x)", "with x: pass", "{**x}"],
)  # fmt: skip
def test_an_output_cannot_be_used_while_the_dag_is_laid_out(use: str) -> None:
    problem = only_problem(f"@dag\ndef d() -> None:\n    x = load('a')\n    {use}\n")
    assert (problem.code, problem.line) == ("OST-119", 4)


def test_a_step_can_be_looked_at_by_those_who_debug() -> None:
    @task
    def load() -> None: ...

    current = Layout("d", ())
    token = layout.set(current)
    try:
        made = load()
    finally:
        layout.reset(token)
    assert repr(made) == "<step load>"
    assert isinstance(made, Step)
    assert isinstance(current.nodes[0], Node)
    assert not hasattr(made, "_repr_html_")
    assert [made].index(made) == 0


def test_a_list_has_no_place_in_text() -> None:
    problem = only_problem("@dag(params={'tables': ['a']})\ndef d() -> None:\n    load('{{ params.tables }}')\n")
    assert (problem.code, problem.column) == ("OST-143", 10)
    assert "has no place in text" in problem.what


def test_keys_beside_outputs_are_text_or_integers() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    load.named('b')({(1, 2): load('a')})\n")
    assert problem.what == "the argument 'path' of 'b' has the key (1, 2); keys are text or integers"


def test_orders_backwards_are_refused_in_words() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    wait_for_file('a') << step(load('a'))\n")
    assert "`<<`, which is `>>` backwards" in problem.what
