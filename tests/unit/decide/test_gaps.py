"""Gaps name every interval that is not a success of today's version, once, in as few stretches as there are."""

from hypothesis import given
from hypothesis.strategies import dictionaries, integers, sampled_from, tuples

from ostinato.decide.gaps import Stretch, gaps, stretches
from ostinato.decide.interval_state import fold
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval
from tests.unit.decide.past import run


def day(number):
    return DataInterval(number, number + 1)


@given(dictionaries(integers(0, 40), tuples(sampled_from(RunState), sampled_from(["v1", "v2"]))))
def test_every_interval_is_a_gap_of_one_kind_or_a_success_of_this_version(history):
    states = fold(
        run(number, start, state, version=version) for number, (start, (state, version)) in enumerate(history.items())
    )
    found = gaps(map(day, range(41)), states, "v2")
    listed = [at for each in found.values() for one in each for at in range(one.first.start, one.last.end)]
    fine = [start for start, (state, version) in history.items() if (state, version) == (RunState.SUCCESS, "v2")]
    assert sorted(listed + fine) == list(range(41))
    assert all(one.count == one.last.end - one.first.start for each in found.values() for one in each)


def test_each_kind_is_told_apart():
    states = fold(
        [
            run(1, 0),
            run(2, 1, version="old"),
            run(3, 2, RunState.FAILED),
            run(4, 3, RunState.CANCELLED),
            run(5, 4, RunState.RUNNING),
            run(6, 5, RunState.QUEUED),
        ]
    )
    assert gaps(map(day, range(8)), states, "v1") == {
        "missing": [Stretch(day(6), day(7), 2)],
        "failed": [Stretch(day(2), day(3), 2)],
        "stale": [Stretch(day(1), day(1), 1)],
        "running": [Stretch(day(4), day(5), 2)],
    }


def test_a_hole_ends_a_stretch():
    assert stretches(map(day, (1, 2, 5, 7, 8, 9))) == [
        Stretch(day(1), day(2), 2),
        Stretch(day(5), day(5), 1),
        Stretch(day(7), day(9), 3),
    ]
