"""Dags: what their options become, and what cannot be one."""

from datetime import date

import pytest

from ostinato import cron, dag, task
from ostinato.model.errors import DagFileInvalid
from ostinato.model.spec import Cron, DagSpec, Deadline, Param, TaskSpec
from tests.unit.authoring.files import loaded, only_problem, problems, spec


@task
def nothing() -> None: ...


def test_a_bare_dag_has_the_defaults() -> None:
    @dag
    def daily() -> None:
        nothing()

    assert daily.dag_id == "daily"
    assert daily.build() == DagSpec("daily", (TaskSpec("nothing"),))


def test_options_are_kept_as_data() -> None:
    @dag(
        dag_id="d", schedule=cron("0 6 * * *", tz="Europe/Berlin"), start=date(2024, 1, 1), end=date(2024, 1, 31),
        catchup="all", params={"region": "eu"}, max_active_runs=3, tags=["b", "a", "b"],
        max_active_tasks=5, outcome="leaves", overlap="skip", clock="warn",
    )  # fmt: skip
    def daily() -> None:
        """What it is for.

        And more of it.
        """
        nothing()

    assert daily.build() == DagSpec(
        "d",
        (TaskSpec("nothing"),),
        schedule=Cron("0 6 * * *", "Europe/Berlin"),
        start=1704063600000,
        end=1706741999999,
        catchup="all",
        params=(Param("region", "string", default="eu"),),
        max_active_runs=3,
        tags=("b", "a"),
        description="What it is for.",
        max_active_tasks=5,
        outcome="leaves",
        overlap="skip",
        clock="warn",
    )


@pytest.mark.parametrize(
    ("schedule", "deadline", "zone"),
    [
        ("cron('0 6 * * *', tz='Asia/Tokyo')", "by('08:00')", "Asia/Tokyo"),
        ("cron('0 6 * * *', tz='Asia/Tokyo')", "by('08:00', tz='UTC')", "UTC"),
        ("every('1h')", "by('08:00')", "UTC"),
    ],
)
def test_a_deadline_is_in_the_schedules_zone_unless_it_has_its_own(schedule: str, deadline: str, zone: str) -> None:
    found = spec(f"@dag(schedule={schedule}, deadline={deadline})\ndef d() -> None:\n    load('a')\n")
    assert found.deadline == Deadline("08:00", zone)


def test_a_loop_may_make_a_dag_in_every_round() -> None:
    found = loaded(
        "for name in ['a', 'b', 'c']:\n"
        "    @dag(dag_id=f'ingest_{name}')\n"
        "    def ingest() -> None:\n"
        "        load(f'{name}.csv')\n"
    )
    assert list(found.dags) == ["ingest_a", "ingest_b", "ingest_c"]
    paths = [found.dag(f"ingest_{name}").build().tasks[0].kwargs[0][1] for name in "abc"]
    assert [getattr(path, "value", None) for path in paths] == ["a.csv", "b.csv", "c.csv"]


def test_outside_of_an_import_a_mistake_is_raised_where_it_is_made() -> None:
    with pytest.raises(DagFileInvalid, match="OST-134") as refused:
        dag(deadline=object())  # type: ignore[call-overload]
    assert refused.value.where.startswith(__file__)


def test_outside_of_an_import_the_authors_own_errors_are_theirs() -> None:
    with pytest.raises(ZeroDivisionError):

        @dag
        def broken() -> None:
            nothing()
            _ = 1 / 0


@pytest.mark.parametrize(
    ("decorator", "code", "at"),
    [
        ("dag(schedule='0 6 * * *')", "OST-133", "schedule="),
        ("dag(schedule=60)", "OST-133", "schedule="),
        ("dag(schedule=cron('0 6 * *'))", "OST-130", "'0 6 * *'"),
        ("dag(schedule=cron('0 6 * * *', tz='Nowhere'))", "OST-131", "'Nowhere'"),
        ("dag(deadline=by('08:00'))", "OST-134", "deadline="),
        ("dag(schedule=every('1h'), deadline=by('8'))", "OST-134", "'8'"),
        ("dag(schedule=every('1h'), deadline='08:00')", "OST-134", "deadline="),
        ("dag(catchup='some')", "OST-135", "'some'"),
        ("dag(outcome='leafs')", "OST-135", "'leafs'"),
        ("dag(overlap='stop')", "OST-135", "'stop'"),
        ("dag(clock='on')", "OST-135", "'on'"),
        ("dag(previous='yes')", "OST-135", "previous="),
        ("dag(max_active_tasks=0)", "OST-136", "max_active_tasks=0"),
        ("dag(max_active_runs=0)", "OST-136", "max_active_runs=0"),
        ("dag(start='2024-01-01')", "OST-138", "'2024-01-01'"),
        ("dag(start=date(2024, 2, 1), end=date(2024, 1, 1))", "OST-138", "end="),
        ("dag(tags='sales')", "OST-139", "tags="),
        ("dag(dag_id='a b')", "OST-110", "'a b'"),
        ("dag(dag_id='')", "OST-110", "dag_id"),
        ("dag(params={'a': None})", "OST-144", "'a'"),
    ],
)
def test_a_wrong_option_is_reported_where_it_is_written(decorator: str, code: str, at: str) -> None:
    problem = only_problem(f"@{decorator}\ndef d() -> None:\n    load('a')\n")
    assert (problem.code, problem.line) == (code, 1)
    assert f"@{decorator}"[problem.column - 1 :].startswith(at)


def test_columns_count_characters() -> None:
    problem = only_problem("größe = 'ü'; bad = every('x')\n")
    assert (problem.line, problem.column) == (1, 26)


@pytest.mark.parametrize(
    ("definition", "code", "what"),
    [
        ("def d() -> None: ...", "OST-115", "has no steps"),
        ("def d():\n    return load('a')", "OST-114", "returns something"),
        ("def d():\n    yield load('a')", "OST-114", "generator"),
        ("async def d():\n    load('a')", "OST-114", "async"),
        ("def d(region):\n    load(region)", "OST-114", "takes arguments"),
        ("def d(*, region):\n    load(region)", "OST-114", "takes arguments"),
        ("class d: ...", "OST-114", "is not a function"),
        ("def d():\n    load('a')\n    1 / 0", "OST-113", "ZeroDivisionError: division by zero"),
    ],
)
def test_only_a_plain_function_that_calls_tasks_can_be_a_dag(definition: str, code: str, what: str) -> None:
    problem = only_problem(f"@dag\n{definition}\n")
    assert problem.code == code
    assert what in problem.what


def test_an_error_in_a_dags_function_is_reported_where_it_was_raised() -> None:
    problem = only_problem("def deep():\n    return 1 / 0\n@dag\ndef d() -> None:\n    load('a')\n    deep()\n")
    assert (problem.code, problem.line, problem.column) == ("OST-113", 2, 12)


def test_what_is_defined_further_down_is_named_as_such() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    later('a')\n@task\ndef later(x: str) -> None: ...\n")
    assert problem.code == "OST-113"
    assert "define what it uses above it" in problem.help


def test_two_dags_of_one_id_are_reported_at_the_second() -> None:
    one = "@dag(dag_id='d')\ndef {}() -> None:\n    load('a')\n"
    problem = only_problem(one.format("a") + one.format("b"))
    assert (problem.code, problem.line) == ("OST-111", 4)


def test_a_dag_inside_of_a_dag_is_reported() -> None:
    problem = only_problem("@dag\ndef d() -> None:\n    load('a')\n    @dag\n    def e() -> None:\n        load('a')\n")
    assert (problem.code, problem.line) == ("OST-116", 4)


def test_a_mistake_in_one_dag_does_not_hide_those_in_others() -> None:
    wrong = "@dag(dag_id='{0}')\ndef {0}() -> None:\n    load('{{{{ {0} }}}}')\n"
    found = problems("".join(wrong.format(name) for name in "abc") + "1 / 0\n")
    assert [(p.code, p.line) for p in found] == [("OST-141", 3), ("OST-141", 6), ("OST-141", 9), ("OST-103", 10)]


def test_the_same_mistake_of_many_dags_is_reported_once() -> None:
    text = "for n in range(500):\n    @dag(dag_id=f'd{n}')\n    def d() -> None:\n        load('{{ x }}')\n"
    assert len(problems(text)) == 1


def test_problems_are_bounded() -> None:
    assert len(problems("for n in range(500):\n    every(f'x{n}')\n")) == 100
