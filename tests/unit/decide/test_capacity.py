"""Pools and windows are never overdrawn, nothing that fits waits, and who goes first is as the order says."""

from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import integers, sampled_from

from ostinato.decide.capacity import Capacity
from ostinato.decide.live import LiveAttempt, LiveRun
from ostinato.model.limits import Limits
from ostinato.model.record import Pool
from ostinato.model.spec import TaskSpec
from ostinato.model.state import TaskState
from tests.unit.decide.boards import run_of, shape_of

POOLS = ("narrow", "wide", "unmade")


def live_run(run_id: int, *tasks: TaskSpec, day: int = 0, kind: str = "manual") -> LiveRun:
    live = LiveRun(run_of(run_id, day=day, kind=kind), shape_of(*tasks), 1)
    live.begin()
    return live


def capacity_with(window: int = 100, **pools: int) -> Capacity:
    capacity = Capacity(Limits())
    capacity.set_pools([Pool(name, slots) for name, slots in pools.items()])
    capacity.seat("a1", window, set())
    return capacity


def grants(capacity: Capacity) -> list[tuple[int, int]]:
    """All that may start now, as it starts: run and task number."""
    found: list[tuple[int, int]] = []
    while (grant := capacity.grant()) is not None:
        live, task_no, agent = grant
        found.append((live.run.run_id, task_no))
        attempt = LiveAttempt(len(found) + 1_000 * live.run.run_id, live, task_no, 1, agent)
        live.live_attempt[task_no] = attempt.attempt
        capacity.occupy(attempt)
    return found


class Room(RuleBasedStateMachine):
    """Capacity beside a model that knows nothing but who is inside."""

    def __init__(self) -> None:
        super().__init__()
        self.capacity = capacity_with(4, narrow=1, wide=4)
        self.capacity.seat("a2", 2, set())
        self.windows = {"a1": 4, "a2": 2}
        self.slots = {"narrow": 1, "wide": 4, "unmade": 0}
        self.inside: dict[int, LiveAttempt] = {}
        self.waiting: list[tuple[LiveRun, int]] = []
        self.made = 0

    @rule(pool=sampled_from(POOLS), slots=integers(1, 5), priority=integers(-1, 1))
    def want(self, pool: str, slots: int, priority: int) -> None:
        self.made += 1
        live = live_run(self.made, TaskSpec("t", pool=pool, slots=slots, priority=priority))
        self.waiting.append((live, 0))
        self.capacity.want(live, 0)

    @rule()
    def start(self) -> None:
        grant = self.capacity.grant()
        if grant is None:
            return
        live, task_no, agent = grant
        self.made += 1
        attempt = LiveAttempt(self.made, live, task_no, 1, agent)
        live.live_attempt[task_no] = attempt.attempt
        self.waiting.remove((live, task_no))
        self.inside[attempt.attempt] = attempt
        self.capacity.occupy(attempt)
        task = attempt.task
        used = sum(other.task.slots for other in self.inside.values() if other.task.pool == task.pool)
        assert used <= self.slots[task.pool]
        assert sum(other.agent == agent for other in self.inside.values()) <= self.windows[agent]

    @rule(chosen=integers(0, 20))
    def end(self, chosen: int) -> None:
        if self.inside:
            attempt = self.inside.pop(sorted(self.inside)[chosen % len(self.inside)])
            self.capacity.leave(attempt)
            self.capacity.leave(attempt)  # who leaves twice leaves once

    @rule(chosen=integers(0, 20))
    def lose_interest(self, chosen: int) -> None:
        if self.waiting:
            live, task_no = self.waiting.pop(chosen % len(self.waiting))
            live.states[task_no] = TaskState.CANCELLED

    @rule(pool=sampled_from(POOLS), slots=integers(0, 5))
    def resize(self, pool: str, slots: int) -> None:
        self.slots[pool] = slots
        self.capacity.set_pools([Pool(pool, slots)])

    @rule(agent=sampled_from(("a1", "a2")))
    def reseat(self, agent: str) -> None:
        held = {attempt.attempt for attempt in self.inside.values() if attempt.agent == agent}
        self.capacity.unseat(agent)
        assert not self.capacity.seated(agent)
        self.capacity.seat(agent, self.windows[agent], held)

    @invariant()
    def nothing_that_could_be_first_is_forgotten(self) -> None:
        """If nothing is granted, each pool is empty, full for its first, or nobody has room."""
        if any(len(seat.held) < seat.window for seat in self.capacity._seats.values()):
            for name in POOLS:
                fitting = [live for live, _ in self.waiting if live.shape.tasks[0].pool == name]
                fitting = [live for live in fitting if live.shape.tasks[0].slots <= self.slots[name]]
                used = sum(a.task.slots for a in self.inside.values() if a.task.pool == name)
                if fitting and used == 0:
                    assert self.capacity._pools[name].head() is not None


TestRoom = Room.TestCase


@given(integers(1, 9), integers(1, 9))
def test_as_much_starts_as_the_pool_and_the_window_let(slots: int, window: int) -> None:
    capacity = capacity_with(window, narrow=slots)
    live = live_run(1, *[TaskSpec(f"t{no}", pool="narrow") for no in range(12)])
    for task_no in range(12):
        capacity.want(live, task_no)
    assert len(grants(capacity)) == min(slots, window)


def test_scheduled_work_goes_before_backfills_then_priority_then_the_oldest_interval() -> None:
    capacity = capacity_with(narrow=100)
    low, high = TaskSpec("low", pool="narrow"), TaskSpec("high", pool="narrow", priority=9)
    for live in (
        live_run(1, low, high, day=0, kind="backfill"),
        live_run(2, low, high, day=5),
        live_run(3, low, high, day=4),
    ):
        capacity.want(live, 0)
        capacity.want(live, 1)
    assert grants(capacity) == [(3, 1), (2, 1), (3, 0), (2, 0), (1, 1), (1, 0)]


def test_what_is_large_is_not_overtaken_by_what_is_small() -> None:
    capacity = capacity_with(narrow=3)
    live = live_run(1, *[TaskSpec(f"t{no}", pool="narrow", slots=slots) for no, slots in enumerate((2, 3, 1))])
    for task_no in range(3):
        capacity.want(live, task_no)
    assert grants(capacity) == [(1, 0)]


def test_what_is_larger_than_its_pool_holds_up_nobody_and_starts_when_the_pool_has_grown() -> None:
    capacity = capacity_with(narrow=2)
    live = live_run(1, TaskSpec("large", pool="narrow", slots=3), TaskSpec("small", pool="narrow"))
    capacity.want(live, 0)
    capacity.want(live, 1)
    assert grants(capacity) == [(1, 1)]
    capacity.set_pools([Pool("narrow", 4)])
    assert grants(capacity) == [(1, 0)]


def test_a_pool_that_shrinks_below_what_is_inside_lets_nobody_in_until_enough_have_left() -> None:
    capacity = capacity_with(narrow=3)
    live = live_run(1, *[TaskSpec(f"t{no}", pool="narrow") for no in range(4)])
    for task_no in range(4):
        capacity.want(live, task_no)
    assert len(grants(capacity)) == 3
    capacity.set_pools([Pool("narrow", 1)])
    attempts = [LiveAttempt(live.live_attempt[no], live, no, 1, "a1") for no in range(3)]
    started = []
    for attempt in attempts:
        capacity.leave(attempt)
        started.append(grants(capacity))
    assert started == [[], [], [(1, 3)]]


def test_the_agent_with_most_room_is_chosen() -> None:
    capacity = capacity_with(3)
    capacity.seat("a2", 5, set())
    live = live_run(1, TaskSpec("t"))
    capacity.want(live, 0)
    assert capacity.window() == 8
    assert capacity.grant() == (live, 0, "a2")


def test_an_agent_that_is_closed_gets_nothing_more() -> None:
    capacity = capacity_with()
    capacity.close("a1")
    capacity.close("nobody")
    capacity.want(live_run(1, TaskSpec("t")), 0)
    assert grants(capacity) == []
    assert capacity.seated("a1")


def test_nothing_is_granted_while_shut() -> None:
    capacity = capacity_with()
    capacity.want(live_run(1, TaskSpec("t")), 0)
    capacity.shut = True
    assert grants(capacity) == []
    capacity.shut = False
    assert grants(capacity) == [(1, 0)]


def test_the_place_of_an_attempt_whose_agent_is_not_connected_is_kept_in_its_pool() -> None:
    capacity = capacity_with(narrow=1)
    live = live_run(1, TaskSpec("t", pool="narrow"), TaskSpec("u", pool="narrow"))
    far = LiveAttempt(5, live, 0, 1, "elsewhere")
    capacity.occupy(far)
    capacity.want(live, 1)
    assert grants(capacity) == []
    capacity.leave(far)
    assert grants(capacity) == [(1, 1)]
