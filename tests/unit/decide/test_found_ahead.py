"""Found by the simulation: what an agent has ahead goes before all that comes later, so it is only given what is short."""

from hypothesis import given
from hypothesis.strategies import integers, lists

from ostinato.decide.capacity import AHEAD_MS
from ostinato.model.spec import TaskSpec
from tests.unit.decide.room import capacity_with, live_run, starts, want_all


def test_an_agent_is_given_no_more_than_runs_until_it_is_known_how_long_that_takes() -> None:
    capacity = capacity_with(window=0, p=100)
    capacity.seat("a1", 512, set(), 4)
    want_all(capacity, live_run(1, *[TaskSpec(f"t{no}", pool="p") for no in range(90)]))
    assert len(list(starts(capacity))) == 4


def test_of_what_takes_long_nothing_is_given_ahead() -> None:
    capacity = capacity_with(window=0)
    capacity.seat("a1", 512, set(), 4)
    capacity.took("a1", 600_000)
    assert capacity.window() == 4


def test_of_what_is_short_as_much_is_given_ahead_as_begins_in_a_moment() -> None:
    capacity = capacity_with(window=0)
    capacity.seat("a1", 512, set(), 4)
    capacity.took("a1", AHEAD_MS // 100)
    assert capacity.window() == 400
    for _ in range(50):
        capacity.took("a1", -5)  # its clock was set back
    assert capacity.window() == 512
    for _ in range(50):
        capacity.took("a1", 5_000)
    assert capacity.window() == 4


@given(integers(1, 200), integers(1, 500), lists(integers(-5, 10_000_000), max_size=20))
def test_whatever_its_attempts_took_an_agent_is_given_what_runs_and_never_more_than_it_takes(
    slots: int, per_slot: int, took: list[int]
) -> None:
    capacity = capacity_with(window=0)
    capacity.seat("a1", slots * per_slot, set(), slots)
    for each in took:
        capacity.took("a1", each)
    assert slots <= capacity.window() <= slots * per_slot
    if min(took, default=AHEAD_MS) >= AHEAD_MS:
        assert capacity.window() == slots


def test_an_agent_that_is_gone_teaches_nothing() -> None:
    capacity = capacity_with(window=3)
    capacity.took("nobody", 5)
    assert capacity.window() == 3
