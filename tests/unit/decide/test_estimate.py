"""An estimate is the median, as often as rounds are needed; too little history is said and not guessed over."""

import pytest

from ostinato.decide.estimate import Estimate, TooLittleHistory, estimate


@pytest.mark.parametrize(("runs", "at_once", "rounds"), [(1, 4, 1), (4, 4, 1), (5, 4, 2), (180, 16, 12), (0, 1, 0)])
def test_runs_are_done_in_rounds(runs, at_once, rounds):
    assert estimate({"dag": runs}, {"dag": [10, 90, 20, 30, 80]}, at_once) == Estimate(30 * rounds)


def test_dags_are_done_one_after_the_other():
    assert estimate({"a": 3, "b": 1}, {"a": [10] * 5, "b": [7] * 5}, 2) == Estimate(27)


@pytest.mark.parametrize("seen", range(5))
def test_fewer_than_five_runs_are_too_few(seen):
    assert estimate({"a": 1, "b": 1}, {"a": [1] * 5, "b": [1] * seen}, 1) == TooLittleHistory("b", seen)
    assert estimate({"c": 1}, {}, 1) == TooLittleHistory("c", 0)
