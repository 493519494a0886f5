"""A dag that guards against the clock: its tasks are told, or fail, where they ask the clock or chance."""

from textwrap import dedent
from typing import Any

import pytest
from msgspec.structs import replace

from ostinato.authoring.load import load_source
from ostinato.authoring.perform import Performed, perform
from ostinato.model.spec import ClockGuard
from tests.unit.authoring.files import source
from tests.unit.authoring.test_perform import call

HEAD = """\
import datetime, os, random, time, uuid
from ostinato import *
"""


def performed(body: str, clock: ClockGuard = "fail", above: str = "", **modules: str) -> Performed:
    """How an attempt of a task with this body ends."""
    lines = "".join(f"    {line}\n" for line in dedent(body).strip().split("\n"))
    code = (
        f"{HEAD}{dedent(above)}\n@task\ndef f() -> object:\n{lines}\n@dag(clock='{clock}')\ndef d() -> None:\n    f()\n"
    )
    return perform(load_source(source(code, **modules), watched=True), replace(call(), clock=clock))


def refused(body: str, **more: Any) -> str:
    """What an attempt that asks is refused with."""
    ended = performed(body, **more)
    assert ended.failure is not None, ended
    assert (ended.verdict, ended.failure.declared) == ("failed", "logic")
    assert ended.failure.types[0].endswith("ClockAsked")
    return ended.failure.message


@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("datetime.datetime.now()", "datetime.datetime.now"),
        ("datetime.date.today()", "datetime.date.today"),
        ("type('Own', (datetime.datetime,), {}).now()", "datetime.datetime.now"),
        ("time.time()", "time.time"),
        ("time.localtime()", "time.localtime"),
        ("[ask for ask in (time.time,)][0]()", "time.time"),
        ("random.random()", "random.random"),
        ("random.choice([1, 2])", "random.choice"),
        ("random.SystemRandom().random()", "random.SystemRandom"),
        ("uuid.uuid4()", "uuid.uuid4"),
        ("os.urandom(4)", "os.urandom"),
    ],
)
def test_asking_fails_the_attempt_at_the_place_with_an_alternative(expression: str, name: str) -> None:
    assert name in refused(f"return str({expression})")


@pytest.mark.parametrize(
    "body",
    [
        "return time.monotonic() > 0",
        "return time.localtime(0).tm_year > 0",
        "random.seed(4)\nreturn random.random() < 1",
        "return random.Random(4).random() < 1",
        "return time.time() > 0  # clock ok: only for the log",
        "import tempfile\nwith tempfile.TemporaryDirectory() as folder:\n    return True",
    ],
)
def test_what_may_be_asked_and_what_libraries_ask_goes_on(body: str) -> None:
    assert performed(body).verdict == "success"


def test_local_modules_are_watched_too() -> None:
    message = refused("import lib\nreturn lib.stamp()", lib="import time\ndef stamp():\n    return time.time()\n")
    assert "time.time" in message


def test_a_warning_is_told_once_for_each_place_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert performed("return [time.time() for _ in range(3)] != []", clock="warn").verdict == "success"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("OST-186: time.time asks the clock (/dags/example.py:")
    assert "ctx.logical_date" in line


def test_off_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert performed("return time.time() > 0", clock="off").verdict == "success"
    assert capsys.readouterr().err == ""


def test_a_seed_of_one_attempt_is_not_one_of_the_next() -> None:
    code = f"{HEAD}\n@task\ndef seeds() -> None:\n    random.seed(1)\n@task\ndef f() -> float:\n    return random.random()\n"
    found = load_source(source(code + "@dag\ndef d() -> None:\n    seeds()\n    f()\n"), watched=True)
    assert perform(found, replace(call("seeds"), clock="fail")).verdict == "success"
    assert perform(found, replace(call("f"), task_no=1, clock="fail")).verdict == "failed"


def test_watched_code_means_what_it_meant() -> None:
    body = """
    class Own(dict):
        def __init__(self, *given, **named):
            super().__init__(*given, **named)
    def inner(a: "int" = 1, *rest: int, b: int = 2, **more: int) -> "int":
        return a + sum(rest) + b + sum(more.values())
    total: int = inner(1, *[2, 3], b=4, **{"c": 5})
    return [total, Own(x=1)["x"], f"{len('abc')!r:>3}", sorted([2, 1], key=lambda n: abs(n))]
    """
    ended = performed(body)
    assert (ended.verdict, ended.failure) == ("success", None)
