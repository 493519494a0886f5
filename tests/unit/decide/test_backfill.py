"""The laws of planning a backfill."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, composite, dictionaries, integers, sampled_from, sets, tuples

from ostinato.decide.backfill import plan
from ostinato.model.state import FINAL_RUN, RunState
from ostinato.model.time import DataInterval

MODES = ["missing", "failed", "all"]


@composite
def histories(draw):
    starts = draw(sets(integers(-50, 50), max_size=40))
    intervals = [DataInterval(start, start + 1) for start in draw(sampled_from([sorted(starts), list(starts)]))]
    latest = draw(dictionaries(integers(-60, 60), tuples(sampled_from(RunState), integers(1, 9)), max_size=40))
    return intervals, latest


@given(histories(), sampled_from(MODES), booleans())
def test_every_interval_is_either_made_once_or_left_alone_once(history, reprocess, reverse):
    intervals, latest = history
    decided = plan(intervals, latest, reprocess, reverse=reverse)
    made = [interval for interval, _ in decided.create]
    assert len(set(made)) == len(made)
    left = Counter(latest[interval.start][0] for interval in set(intervals) - set(made))
    assert decided.skip == left


@given(histories(), sampled_from(MODES))
def test_an_open_run_is_never_doubled(history, reprocess):
    intervals, latest = history
    for interval, _ in plan(intervals, latest, reprocess).create:
        assert interval.start not in latest or latest[interval.start][0] in FINAL_RUN


@given(histories(), sampled_from(MODES))
def test_a_new_run_is_numbered_after_the_newest(history, reprocess):
    intervals, latest = history
    for interval, nth in plan(intervals, latest, reprocess).create:
        assert nth == latest.get(interval.start, (None, 0))[1] + 1


@given(histories(), booleans())
def test_each_mode_runs_what_the_milder_one_runs_and_more(history, reverse):
    intervals, latest = history
    missing, failed, every = (plan(intervals, latest, mode, reverse=reverse).create for mode in MODES)
    assert set(missing) <= set(failed) <= set(every)


@given(histories(), sampled_from(MODES))
def test_reverse_turns_the_order_round_and_changes_nothing_else(history, reprocess):
    intervals, latest = history
    forth, back = (plan(intervals, latest, reprocess, reverse=reverse) for reverse in (False, True))
    assert forth.create == sorted(forth.create) == back.create[::-1]
    assert forth.skip == back.skip


@given(histories(), sampled_from(MODES))
def test_planned_again_once_its_runs_are_queued_it_makes_nothing(history, reprocess):
    intervals, latest = history
    queued = {i.start: (RunState.QUEUED, nth) for i, nth in plan(intervals, latest, reprocess).create}
    assert plan(intervals, latest | queued, reprocess).create == []


@pytest.mark.parametrize(
    ("reprocess", "made", "left"),
    [
        ("missing", [(0, 1)], {"success": 1, "failed": 1, "cancelled": 1, "queued": 1, "running": 1}),
        ("failed", [(0, 1), (2, 3), (3, 2)], {"success": 1, "queued": 1, "running": 1}),
        ("all", [(0, 1), (1, 2), (2, 3), (3, 2)], {"queued": 1, "running": 1}),
    ],
)
def test_the_modes(reprocess, made, left):
    latest = {
        1: (RunState.SUCCESS, 1),
        2: (RunState.FAILED, 2),
        3: (RunState.CANCELLED, 1),
        4: (RunState.QUEUED, 1),
        5: (RunState.RUNNING, 7),
    }
    decided = plan([DataInterval(day, day + 1) for day in range(6)], latest, reprocess)
    assert [(interval.start, nth) for interval, nth in decided.create] == made
    assert decided.skip == left
