"""The state of each instant is that of the run that speaks for it."""

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, builds, integers, lists, sampled_from

from ostinato.decide.interval_state import fold
from ostinato.model.state import FINAL_RUN, RunState
from ostinato.model.time import DataInterval
from tests.unit.decide.past import run

runs = lists(
    builds(
        lambda start, length, state, version, began: (start, length, state, version, began),
        integers(0, 20),
        integers(1, 6),
        sampled_from(RunState),
        sampled_from(["v1", "v2"]),
        booleans(),
    ),
    max_size=10,
).map(
    lambda rows: [
        run(number, start, state, length=length, version=version, began=began)
        for number, (start, length, state, version, began) in enumerate(rows, 1)
    ]
)


def speaker(history, at):
    """The run that counts at an instant, by looking at all of them."""
    there = [
        each
        for each in history
        if each.interval.start <= at < each.interval.end
        and not (each.state is RunState.CANCELLED and each.started_at is None)
    ]
    return max(there, key=lambda each: (each.state not in FINAL_RUN, each.run_id), default=None)


NAMES = {
    RunState.QUEUED: "running",
    RunState.RUNNING: "running",
    RunState.SUCCESS: "success",
    RunState.FAILED: "failed",
    RunState.CANCELLED: "failed",
}


@given(runs)
def test_an_instant_has_the_state_of_its_open_run_else_of_its_newest(history):
    states = fold(reversed(history))
    for at in range(-1, 28):
        instant, found = DataInterval(at, at + 1), speaker(history, at)
        assert states.of(instant) == ("missing" if found is None else NAMES[found.state])
        made = found is not None and found.state is RunState.SUCCESS
        assert states.stale(instant, "v2") == (made and found.version != "v2")


@given(runs, integers(0, 20), integers(1, 6))
def test_an_interval_has_the_worst_state_of_its_instants(history, start, length):
    states = fold(history)
    parts = {states.of(DataInterval(at, at + 1)) for at in range(start, start + length)}
    for worst in ("running", "failed", "missing", "success"):
        if worst in parts:
            assert states.of(DataInterval(start, start + length)) == worst
            return


def test_a_run_for_several_intervals_speaks_for_each_of_them():
    states = fold([run(1, 0, RunState.FAILED, length=7), run(2, 3)])
    assert [states.of(DataInterval(day, day + 1)) for day in (0, 2, 3, 6, 7)] == [
        "failed",
        "failed",
        "success",
        "failed",
        "missing",
    ]


def test_an_interval_made_by_two_versions_is_stale_for_both():
    states = fold([run(1, 0, length=2), run(2, 1, version="v2")])
    both = DataInterval(0, 2)
    assert states.of(both) == "success"
    assert states.stale(both, "v1")
    assert states.stale(both, "v2")
    assert not states.stale(DataInterval(1, 2), "v2")


@pytest.mark.parametrize(("before", "left"), [([], "missing"), ([run(1, 0)], "success")])
def test_a_run_cancelled_before_it_began_leaves_its_interval_as_it_was(before, left):
    never = run(9, 0, RunState.CANCELLED, began=False)
    assert fold([*before, never]).of(DataInterval(0, 1)) == left
