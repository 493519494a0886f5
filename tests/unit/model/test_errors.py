"""Errors say what happened, where, and what to do."""

import pytest

from ostinato.model.errors import DagFileInvalid, OstinatoError, StoreFull


def test_an_error_reads_as_one_paragraph_with_its_code_place_and_help() -> None:
    error = StoreFull("no space is left", where="state.db")
    assert str(error) == "OST-302: no space is left (state.db). Free some space; work goes on by itself."


@pytest.mark.parametrize(("given_help", "said"), [("", StoreFull.help), ("Delete old logs.", "Delete old logs.")])
def test_help_is_the_kinds_own_unless_there_is_better(given_help: str, said: str) -> None:
    assert StoreFull("full", help=given_help).help == said


def test_an_invalid_file_brings_every_problem() -> None:
    error = DagFileInvalid("2 problems", problems=("one", "two"))
    assert isinstance(error, OstinatoError)
    assert error.problems == ("one", "two")
