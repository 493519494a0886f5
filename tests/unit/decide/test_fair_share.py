"""No dag hides another: in each pool the dag with the fewest slots goes first, and nobody waits for ever."""

from collections import Counter

from hypothesis import given
from hypothesis.strategies import integers, lists, sampled_from, tuples

from ostinato.decide.live import LiveAttempt
from ostinato.model.spec import TaskSpec
from tests.unit.decide.room import capacity_with, live_run, started, starts, want_all

MANY = 10_000


def tasks(count: int, slots: int = 1, **more: object) -> list[TaskSpec]:
    return [TaskSpec(f"t{no}", pool="p", slots=slots, **more) for no in range(count)]


def test_one_task_that_comes_after_a_burst_of_ten_thousand_starts_next() -> None:
    capacity = capacity_with(window=MANY, p=50)
    want_all(capacity, live_run(1, *tasks(MANY), dag_id="burst"))
    inside = list(starts(capacity))
    assert len(inside) == 50
    want_all(capacity, live_run(2, *tasks(1), dag_id="other"))
    capacity.leave(inside[0])
    assert started(capacity) == [(2, 0)]


def test_a_burst_of_runs_of_one_dag_is_one_dag() -> None:
    capacity = capacity_with(window=MANY, p=4)
    for run_id in range(1, 101):
        want_all(capacity, live_run(run_id, *tasks(3), dag_id="burst"))
    inside = list(starts(capacity))
    want_all(capacity, live_run(500, *tasks(9), dag_id="other", day=5))
    for attempt in inside[:2]:
        capacity.leave(attempt)
    assert started(capacity) == [(500, 0), (500, 1)]
    capacity.leave(inside[2])
    assert [run_id for run_id, _ in started(capacity)] == [2]  # it has one, the other two


@given(lists(integers(1, 30), min_size=2, max_size=5), integers(1, 12))
def test_dags_that_want_enough_have_as_many_slots_as_each_other(wants: list[int], slots: int) -> None:
    capacity = capacity_with(window=MANY, p=slots)
    for number, wanted in enumerate(wants, start=1):
        want_all(capacity, live_run(number, *tasks(wanted), dag_id=f"dag{number}"))
    has = Counter(run_id for run_id, _ in started(capacity))
    wanting = [number for number, wanted in enumerate(wants, start=1) if has[number] < wanted]
    assert max((has[number] for number in has), default=0) <= min((has[n] + 1 for n in wanting), default=MANY)
    assert sum(has.values()) == min(slots, sum(wants))


@given(lists(tuples(sampled_from("abcd"), integers(1, 4), integers(1, 3)), min_size=1, max_size=25), integers(4, 9))
def test_everything_starts_whatever_else_keeps_coming(work: list[tuple[str, int, int]], slots: int) -> None:
    """The oldest attempt ends each time; for each that ends, a small task of another dag comes: nobody is passed over."""
    capacity = capacity_with(window=MANY, p=slots)
    waiting = set()
    for number, (dag_id, needs, count) in enumerate(work, start=1):
        want_all(capacity, live_run(number, *tasks(count, needs), dag_id=dag_id))
        waiting |= {(number, no) for no in range(count)}
    inside: list[LiveAttempt] = []
    for turn in range(1_000, 3_000):
        for attempt in starts(capacity):
            inside.append(attempt)
            waiting.discard((attempt.live.run.run_id, attempt.no))
        if not waiting:
            return
        capacity.leave(inside.pop(0))
        want_all(capacity, live_run(turn, *tasks(1), dag_id=f"small{turn % 3}"))
    raise AssertionError(f"never started: {waiting}")


def test_what_is_large_holds_up_its_pool_until_it_fits() -> None:
    capacity = capacity_with(p=4)
    want_all(capacity, live_run(1, *tasks(40), dag_id="small"))
    inside = list(starts(capacity))
    want_all(capacity, live_run(2, *tasks(1, slots=4), dag_id="large"))
    for attempt in inside[:3]:
        capacity.leave(attempt)
        assert started(capacity) == []
    capacity.leave(inside[3])
    assert started(capacity) == [(2, 0)]


def test_a_higher_priority_goes_first_whatever_its_dag_has() -> None:
    capacity = capacity_with(p=3)
    want_all(capacity, live_run(1, *tasks(3, priority=1), dag_id="urgent"))
    want_all(capacity, live_run(2, *tasks(3), dag_id="other"))
    assert started(capacity) == [(1, 0), (1, 1), (1, 2)]


def test_between_pools_an_agents_room_is_shared_in_the_same_way() -> None:
    capacity = capacity_with(window=4, p=100, q=100)
    want_all(capacity, live_run(1, *tasks(9), dag_id="one"))
    want_all(capacity, live_run(2, *[TaskSpec(f"t{no}", pool="q") for no in range(9)], dag_id="two"))
    assert Counter(run_id for run_id, _ in started(capacity)) == {1: 2, 2: 2}


def test_what_its_dag_holds_back_does_not_hold_up_others() -> None:
    capacity = capacity_with(p=10)
    want_all(capacity, live_run(1, *tasks(5), dag_id="narrow", most_tasks=2))
    want_all(capacity, live_run(2, *tasks(3), dag_id="narrow", most_tasks=2))
    want_all(capacity, live_run(3, *tasks(5), dag_id="other"))
    assert Counter(run_id for run_id, _ in started(capacity)) == {1: 2, 3: 5}


def test_what_its_task_holds_back_does_not_hold_up_its_own_dag_and_starts_in_its_order() -> None:
    capacity = capacity_with(p=10)
    for run_id, day in ((1, 3), (2, 1), (3, 2)):
        want_all(
            capacity, live_run(run_id, TaskSpec("one", pool="p", max_active=1), TaskSpec("any", pool="p"), day=day)
        )
    inside = list(starts(capacity))
    assert [(attempt.live.run.run_id, attempt.no) for attempt in inside] == [(2, 0), (2, 1), (3, 1), (1, 1)]
    capacity.leave(inside[0])
    (following,) = starts(capacity)
    assert (following.live.run.run_id, following.no) == (3, 0)
    capacity.leave(following)
    assert started(capacity) == [(1, 0)]


def test_limits_are_those_of_a_runs_own_version_and_none_is_forgotten() -> None:
    capacity = capacity_with(p=10)
    want_all(capacity, live_run(1, *tasks(4), most_tasks=None))
    inside = list(starts(capacity))
    want_all(capacity, live_run(2, *tasks(2), most_tasks=3))
    assert started(capacity) == []
    for attempt in inside[:2]:
        capacity.leave(attempt)
    assert started(capacity) == [(2, 0)]
    capacity.leave(inside[2])
    assert started(capacity) == [(2, 1)]


def test_in_a_long_life_the_line_does_not_grow() -> None:
    capacity = capacity_with(p=3)
    want_all(capacity, live_run(1, *tasks(2_000), dag_id="one"))
    want_all(capacity, live_run(2, *tasks(2_000), dag_id="two"))
    inside = list(starts(capacity))
    while inside:
        capacity.leave(inside.pop(0))
        inside += starts(capacity)
        assert len(capacity._pools["p"].line) < 80
