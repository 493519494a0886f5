"""Both ends of a work socket read it at once: what is taken back need not be the last that was given."""

import pytest

from ostinato.agent.ledger import Ledger
from ostinato.agent.order import Hand
from ostinato.model.errors import InvariantBroken
from ostinato.model.limits import Limits
from tests.unit.agent.ledger_world import assignment

NOW = 1_000_000


def given(*attempts: int) -> Ledger:
    """A ledger whose one executor was given these attempts, and none of them has begun as far as it knows."""
    ledger = Ledger(1, Limits())
    ledger.decide(NOW)
    ledger.joined(1, "segment", 0)
    ledger.launch([assignment(attempt) for attempt in attempts], NOW)
    orders = [order for order in ledger.decide(NOW) if isinstance(order, Hand)]
    executor = ledger._all.executors[1]
    handed = {assignment.attempt for order in orders for assignment in order.assignments}
    for held in ledger._all.waiting.clear():
        held.executor = 1
        executor.handed.append(held)
        handed.add(held.attempt)
    assert handed == set(attempts)
    return ledger


def left(ledger: Ledger) -> list[int]:
    return [held.attempt for held in ledger._all.executors[1].handed]


@pytest.mark.parametrize(
    ("back", "stay"),
    [([3, 4], [1, 2]), ([2], [1, 3, 4]), ([1, 3], [2, 4]), ([], [1, 2, 3, 4]), ([1, 2, 3, 4], [])],
)
def test_what_it_keeps_stays_in_order_wherever_the_others_stood(back: list[int], stay: list[int]) -> None:
    ledger = given(1, 2, 3, 4)
    ledger.taken_back(1, back, NOW)
    assert left(ledger) == stay
    assert sorted(ledger.holds()) == [1, 2, 3, 4]


def test_what_it_was_not_given_it_cannot_give_back() -> None:
    with pytest.raises(InvariantBroken, match="was not given"):
        given(1, 2).taken_back(1, [2, 7], NOW)
