"""Tasks and sensors: what their options become, and what cannot be one."""

import pytest

from ostinato import Context, retry, task
from ostinato.model.errors import DagFileInvalid
from ostinato.model.spec import Retry, Sensor, TaskSpec
from tests.unit.authoring.files import only_problem, problems, spec

DAG = "\n@dag\ndef d() -> None:\n    f()\n"


def made(text: str) -> TaskSpec:
    return spec(text + DAG).tasks[0]


def test_a_bare_task_has_the_defaults() -> None:
    assert made("@task\ndef f() -> None: ...") == TaskSpec("f")
    assert made("@task()\ndef f() -> None: ...") == TaskSpec("f")


def test_options_are_kept_in_plain_units() -> None:
    text = """
@task(task_id="g", retry=retry(transient=1, resource=2, first_delay="200ms", max_delay="1m", jitter=0), timeout="10m",
      pool="db", slots=2, priority=-3, isolation="process", memory="2GB", trigger_rule="all_done")
def f() -> None: ...
"""
    assert made(text) == TaskSpec(
        "g",
        retry=Retry(1, 2, 0.2, 60.0, 0.0),
        timeout=600.0,
        pool="db",
        slots=2,
        priority=-3,
        isolation="process",
        memory=2_000_000_000,
        trigger_rule="all_done",
    )


def test_a_task_has_its_tags_each_once() -> None:
    assert made("@task(tags=['slow', 'gold', 'slow'])\ndef f() -> None: ...").tags == ("slow", "gold")


def test_the_longest_delay_is_never_shorter_than_the_first() -> None:
    assert retry(first_delay="1h", max_delay="1m").max_delay == 3600


def test_a_sensor_waits_as_it_says() -> None:
    text = "@sensor(every='1m', timeout='6h', pool='p')\ndef f() -> bool: return True"
    assert made(text) == TaskSpec("f", kind="sensor", pool="p", sensor=Sensor(60, 21600))


def test_waiting_for_a_file_keeps_the_path_as_it_is_written() -> None:
    text = "@dag\ndef d() -> None:\n    wait_for_file('raw/{{ logical_date }}.csv', every='30s', timeout='12h')\n"
    assert spec(text).tasks == (
        TaskSpec("wait_for_file", kind="file_sensor", sensor=Sensor(30, 43200, "raw/{{ logical_date }}.csv")),
    )


def test_the_path_of_a_file_is_checked_like_any_template() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    wait_for_file('raw/{{ date }}.csv')\n")
    assert (problem.code, problem.line, problem.column) == ("OST-141", 3, 24)


def test_a_named_task_is_the_same_but_for_its_id() -> None:
    first, second = spec("@dag\ndef d() -> None:\n    load('a')\n    load.named('load_eu')('a')\n").tasks
    assert (first.task_id, second.task_id) == ("load", "load_eu")
    assert first.kwargs == second.kwargs


def test_the_plain_function_stays_reachable() -> None:
    @task
    def double(ctx: Context, n: int) -> int:
        return 2 * n * ctx.number

    assert double.function(Context(number=2), 3) == 12


def test_a_task_outside_of_a_dag_is_refused_saying_how_to_call_it() -> None:
    @task
    def f() -> None: ...

    with pytest.raises(DagFileInvalid, match="OST-118") as refused:
        f()
    assert "f.function(...)" in refused.value.help


@pytest.mark.parametrize(
    ("decorator", "code", "at"),
    [
        ("task(timeout='soon')", "OST-132", "'soon'"),
        ("task(timeout=0)", "OST-132", "0"),
        ("task(memory='lots')", "OST-137", "'lots'"),
        ("task(slots=0)", "OST-136", "slots=0"),
        ("task(slots=1.5)", "OST-136", "slots=1.5"),
        ("task(priority='high')", "OST-136", "priority='high'"),
        ("task(isolation='proces')", "OST-135", "'proces'"),
        ("task(trigger_rule='any')", "OST-135", "'any'"),
        ("task(pool='a b')", "OST-110", "'a b'"),
        ("task(pool='')", "OST-110", "pool"),
        ("task(task_id='a/b')", "OST-110", "'a/b'"),
        ("task(retry=retry(transient=-1))", "OST-136", "transient=-1"),
        ("task(retry=retry(resource=1000))", "OST-136", "resource=1000"),
        ("task(retry=retry(jitter=2))", "OST-136", "jitter"),
        ("task(retry=retry(first_delay='x'))", "OST-132", "'x'"),
        ("sensor(every='x', timeout='1m')", "OST-132", "'x'"),
        ("sensor(every='1m', timeout=-1)", "OST-132", "-1"),
        ("task(tags='slow')", "OST-139", "tags="),
        ("task(max_active=0)", "OST-136", "max_active=0"),
        ("task(depends_on_past='yes')", "OST-135", "depends_on_past="),
        ("branch(timeout=0)", "OST-132", "0"),
        ("short_circuit(trigger_rule='any')", "OST-135", "'any'"),
        ("task(nosuch=1)", "OST-103", "task"),
    ],
)
def test_a_wrong_option_is_reported_where_it_is_written(decorator: str, code: str, at: str) -> None:
    problem = only_problem(f"@{decorator}\ndef f() -> bool: return True\n")
    assert (problem.code, problem.line) == (code, 1)
    assert f"@{decorator}"[problem.column - 1 :].startswith(at)


def test_all_wrong_options_are_reported_at_once() -> None:
    found = problems("@task(timeout='a', slots=-1,\n      memory='b')\ndef f() -> None: ...\n")
    assert [(problem.code, problem.line) for problem in found] == [("OST-132", 1), ("OST-136", 1), ("OST-137", 2)]


@pytest.mark.parametrize(
    ("definition", "what"),
    [
        ("async def f() -> None: ...", "is async"),
        ("async def f() -> None:\n    yield 1", "is async"),
        ("def f():\n    yield 1", "is a generator"),
        ("class f: ...", "is not a function"),
    ],
)
def test_only_a_plain_function_can_be_a_task(definition: str, what: str) -> None:
    problem = only_problem(f"@task\n{definition}\n")
    assert (problem.code, problem.line) == ("OST-117", 1)
    assert what in problem.what


def test_two_steps_of_one_id_are_reported_at_the_second() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    load('a')\n    load('b')\n")
    assert (problem.code, problem.line, problem.column) == ("OST-112", 4, 5)
    assert problem.help.endswith('load.named("...")(...)')


def test_two_file_sensors_need_ids() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    wait_for_file('a')\n    wait_for_file('b')\n")
    assert problem.help.endswith('wait_for_file(..., task_id="...")')


@pytest.mark.parametrize("path", ["''", "None", "3"])
def test_waiting_for_a_file_needs_a_path(path: str) -> None:
    problem = only_problem(f"@dag\ndef d() -> None:\n    wait_for_file({path})\n")
    assert (problem.code, problem.line) == ("OST-139", 3)


def test_a_task_shows_itself_by_its_id() -> None:
    @task(task_id="loads")
    def load() -> None: ...

    assert repr(load) == "<task loads>"
