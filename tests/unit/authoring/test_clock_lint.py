"""The lint names each place where the code of tasks asks the clock or chance, and nothing else."""

from textwrap import dedent

import pytest

from ostinato.authoring.clock_guard.lint import lint
from ostinato.authoring.mistakes import Mistake
from ostinato.model.record import DagProblem
from tests.unit.authoring.files import source

HEAD = "from ostinato import *\n"


def found(code: str, **modules: str) -> list[DagProblem]:
    """What the lint says of a file."""
    return list(lint(source(HEAD + dedent(code), **modules)))


def in_task(body: str, imports: str = "") -> list[DagProblem]:
    """What the lint says of a task with this body."""
    return found(f"{imports}\n@task\ndef f(x=None):\n" + "".join(f"    {line}\n" for line in body.split("\n")))


@pytest.mark.parametrize(
    ("imports", "expression", "name"),
    [
        ("import datetime", "datetime.datetime.now()", "datetime.datetime.now"),
        ("from datetime import datetime", "datetime.utcnow()", "datetime.datetime.utcnow"),
        ("from datetime import date as d", "d.today()", "datetime.date.today"),
        ("import time", "time.time()", "time.time"),
        ("from time import time as t", "t()", "time.time"),
        ("import time", "time.localtime()", "time.localtime"),
        ("import time", "time.localtime(None)", "time.localtime"),
        ("import pandas as pd", "pd.Timestamp.now()", "pandas.Timestamp.now"),
        ("import pandas as pd", "pd.to_datetime('now')", "pandas.to_datetime"),
        ("import pendulum", "pendulum.now('UTC')", "pendulum.now"),
        ("import datetime", "getattr(datetime.datetime, 'now')()", "datetime.datetime.now"),
        ("import importlib", "importlib.import_module('time').time()", "time.time"),
        ("from datetime import datetime", "dict(made=datetime.now)", "datetime.datetime.now"),
        ("from datetime import datetime\nnow = datetime.now", "now()", "datetime.datetime.now"),
    ],
)
def test_the_clock_is_seen_by_whatever_name_it_goes(imports: str, expression: str, name: str) -> None:
    problems = in_task(f"return {expression}", imports)
    assert Mistake.ASKS_CLOCK in {problem.code for problem in problems}
    assert any(problem.what == f"{name} asks the clock" for problem in problems)
    assert all("ctx.logical_date" in problem.help for problem in problems)


@pytest.mark.parametrize(
    ("imports", "expression"),
    [
        ("import random", "random.random()"),
        ("from random import shuffle", "shuffle([1])"),
        ("import random", "random.Random()"),
        ("import random", "random.Random(None)"),
        ("import uuid", "uuid.uuid4()"),
        ("import secrets", "secrets.token_hex(4)"),
        ("import os", "os.urandom(4)"),
        ("import numpy as np", "np.random.default_rng()"),
    ],
)
def test_chance_without_a_seed_is_seen(imports: str, expression: str) -> None:
    (problem,) = in_task(f"return {expression}", imports)
    assert problem.code == Mistake.ASKS_CHANCE
    assert "random.Random(f" in problem.help


@pytest.mark.parametrize(
    ("imports", "body"),
    [
        ("import time", "return time.monotonic()"),
        ("import time", "return time.localtime(0)"),
        ("import random", "return random.Random('seed').random()"),
        ("import random", "random.seed(4)\nreturn random.random()"),
        ("import uuid", "return uuid.uuid5(uuid.NAMESPACE_URL, 'a')"),
        ("import numpy as np", "return np.random.default_rng(4)"),
        ("class datetime:\n    now = 1\n", "return datetime.now"),
        ("import datetime", "return x.now()"),
    ],
)
def test_what_is_told_or_seeded_is_left_alone(imports: str, body: str) -> None:
    assert in_task(body, imports) == []


def test_what_a_task_calls_counts_also_in_local_modules() -> None:
    (problem,) = found(
        "from lib.times import stamp\n@task\ndef f():\n    return stamp()\n",
        lib__times="import time\ndef stamp():\n    return inner()\ndef inner():\n    return time.time()\n",
    )
    assert (problem.file, problem.line) == ("/dags/lib/times.py", 5)


def test_what_no_task_comes_to_does_not_count() -> None:
    assert found("import time\ndef tool():\n    return time.time()\n@task\ndef f():\n    return 1\n") == []
    assert found("import time\nif __name__ == '__main__':\n    print(time.time())\n") == []


def test_the_top_of_a_file_counts_since_it_lays_out_the_dags() -> None:
    (problem,) = found("from datetime import date\nDAY = date.today()\n")
    assert problem.line == 3


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("SELECT * FROM t WHERE day = CURRENT_DATE", "CURRENT_DATE"),
        ("select now(), x from t", "now"),
        ("INSERT INTO t VALUES (getdate())", "getdate"),
        ("with a as (select sysdate from dual) select * from a", "sysdate"),
        ("select * from t where at > date('now', '-1 day')", "date"),
        ("DELETE FROM t WHERE at < CURRENT_TIMESTAMP - INTERVAL '1 day'", "CURRENT_TIMESTAMP"),
    ],
)
def test_the_clock_of_a_database_is_seen_in_sql(sql: str, word: str) -> None:
    (problem,) = in_task(f"x.execute({sql!r})")
    assert problem.code == Mistake.SQL_ASKS_CLOCK
    assert problem.what.startswith(f"{word} asks the clock")
    assert "{{ logical_date }}" in problem.help


def test_chance_is_seen_in_sql() -> None:
    assert [p.code for p in in_task("x.execute('select * from t order by random()')")] == [Mistake.SQL_ASKS_CHANCE]
    assert in_task("x.execute('select rand(4) from t')") == []


@pytest.mark.parametrize(
    "text",
    [
        "the current_date is what people call now",
        "select '{{ logical_date }}' as current_date from t",
        'select a.current_date, \\"now\\" from t -- not now()',
        "select 'CURRENT_DATE' from t",
    ],
)
def test_a_text_that_does_not_ask_is_left_alone(text: str) -> None:
    assert in_task(f'x.execute("{text}")') == []


def test_texts_that_are_put_together_are_one_statement() -> None:
    (problem,) = in_task("x.execute('select * from ' + x + ' where day = current_date')")
    assert problem.code == Mistake.SQL_ASKS_CLOCK
    (problem,) = in_task("x.execute(f'select * from {x} where day = current_date')")
    assert problem.code == Mistake.SQL_ASKS_CLOCK


def test_a_reason_exempts_its_statement_and_only_that() -> None:
    body = "a = max(\n    time.time(),  # clock ok: only for the log\n    time.time_ns(),\n)\nreturn time.time()"
    (problem,) = in_task(body, "import time")
    assert problem.line == 9


def test_an_exemption_without_a_reason_exempts_nothing_and_is_named() -> None:
    codes = [problem.code for problem in in_task("return time.time()  # clock ok", "import time")]
    assert sorted(codes) == [Mistake.ASKS_CLOCK, Mistake.NO_REASON]


def test_the_place_is_that_of_the_call() -> None:
    (problem,) = in_task("return time.time()", "import time")
    assert (problem.line, problem.column) == (5, 12)
