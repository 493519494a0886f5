"""A backfill gets its share, beside any load, and no more than that while others wait."""

import pytest
from hypothesis import given
from hypothesis.strategies import dictionaries, floats, integers, lists, sampled_from

from ostinato.decide.live import LiveAttempt
from ostinato.decide.share import MOST_TOGETHER, WHOLE, Shares, Terms
from ostinato.model.spec import TaskSpec
from tests.unit.decide.room import capacity_with, live_run, started, starts, want_all

MANY = 400


def tasks(count: int, slots: int = 1, pool: str = "p") -> list[TaskSpec]:
    return [TaskSpec(f"t{no}", pool=pool, slots=slots) for no in range(count)]


def served(terms: dict[int, Terms], *, pool: int, turns: int) -> list[int]:
    """Which backfill each of the next slots went to, 0: the daily; all of them always want more, the oldest ends."""
    capacity = capacity_with(window=10_000, p=pool)
    capacity.set_backfills(terms)
    want_all(capacity, live_run(1, *tasks(turns), dag_id="daily"))
    for backfill in terms:
        want_all(capacity, live_run(1 + backfill, *tasks(turns), dag_id="daily", backfill=backfill))
    inside: list[LiveAttempt] = []
    order: list[int] = []
    while len(order) < turns:
        for attempt in starts(capacity):
            inside.append(attempt)
            order.append(attempt.live.run.backfill_id or 0)
        capacity.leave(inside.pop(0))
    return order[:turns]


@given(sampled_from((0.05, 0.1, 0.25, 0.5)), sampled_from((1, 3, 10, 40)))
def test_beside_a_load_that_never_ends_a_backfill_gets_its_share_and_no_more(share: float, pool: int) -> None:
    order = served({7: Terms(1, share)}, pool=pool, turns=MANY)
    for so_far in range(1, MANY + 1):
        assert order[:so_far].count(7) <= share * so_far + 1
        assert order[:so_far].count(7) >= share * so_far - 1 - pool  # while the pool fills, nobody is credited twice


@given(dictionaries(integers(1, 9), floats(0.01, 1.0), min_size=2, max_size=4))
def test_many_backfills_are_guaranteed_half_together_each_in_its_proportion(shares: dict[int, float]) -> None:
    order = served({number: Terms(1, share) for number, share in shares.items()}, pool=1, turns=MANY)
    together = min(0.5, sum(shares.values()))
    assert order.count(0) >= (1 - together) * MANY - len(shares) - 1
    for number, share in shares.items():
        assert order.count(number) >= share * together / sum(shares.values()) * MANY - 2 - len(shares)


def test_a_backfill_without_a_share_gets_what_is_left() -> None:
    assert 7 not in served({7: Terms(1, 0.0)}, pool=4, turns=100)


def test_a_backfill_that_nobody_told_of_has_the_usual_share() -> None:
    capacity = capacity_with(window=10_000, p=1)
    want_all(capacity, live_run(1, *tasks(50)))
    want_all(capacity, live_run(2, *tasks(50), backfill=9))
    order: list[int] = []
    while len(order) < 40:
        (attempt,) = starts(capacity)
        order.append(attempt.live.run.run_id)
        capacity.leave(attempt)
    assert order.count(2) == 4


def test_what_nobody_else_wants_is_the_backfills_and_costs_it_nothing() -> None:
    capacity = capacity_with(p=8)
    want_all(capacity, live_run(2, *tasks(20), backfill=7))
    inside = list(starts(capacity))
    assert len(inside) == 8
    want_all(capacity, live_run(1, *tasks(20)))
    for attempt in inside:
        capacity.leave(attempt)
    assert started(capacity) == [(1, no) for no in range(8)]


def test_a_backfill_of_long_tasks_keeps_to_its_share_of_the_pool() -> None:
    """Its tasks never end, those of the others at once: its turns come and come, and it does not take more and more."""
    capacity = capacity_with(p=10)
    capacity.set_backfills({7: Terms(1, 0.2)})
    want_all(capacity, live_run(1, *tasks(300)))
    want_all(capacity, live_run(2, *tasks(30), backfill=7))
    held = 0
    for _ in range(200):
        attempt = next(starts(capacity))
        if attempt.live.run.backfill_id is None:
            capacity.leave(attempt)
        else:
            held += 1
    assert held == 2


def test_a_due_turn_that_does_not_fit_yet_is_waited_for() -> None:
    capacity = capacity_with(window=10_000, p=3)
    capacity.set_backfills({7: Terms(1, 0.5)})
    want_all(capacity, live_run(1, *tasks(50)))
    want_all(capacity, live_run(2, *tasks(1, slots=3), backfill=7))
    inside = list(starts(capacity))
    assert len(inside) == 3
    capacity.leave(inside[0])
    assert started(capacity) == []
    capacity.leave(inside[1])
    capacity.leave(inside[2])
    assert started(capacity) == [(2, 0)]


def test_of_two_pools_a_busy_one_pays_for_the_turn_that_a_backfill_has_in_the_other() -> None:
    """The agent's room is what they compete for."""
    capacity = capacity_with(window=1, p=100, q=100)
    want_all(capacity, live_run(1, *tasks(50)))
    want_all(capacity, live_run(2, *tasks(50, pool="q"), backfill=7))
    order: list[int] = []
    while len(order) < 30:
        (attempt,) = starts(capacity)
        order.append(attempt.live.run.run_id)
        capacity.leave(attempt)
    assert order.count(2) == 3


def test_a_backfill_that_is_over_is_forgotten() -> None:
    capacity = capacity_with(p=1)
    live = live_run(2, *tasks(1), backfill=7)
    want_all(capacity, live)
    (attempt,) = starts(capacity)
    capacity.leave(attempt)
    assert capacity._pools["p"].flows == {}
    shares = Shares()
    shares.credit({7: 1}, 50)
    assert shares.is_due(7, 1)
    shares.grant({})
    assert not shares.is_due(7, 1)


@given(lists(integers(1, 5), min_size=1, max_size=60), floats(0.0, 1.0))
def test_nobody_is_owed_more_than_a_turn(slots: list[int], share: float) -> None:
    shares = Shares()
    shares.grant({1: Terms(1, share)})
    for given_out in slots:
        shares.credit({1: 3}, given_out)
    assert not shares.is_due(1, 3 + max(slots))


def test_all_together_are_guaranteed_half() -> None:
    assert MOST_TOGETHER * 2 == WHOLE
    assert Terms(max_active_runs=1).share == pytest.approx(0.1)
