"""The facts about a failure: what decides about trying again, and a traceback of the author's own lines."""

import re
import sys
from typing import Any

import pytest

from ostinato import LogicError, ResourceError, TransientError
from ostinato.authoring.failure import failure_of
from ostinato.model.message import Failure
from tests.unit.authoring.files import FILE

CODE = """\
import json


class Odd(Exception):
    def __str__(self):
        raise ValueError("no words")


def shallow(data):
    return json.loads(data)


def deep(n):
    return shallow("{") if n == 0 else deep(n - 1)


def chained():
    try:
        shallow("{")
    except ValueError as error:
        raise RuntimeError("outer") from error


def in_context():
    try:
        1 / 0
    except ZeroDivisionError:
        raise KeyError("while handling")


def group():
    raise ExceptionGroup("many", [ValueError("one"), TypeError("two")])


def odd():
    raise Odd


def long():
    raise ValueError("x" * 100_000)


def for_ever():
    for_ever()
"""
NAMES: dict[str, Any] = {}
exec(compile(CODE, FILE, "exec"), NAMES)
SOURCES = {FILE: CODE.encode()}


def failure(name: str, *args: object) -> Failure:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - which one it is, is what the tests are about
        NAMES[name](*args)
    return failure_of(raised.value, SOURCES)


def test_the_authors_lines_are_shown_and_those_of_libraries_counted() -> None:
    """Which marks stand below a line, and where json raises, differ by the version of Python."""
    shown = failure("shallow", "{").traceback
    assert re.sub(r"[~^]{2,}", "^^", re.sub(r"(decoder.py, line) \d+", r"\1 N", shown)) == (
        "Traceback (most recent call last):\n"
        f'  File "{FILE}", line 10, in shallow\n'
        "    return json.loads(data)\n"
        "           ^^\n"
        "  ... 3 frames, the last in json/decoder.py, line N, in raw_decode\n"
        "json.decoder.JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)\n"
    )


def test_lines_come_from_the_snapshot_and_not_from_the_live_file(tmp_path: Any) -> None:
    file = tmp_path / "example.py"
    file.write_text("# edited meanwhile\n" * 100)
    names: dict[str, Any] = {}
    code = "def f():\n    return 1 / 0\n"
    exec(compile(code, str(file), "exec"), names)
    with pytest.raises(ZeroDivisionError) as raised:
        names["f"]()
    shown = failure_of(raised.value, {str(file): code.encode()}).traceback
    assert "return 1 / 0" in shown
    assert "edited" not in shown


def test_causes_and_contexts_are_kept() -> None:
    chained = failure("chained").traceback
    assert "JSONDecodeError" in chained
    assert "direct cause" in chained
    assert chained.endswith("RuntimeError: outer\n")
    assert "During handling" in failure("in_context").traceback


def test_the_parts_of_a_group_are_shown() -> None:
    shown = failure("group").traceback
    assert "ValueError: one" in shown
    assert "TypeError: two" in shown


def test_long_words_and_deep_stacks_are_cut() -> None:
    assert len(failure("long").message) < 2_100
    assert len(failure("long").traceback) < 16_200
    deep = failure("for_ever")
    assert len(deep.traceback) < 3_000
    assert deep.types[0] == "builtins.RecursionError"
    assert "Previous line repeated" in deep.traceback


def test_an_exception_without_words_is_told_as_such() -> None:
    found = failure("odd")
    assert found.message == "(its text cannot be shown)"
    assert "line 36, in odd" in found.traceback


def test_the_types_are_the_class_and_its_bases_most_special_first() -> None:
    assert failure_of(ConnectionResetError(104, "reset"), {}).types == (
        "builtins.ConnectionResetError",
        "builtins.ConnectionError",
        "builtins.OSError",
        "builtins.Exception",
        "builtins.BaseException",
    )


@pytest.mark.parametrize(
    ("error", "declared"),
    [
        (TransientError("x"), "transient"),
        (ResourceError("x"), "resource"),
        (LogicError("x"), "logic"),
        (ValueError("x"), None),
    ],
)
def test_an_exception_may_declare_its_class(error: Exception, declared: str | None) -> None:
    assert failure_of(error, {}).declared == declared


class Response:
    def __init__(self, status: object) -> None:
        self.status_code = status


class Carrier(Exception):
    def __init__(self, **facts: object) -> None:
        super().__init__("carrier")
        for name, value in facts.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("facts", "name", "value"),
    [
        ({"status_code": 503}, "http_status", 503),
        ({"response": Response(429)}, "http_status", 429),
        ({"code": 404}, "http_status", 404),
        ({"code": 7}, "http_status", None),
        ({"status_code": True}, "http_status", None),
        ({"status_code": "503"}, "http_status", None),
        ({"code": "ThrottlingException"}, "code", "ThrottlingException"),
        ({"code": 404}, "code", None),
        ({"sqlstate": "40001"}, "sqlstate", "40001"),
        ({"pgcode": "57P01"}, "sqlstate", "57P01"),
        ({"orig": Carrier(sqlstate="08006")}, "sqlstate", "08006"),
        ({"sqlstate": 40001}, "sqlstate", None),
        ({"errno": 28}, "errno", 28),
        ({"errno": "28"}, "errno", None),
        ({"error_class": "resource"}, "declared", "resource"),
        ({"error_class": "sometimes"}, "declared", None),
        ({"error_class": 3}, "declared", None),
    ],
)
def test_facts_are_taken_from_where_libraries_put_them(facts: dict[str, object], name: str, value: object) -> None:
    assert getattr(failure_of(Carrier(**facts), {}), name) == value


def test_an_exception_that_refuses_to_be_asked_is_still_told() -> None:
    class Stubborn(Exception):
        def __getattribute__(self, name: str) -> object:
            if name in {"code", "response", "status_code", "errno", "sqlstate", "error_class"}:
                raise RuntimeError(name)
            return super().__getattribute__(name)

    found = failure_of(Stubborn("no"), {})
    assert (found.how, found.message, found.http_status, found.code) == ("raised", "no", None, None)


def test_telling_a_failure_leaves_the_recursion_limit_alone() -> None:
    before = sys.getrecursionlimit()
    failure("for_ever")
    assert sys.getrecursionlimit() == before
