"""Pools and windows are never overdrawn, nothing that fits waits, and who goes first is as the order says."""

from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from hypothesis.strategies import integers, sampled_from

from ostinato.decide.live import LiveAttempt, LiveRun
from ostinato.decide.share import Terms
from ostinato.model.record import Pool
from ostinato.model.spec import TaskSpec
from ostinato.model.state import TaskState
from tests.unit.decide.room import capacity_with, live_run, started

POOLS = ("narrow", "wide", "unmade")
DAG_LIMIT = {"sales": 3, "costs": None}
TASK_LIMIT = {"free": None, "few": 2}


class Room(RuleBasedStateMachine):
    """Capacity beside a model that knows nothing but who is inside."""

    def __init__(self) -> None:
        super().__init__()
        self.capacity = capacity_with(4, narrow=1, wide=4)
        self.capacity.set_backfills({1: Terms(9, 0.25), 2: Terms(9, 0.9)})
        self.capacity.seat("a2", 2, set())
        self.windows = {"a1": 4, "a2": 2}
        self.slots = {"narrow": 1, "wide": 4, "unmade": 0}
        self.inside: dict[int, LiveAttempt] = {}
        self.waiting: list[tuple[LiveRun, int]] = []
        self.made = 0

    @rule(
        dag_id=sampled_from(sorted(DAG_LIMIT)),
        task_id=sampled_from(sorted(TASK_LIMIT)),
        backfill=sampled_from((None, None, 1, 2)),
        pool=sampled_from(POOLS),
        slots=integers(1, 5),
        priority=integers(-1, 1),
    )
    def want(self, dag_id: str, task_id: str, backfill: int | None, pool: str, slots: int, priority: int) -> None:
        self.made += 1
        task = TaskSpec(task_id, pool=pool, slots=slots, priority=priority, max_active=TASK_LIMIT[task_id])
        live = live_run(self.made, task, dag_id=dag_id, backfill=backfill, most_tasks=DAG_LIMIT[dag_id])
        self.waiting.append((live, 0))
        self.capacity.want(live, 0)

    @rule()
    def start(self) -> None:
        grant = self.capacity.grant()
        if grant is None:
            self.everybody_waits_for_something()
            return
        live, task_no, agent = grant
        self.made += 1
        attempt = LiveAttempt(self.made, live, task_no, 1, agent)
        live.live_attempt[task_no] = attempt.attempt
        self.waiting.remove((live, task_no))
        self.inside[attempt.attempt] = attempt
        self.capacity.occupy(attempt)
        task = attempt.task
        assert self.used(task.pool) <= self.slots[task.pool]
        assert sum(other.agent == agent for other in self.inside.values()) <= self.windows[agent]
        assert self.active(live) <= (DAG_LIMIT[live.run.dag_id] or self.made)
        assert self.active(live, task.task_id) <= (task.max_active or self.made)

    def everybody_waits_for_something(self) -> None:
        """If nothing is granted, nobody has room, or each pool is too full for the one whose turn it is."""
        if not any(len(seat.held) < seat.window for seat in self.capacity._seats.values()):
            return
        for name in POOLS:
            startable = [live.shape.tasks[0].slots for live, _ in self.waiting if self.may_start(live, name)]
            assert not startable or self.used(name) + max(startable) > self.slots[name]

    def may_start(self, live: LiveRun, pool: str) -> bool:
        """Whether it waits for nothing but room in this pool."""
        task, most = live.shape.tasks[0], DAG_LIMIT[live.run.dag_id]
        return (
            task.pool == pool
            and task.slots <= self.slots[pool]
            and (most is None or self.active(live) < most)
            and (task.max_active is None or self.active(live, task.task_id) < task.max_active)
        )

    def used(self, pool: str) -> int:
        return sum(attempt.task.slots for attempt in self.inside.values() if attempt.task.pool == pool)

    def active(self, live: LiveRun, task_id: str | None = None) -> int:
        return sum(
            attempt.live.run.dag_id == live.run.dag_id and task_id in {None, attempt.task.task_id}
            for attempt in self.inside.values()
        )

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
    def what_is_in_use_is_what_is_inside(self) -> None:
        assert {name: self.capacity._pools[name].used for name in ("narrow", "wide")} == {
            name: self.used(name) for name in ("narrow", "wide")
        }


TestRoom = Room.TestCase


@given(integers(1, 9), integers(1, 9))
def test_as_much_starts_as_the_pool_and_the_window_let(slots: int, window: int) -> None:
    capacity = capacity_with(window, narrow=slots)
    live = live_run(1, *[TaskSpec(f"t{no}", pool="narrow") for no in range(12)])
    for task_no in range(12):
        capacity.want(live, task_no)
    assert len(started(capacity)) == min(slots, window)


def test_scheduled_work_goes_before_backfills_then_priority_then_the_oldest_interval() -> None:
    capacity = capacity_with(narrow=100)
    low, high = TaskSpec("low", pool="narrow"), TaskSpec("high", pool="narrow", priority=9)
    for live in (
        live_run(1, low, high, day=0, backfill=1),
        live_run(2, low, high, day=5),
        live_run(3, low, high, day=4),
    ):
        capacity.want(live, 0)
        capacity.want(live, 1)
    assert started(capacity) == [(3, 1), (2, 1), (3, 0), (2, 0), (1, 1), (1, 0)]


def test_what_is_large_is_not_overtaken_by_what_is_small() -> None:
    capacity = capacity_with(narrow=3)
    live = live_run(1, *[TaskSpec(f"t{no}", pool="narrow", slots=slots) for no, slots in enumerate((2, 3, 1))])
    for task_no in range(3):
        capacity.want(live, task_no)
    assert started(capacity) == [(1, 0)]


def test_what_is_larger_than_its_pool_holds_up_nobody_and_starts_when_the_pool_has_grown() -> None:
    capacity = capacity_with(narrow=2)
    live = live_run(1, TaskSpec("large", pool="narrow", slots=3), TaskSpec("small", pool="narrow"))
    capacity.want(live, 0)
    capacity.want(live, 1)
    assert started(capacity) == [(1, 1)]
    capacity.set_pools([Pool("narrow", 4)])
    assert started(capacity) == [(1, 0)]


def test_a_pool_that_shrinks_below_what_is_inside_lets_nobody_in_until_enough_have_left() -> None:
    capacity = capacity_with(narrow=3)
    live = live_run(1, *[TaskSpec(f"t{no}", pool="narrow") for no in range(4)])
    for task_no in range(4):
        capacity.want(live, task_no)
    assert len(started(capacity)) == 3
    capacity.set_pools([Pool("narrow", 1)])
    attempts = [LiveAttempt(live.live_attempt[no], live, no, 1, "a1") for no in range(3)]
    following = []
    for attempt in attempts:
        capacity.leave(attempt)
        following.append(started(capacity))
    assert following == [[], [], [(1, 3)]]


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
    assert started(capacity) == []
    assert capacity.seated("a1")


def test_nothing_is_granted_while_shut() -> None:
    capacity = capacity_with()
    capacity.want(live_run(1, TaskSpec("t")), 0)
    capacity.shut = True
    assert started(capacity) == []
    capacity.shut = False
    assert started(capacity) == [(1, 0)]


def test_the_place_of_an_attempt_whose_agent_is_not_connected_is_kept_in_its_pool() -> None:
    capacity = capacity_with(narrow=1)
    live = live_run(1, TaskSpec("t", pool="narrow"), TaskSpec("u", pool="narrow"))
    far = LiveAttempt(5, live, 0, 1, "elsewhere")
    capacity.occupy(far)
    capacity.want(live, 1)
    assert started(capacity) == []
    capacity.leave(far)
    assert started(capacity) == [(1, 1)]
