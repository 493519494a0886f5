"""Steps without a function: other dags, people, the own past."""

import pytest

from ostinato.model.spec import Approval, CallDag, DagSpec, Need, OutputOf, ParamOf, TaskSpec, Template, Value
from tests.unit.authoring.files import only_problem, spec

PAST = Need(shift=-1, by_interval=True, if_any=True)


def laid_out(text: str, options: str = "params={'region': 'eu', 'tables': ['a']}") -> DagSpec:
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    return spec(f"@dag({options})\ndef d() -> None:\n{lines}\n")


def made(text: str) -> TaskSpec:
    return laid_out(text).tasks[-1]


def need(arguments: str) -> Need:
    (found,) = made(f"wait_for_dag('other', {arguments})").needs
    return found


def test_a_call_of_a_dag_has_parameters_that_the_run_fills() -> None:
    text = "run_dag('other', a=load('x'), b=param('region'), c='{{ logical_date }}', e=['x', 1])"
    assert made(text) == TaskSpec(
        "run_other",
        "call",
        upstream=(0,),
        kwargs=(
            ("a", OutputOf(0)),
            ("b", ParamOf("region")),
            ("c", Template("{{ logical_date }}")),
            ("e", Value(["x", 1])),
        ),
        call=CallDag("other"),
    )


def test_a_called_dag_is_waited_for_or_not() -> None:
    called = made("run_dag('other', wait=False, task_id='x')")
    assert (called.task_id, called.call) == ("x", CallDag("other", wait=False))


def test_a_question_is_kept_with_what_a_no_does() -> None:
    assert made("approval('publish it?')").approval == Approval("publish it?")
    asked = made("approval('sure?', timeout='2d', no='fail', task_id='sure')")
    assert asked == TaskSpec("sure", "approval", approval=Approval("sure?", 172_800.0, "fail"))


def test_another_dag_is_waited_for_by_the_intervals_that_make_up_the_own_one() -> None:
    assert made("wait_for_dag('other')") == TaskSpec("wait_for_other", "interval", needs=(Need("other"),))


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        ("task='g.load'", Need("other", "g.load")),
        ("shift='-1h'", Need("other", shift=-3_600_000)),
        ("shift='1d', size='7d'", Need("other", shift=86_400_000, size=604_800_000)),
        ("shift=timedelta(hours=-2)", Need("other", shift=-7_200_000)),
        ("shift=-60", Need("other", shift=-60_000)),
        ("intervals=-1", Need("other", shift=-1, by_interval=True)),
        ("last=7", Need("other", by_interval=True, size=7)),
        ("intervals=-1, last=7", Need("other", shift=-1, by_interval=True, size=7)),
        ("if_any=True", Need("other", if_any=True)),
    ],
)
def test_what_is_waited_for_can_be_moved_made_longer_or_one_task(arguments: str, kept: Need) -> None:
    assert need(arguments) == kept


def test_a_task_can_depend_on_its_own_past_under_whatever_id() -> None:
    text = "@task(depends_on_past=True)\ndef t() -> None: ...\n@dag\ndef d() -> None:\n    t()\n    with group('g'):\n        t.named('x')()\n"
    assert [task.needs for task in spec(text).tasks] == [
        (Need(task_id="t", shift=-1, by_interval=True, if_any=True),),
        (Need(task_id="g.x", shift=-1, by_interval=True, if_any=True),),
    ]


def test_with_previous_the_first_steps_wait_for_the_run_before() -> None:
    text = (
        "a = load('a')\npublish(a)\nload.named('b').expand(path=['x'])\n"
        "with each('e', over=['x']) as x:\n    publish.named('p')(a, x)\n"
    )
    assert {task.task_id: task.needs for task in laid_out(text, "previous=True").tasks} == {
        "load": (PAST,),
        "publish": (),
        "b": (PAST,),
        "e.p": (),
    }


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("run_dag('a b')", "OST-110"),
        ("run_dag('other', wait=1)", "OST-135"),
        ("run_dag('other', a=object())", "OST-123"),
        ("run_dag('other', a=[param('region')])", "OST-123"),
        ("run_dag('other', a='{{ nosuch }}')", "OST-141"),
        ("approval('')", "OST-176"),
        ("approval(3)", "OST-176"),
        ("approval('?', no='stop')", "OST-135"),
        ("approval('?', timeout='soon')", "OST-132"),
        ("wait_for_dag('other', shift='yesterday')", "OST-132"),
        ("wait_for_dag('other', shift='11000d')", "OST-132"),
        ("wait_for_dag('other', size=0)", "OST-132"),
        ("wait_for_dag('other', intervals=1.5)", "OST-136"),
        ("wait_for_dag('other', last=0)", "OST-136"),
        ("wait_for_dag('other', if_any='yes')", "OST-135"),
        ("wait_for_dag('other', task='')", "OST-110"),
        ("wait_for_dag('other', intervals=-1, shift='1h')", "OST-174"),
        ("wait_for_dag('other', last=2, size='1h')", "OST-174"),
        ("wait_for_dag('d')", "OST-174"),
    ],
)
def test_a_wrong_wait_is_reported_where_it_is_written(line: str, code: str) -> None:
    problem = only_problem(f"@dag(params={{'region': 'eu'}})\ndef d() -> None:\n    {line}\n")
    assert (problem.code, problem.line) == (code, 3)


def test_a_dag_may_wait_for_its_own_earlier_runs() -> None:
    assert made("wait_for_dag('d', intervals=-1, last=3, if_any=True)").needs[0].size == 3


def test_two_calls_of_one_dag_need_ids() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    run_dag('other')\n    run_dag('other')\n")
    assert problem.help == 'give one of them a name of its own: run_dag(..., task_id="...")'


@pytest.mark.parametrize("line", ["run_dag('other')", "approval('?')", "wait_for_dag('other')", "wait_for_file('a')"])
def test_what_such_a_step_returns_cannot_be_used(line: str) -> None:
    assert only_problem(f"@dag\ndef d() -> None:\n    load({line})\n").code == "OST-119"
