"""The laws of planning a backfill."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis.strategies import booleans, builds, integers, lists, sampled_from, sets

from ostinato.decide.backfill import Wish, batched, plan
from ostinato.decide.interval_state import fold
from ostinato.model.record import run_key
from ostinato.model.spec import DagSpec, Every, Need, TaskSpec
from ostinato.model.state import FINAL_RUN, RunState
from ostinato.model.time import DataInterval
from tests.unit.decide.past import run

MODES = ["missing", "failed", "all"]
NOW = 10**12
DAY = 86_400_000
SPECS = {"dag": DagSpec("dag", (TaskSpec("only"),))}


def day(number, length=1):
    return DataInterval(number, number + length)


def numbered(rows):
    """Runs in the order they were made, each the next of those that begin where it does."""
    seen = Counter()
    made = []
    for number, (start, state, length) in enumerate(rows, 1):
        seen[start] += 1
        made.append(run(number, start, state, length=length, nth=seen[start]))
    return made


chosen = sets(integers(-50, 50), max_size=40).map(lambda starts: tuple(map(day, starts)))
histories = lists(
    builds(
        lambda start, state, length: (start, state, length), integers(-60, 60), sampled_from(RunState), integers(1, 3)
    ),
    max_size=40,
).map(numbered)


def of(runs):
    """What a store answers that holds these runs."""
    return lambda dag_id, first, before: [
        each for each in runs if each.dag_id == dag_id and each.interval.start < before and each.interval.end > first
    ]


@given(chosen, histories, sampled_from(MODES), booleans(), integers(1, 5))
def test_every_interval_is_either_made_once_or_left_alone_once(intervals, history, reprocess, newest_first, batch):
    decided = plan(Wish("dag", intervals, reprocess, newest_first, batch), SPECS, of(history), NOW)
    made = [at for each in decided.create for at in range(each.interval.start, each.interval.end)]
    assert len(set(made)) == len(made)
    states = fold(history)
    left = Counter(states.of(interval) for interval in intervals if interval.start not in made)
    assert {interval.start for interval in intervals} >= set(made)
    assert decided.left_alone == left


@given(chosen, histories, sampled_from(MODES), integers(1, 5))
def test_an_open_run_is_never_doubled(intervals, history, reprocess, batch):
    still_open = [each.interval for each in history if each.state not in FINAL_RUN]
    for planned in plan(Wish("dag", intervals, reprocess, batch=batch), SPECS, of(history), NOW).create:
        assert not any(planned.interval.start < each.end and each.start < planned.interval.end for each in still_open)


@given(chosen, histories, sampled_from(MODES), integers(1, 5))
def test_a_new_run_has_a_key_that_is_free(intervals, history, reprocess, batch):
    taken = {each.run_key for each in history}
    keys = [
        run_key(each.interval.start, each.nth)
        for each in plan(Wish("dag", intervals, reprocess, batch=batch), SPECS, of(history), NOW).create
    ]
    assert not taken & set(keys)
    assert len(set(keys)) == len(keys)


@given(chosen, histories)
def test_each_mode_runs_what_the_milder_one_runs_and_more(intervals, history):
    missing, failed, every = (
        {each.interval for each in plan(Wish("dag", intervals, mode), SPECS, of(history), NOW).create} for mode in MODES
    )
    assert missing <= failed <= every


@given(chosen, histories, sampled_from(MODES), integers(1, 5))
def test_newest_first_turns_the_order_round_and_changes_nothing_else(intervals, history, reprocess, batch):
    forth, back = (
        plan(Wish("dag", intervals, reprocess, newest_first, batch), SPECS, of(history), NOW)
        for newest_first in (False, True)
    )
    ordered = sorted(forth.create, key=lambda each: each.interval)
    assert forth.create == ordered == back.create[::-1]
    assert forth.left_alone == back.left_alone


@given(chosen, histories, sampled_from(MODES), integers(1, 5))
def test_planned_again_once_its_runs_are_queued_it_makes_nothing(intervals, history, reprocess, batch):
    wish = Wish("dag", intervals, reprocess, batch=batch)
    queued = [
        run(1_000 + number, each.interval.start, RunState.QUEUED, length=each.interval.end - each.interval.start)
        for number, each in enumerate(plan(wish, SPECS, of(history), NOW).create)
    ]
    assert plan(wish, SPECS, of([*history, *queued]), NOW).create == []


@given(chosen, integers(1, 7))
def test_batches_join_neighbours_only_and_are_as_large_as_they_may_be(intervals, size):
    ascending = sorted(intervals)
    batches = batched(ascending, size)
    assert [at for each in batches for at in range(each.start, each.end)] == [each.start for each in ascending]
    assert all(each.end - each.start <= size for each in batches)
    for one, other in pairwise(batches):
        assert one.end < other.start or one.end - one.start == size


@pytest.mark.parametrize(
    ("reprocess", "made", "left"),
    [
        ("missing", [0, 6], {"success": 1, "failed": 2, "running": 2}),
        ("failed", [0, 2, 3, 6], {"success": 1, "running": 2}),
        ("all", [0, 1, 2, 3, 6], {"running": 2}),
    ],
)
def test_the_modes(reprocess, made, left):
    history = [
        run(1, 1),
        run(2, 2, RunState.FAILED),
        run(3, 3, RunState.CANCELLED),
        run(4, 4, RunState.QUEUED),
        run(5, 5, RunState.RUNNING),
        run(6, 6, RunState.CANCELLED, began=False),
    ]
    decided = plan(Wish("dag", tuple(map(day, range(7))), reprocess), SPECS, of(history), NOW)
    assert [each.interval.start for each in decided.create] == made
    assert decided.left_alone == left


def test_what_is_not_over_or_beyond_the_dags_own_dates_is_left_alone():
    specs = {"dag": DagSpec("dag", (TaskSpec("only"),), start=2, end=5)}
    decided = plan(Wish("dag", tuple(map(day, range(9))), "all"), specs, of([]), 8)
    assert [each.interval.start for each in decided.create] == [2, 3, 4, 5]
    assert decided.left_alone == {"before start": 2, "after end": 2, "not over": 1}


def spec(dag_id, hours, *needs):
    return DagSpec(dag_id, (TaskSpec("waits", needs=needs),), schedule=Every(hours * 3_600))


CHAIN = {
    "hourly": spec("hourly", 1),
    "daily": spec("daily", 24, Need("hourly")),
    "weekly": spec("weekly", 168, Need("daily")),
}


def cascaded(history=(), now=NOW, **more):
    hours = tuple(DataInterval(DAY * 4 + n * DAY // 24, DAY * 4 + (n + 1) * DAY // 24) for n in range(30))
    return plan(Wish("hourly", hours, cascade=True, **more), CHAIN, of(list(history)), now)


def test_a_cascade_goes_on_to_the_intervals_that_are_fed_in_the_order_in_which_they_feed_each_other():
    made = cascaded(batch=10)
    assert [(each.dag_id, (each.interval.end - each.interval.start) * 24 // DAY) for each in made.create] == [
        *[("hourly", 10)] * 3,
        *[("daily", 24)] * 2,
        ("weekly", 168),
    ]
    assert [each.interval.start // DAY for each in made.create if each.dag_id == "daily"] == [4, 5]


def test_a_cascade_runs_again_what_had_succeeded_and_doubles_nothing_that_is_open():
    history = [
        run(1, 4 * DAY, length=DAY, dag_id="daily"),
        run(2, 5 * DAY, RunState.RUNNING, length=DAY, dag_id="daily"),
    ]
    made = cascaded(history)
    assert [(each.interval.start // DAY, each.nth) for each in made.create if each.dag_id == "daily"] == [(4, 2)]
    assert made.left_alone == {"running": 1}


def test_a_cascade_ends_where_an_interval_is_left_alone():
    history = [run(n, 4 * DAY, length=2 * DAY, dag_id=name) for n, name in enumerate(["hourly", "daily"])]
    assert cascaded(history).create == []
    unfinished = cascaded(now=6 * DAY)
    assert {each.dag_id for each in unfinished.create} == {"hourly", "daily"}
    assert unfinished.left_alone == {"not over": 1}


def test_without_cascade_only_the_dag_itself_is_run():
    hours = (DataInterval(0, DAY // 24),)
    assert [each.dag_id for each in plan(Wish("hourly", hours), CHAIN, of([]), NOW).create] == ["hourly"]
