"""How errors become words."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ostinato.cli.errors import did_you_mean, draw, understood
from ostinato.cli.problems import draw_problem, draw_problems
from ostinato.cli.terminal import Ink
from ostinato.home import Home
from ostinato.model.errors import DagFileInvalid, NotFound, OurMistake
from ostinato.model.record import DagProblem
from tests.unit.cli.planting import Answer


def test_an_error_is_drawn_with_its_code_place_and_help() -> None:
    error = NotFound("there is no dag sals", where="state.db", help="Did you mean sales?")
    assert draw(error, Ink()) == ("error[OST-401]: there is no dag sals\n  --> state.db\nhelp: Did you mean sales?")


def test_what_an_error_quotes_cannot_drive_the_terminal() -> None:
    assert "\x1b" not in draw(NotFound("there is no \x1b[2J dag"), Ink())


def test_a_problem_is_drawn_under_its_line() -> None:
    problem = DagProblem("dags/a.py", "OST-131", 'there is no zone "Moon"', 3, 9, "use Europe/Berlin")
    assert draw_problem(problem, 'tz = x("Moon", 1)', Ink()).splitlines() == [
        'error[OST-131]: there is no zone "Moon"',
        "  --> dags/a.py:3:9",
        "  |",
        '3 | tz = x("Moon", 1)',
        "  |         ^^^^",
        "help: use Europe/Berlin",
    ]


def test_a_mark_stands_right_under_tabs() -> None:
    drawn = draw_problem(DagProblem("a.py", "OST-102", "no", 12, 2), "\tif x", Ink()).splitlines()
    assert drawn[2:] == ["   |", "12 | \tif x", "   | \t^^"]


def test_a_problem_without_a_line_is_drawn_without_an_excerpt(tmp_path: Path) -> None:
    gone = DagProblem(str(tmp_path / "gone.py"), "OST-101", "gone", 4, 1)
    assert draw_problems([gone], Ink()) == f"error[OST-101]: gone\n  --> {tmp_path}/gone.py:4:1"


def test_all_problems_of_a_file_are_drawn_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text("one\ntwo\n")
    found = [DagProblem(str(file), "OST-120", "second", 2, 1), DagProblem(str(file), "OST-119", "first", 1, 1)]
    drawn = draw(DagFileInvalid("a.py has problems", problems=tuple(found)), Ink())
    assert drawn.index("first") < drawn.index("1 | one") < drawn.index("second") < drawn.index("2 | two")


def test_what_nobody_thought_of_is_our_mistake_with_a_file_of_its_owners(home: Home) -> None:
    known = understood(RuntimeError("secret plan"), ["trigger", "sales", "--param", "password=hunter2"])
    assert isinstance(known, OurMistake)
    assert known.exit_code == 70
    file = Path(known.where)
    assert file.parent == home.path / "crashes"
    assert file.stat().st_mode & 0o077 == 0
    assert "RuntimeError: secret plan" in file.read_text()
    assert "hunter2" not in file.read_text()


def test_without_a_usable_home_the_crash_file_is_a_temporary_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OSTINATO_HOME", "/proc/nowhere")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    known = understood(RuntimeError("x"), ["runs"])
    assert Path(known.where).parent == tmp_path


def test_a_trace_is_shown_to_those_who_ask(ostinato: Callable[..., Answer]) -> None:
    assert "Traceback" not in ostinato("runs").err
    verbose = ostinato("runs", "--verbose")
    assert verbose.code == 4
    assert "Traceback (most recent call last)" in verbose.err


def test_close_names_are_offered_and_others_are_not() -> None:
    assert did_you_mean("lod", ["load", "extract"]) == "Did you mean load?"
    assert did_you_mean("xyz", ["load", "extract"]) == ""
