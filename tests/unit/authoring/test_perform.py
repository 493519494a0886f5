"""Performing an attempt: the task's function is called with its arguments, and whatever it does comes back as a value."""

from textwrap import dedent

import pytest
from hypothesis import given

from ostinato import context
from ostinato.authoring.load import load_source
from ostinato.authoring.perform import Performed, perform, unloadable
from ostinato.model.errors import DagFileInvalid, NotInATask
from ostinato.model.message import Call, DeadLetters
from ostinato.model.value import decode, encode
from tests.unit.authoring.files import loaded, plain_data, source

SIX_UTC = 1367388000000
DAY = 86_400_000


def call(
    task_id: str = "f", dag_id: str = "d", args: tuple[object, ...] = (), params: object = None, **kwargs: object
) -> Call:
    return Call(
        dag_id=dag_id,
        version="v1",
        file="/dags/example.py",
        task_no=0,
        task_id=task_id,
        attempt=41,
        run_id=7,
        number=2,
        start=SIX_UTC - DAY,
        end=SIX_UTC,
        params=encode(params or {}),
        args=tuple(encode(arg) for arg in args),
        kwargs=tuple((name, encode(value)) for name, value in kwargs.items()),
    )


def performed(
    body: str, parameters: str = "", decorator: str = "@task", given: str = "", dag: str = "@dag", **kwargs: object
) -> Performed:
    """What comes of a task ``f`` with this body."""
    lines = "\n".join(f"    {line}" for line in dedent(body).splitlines())
    definition = f"{decorator}\ndef f({parameters}):\n{lines}\n{dag}\ndef d() -> None:\n    f({given})\n"
    return perform(loaded(definition), call(**kwargs))


def test_what_a_task_returns_is_its_output() -> None:
    done = performed("return {'rows': n + 1}", "n", given="0", n=41)
    assert done == Performed("success", encode({"rows": 42}))


def test_a_task_that_returns_nothing_has_no_output() -> None:
    assert performed("pass") == Performed("success")


def test_positional_and_named_arguments_arrive() -> None:
    done = performed("return [a, b, list(rest), c]", "a, b, *rest, c=0", given="0, 0, 0", args=(1, 2, 3), c=4)
    assert done.output == encode([1, 2, [3], 4])


def test_arguments_that_were_taken_apart_arrive_whole() -> None:
    text = """
    @task
    def f(parts: list[object], options: object = None, *, last: int = 0):
        return [parts, options, last]

    @dag
    def d() -> None:
        a = load("x")
        f([a, 1, ["{{ run_id }}", a]], {"k": a, 2: (a,)}, last=5)
    """
    found = loaded(text)
    spec = found.dag("d").build()
    labels = [label for label, _ in spec.tasks[1].kwargs]
    assert labels == ["parts[0]", "parts[1]", "parts[2][0]", "parts[2][1]", "options['k']", "options[2][0]", "last"]
    done = perform(found, call(**dict(zip(labels, ["A", 1, "7", "B", "C", "D", 5], strict=True))))
    assert done.output == encode([["A", 1, ["7", "B"]], {"k": "C", 2: ["D"]}, 5])


ECHO = loaded("@task\ndef f(x: object) -> object:\n    return x\n@dag\ndef d() -> None:\n    f(0)\n")


@given(plain_data())
def test_plain_data_goes_in_and_comes_out_as_it_is(value: object) -> None:
    done = perform(ECHO, call(x=value))
    assert done.verdict == "success"
    assert (None if done.output is None else decode(done.output)) == value


def test_the_context_says_what_the_run_is_for_in_the_schedules_zone() -> None:
    body = """
    return [ctx.dag_id, ctx.task_id, ctx.run_id, ctx.number, ctx.version, str(ctx.logical_date),
            ctx.interval.start.isoformat(), ctx.interval.end.isoformat(), ctx.params]
    """
    dag = "@dag(schedule=cron('0 2 * * *', tz='America/New_York'), params={'a': 1})"
    done = performed(body, "ctx: Context", dag=dag, params={"a": 5})
    assert done.output is not None
    assert decode(done.output) == [
        "d", "f", 7, 2, "v1", "2013-04-30", "2013-04-30T02:00:00-04:00", "2013-05-01T02:00:00-04:00", {"a": 5},
    ]  # fmt: skip


def test_the_context_can_be_asked_for_anywhere_in_a_running_task_and_nowhere_else() -> None:
    done = performed("from ostinato import context\ndef deep(): return context().run_id\nreturn deep()")
    assert done.output == encode(7)
    with pytest.raises(NotInATask):
        context()


def test_dead_letters_count_if_the_attempt_succeeds() -> None:
    record = "ctx.dead_letters(asset='a', partition='p', path='x', count=2, reasons={'r': 2})\n"
    done = performed(record, "ctx: Context")
    assert done.dead_letters == (DeadLetters("a", "p", "x", 2, {"r": 2}),)
    assert performed(record + "1 / 0", "ctx: Context").dead_letters == ()


def test_a_skip_is_no_failure() -> None:
    assert performed("raise Skip('nothing today')") == Performed("skipped")


SENSOR = "@sensor(every='1m', timeout='1h')"


@pytest.mark.parametrize(("answer", "verdict"), [("True", "success"), ("False", "not_yet")])
def test_a_sensor_answers(answer: str, verdict: str) -> None:
    assert performed(f"return {answer}", decorator=SENSOR) == Performed(verdict)  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", ["None", "1", "'yes'", "[]"])
def test_a_sensor_that_neither_says_yes_nor_no_fails(answer: str) -> None:
    done = performed(f"return {answer}", decorator=SENSOR)
    assert done.failure is not None
    assert done.failure.types[0] == "builtins.TypeError"
    assert "True or False" in done.failure.message


def test_a_result_that_cannot_be_kept_is_a_failure() -> None:
    done = performed("return {'a': object()}")
    assert done.verdict == "failed"
    assert done.failure is not None
    assert (done.failure.how, done.failure.code) == ("unstorable", "OST-201")
    assert "result['a'] is a builtins.object" in done.failure.message


@pytest.mark.parametrize(
    ("body", "how", "exit_code"),
    [
        ("import sys; sys.exit(3)", "exited", 3),
        ("import sys; sys.exit()", "exited", 0),
        ("import sys; sys.exit('bye')", "exited", 1),
        ("raise KeyboardInterrupt", "exited", -2),
        ("raise BaseException", "raised", None),
        ("raise GeneratorExit", "raised", None),
        ("1 / 0", "raised", None),
        ("f(1)", "raised", None),
    ],
)
def test_nothing_that_a_task_raises_gets_out(body: str, how: str, exit_code: int | None) -> None:
    done = performed(body)
    assert done.verdict == "failed"
    assert done.failure is not None
    assert (done.failure.how, done.failure.exit_code) == (how, exit_code)


def test_another_task_that_is_called_in_a_task_says_how_to_do_that() -> None:
    done = performed("return load('x')")
    assert done.failure is not None
    assert done.failure.types[0] == "ostinato.model.errors.DagFileInvalid"
    assert "load.function(...)" in done.failure.traceback
    assert performed("return load.function('x')").output == encode({"rows": 1})


@pytest.mark.parametrize("wrong", [call("g"), call(dag_id="e"), call(x=1)])
def test_a_call_that_does_not_fit_the_code_is_a_failure(wrong: Call) -> None:
    found = loaded("@task\ndef f() -> None: ...\n@dag\ndef d() -> None:\n    f()\n")
    assert perform(found, wrong).verdict == "failed"


def test_a_source_that_cannot_be_loaded_is_a_failure_with_its_cause() -> None:
    broken = source("def deep():\n    1 / 0\ndeep()\n")
    with pytest.raises(DagFileInvalid) as refused:
        load_source(broken)
    done = unloadable(refused.value, {broken.file: broken.code})
    assert done.failure is not None
    assert done.failure.how == "unloadable"
    assert done.failure.types[0] == "builtins.ZeroDivisionError"
    assert 'File "/dags/example.py", line 2, in deep' in done.failure.traceback
