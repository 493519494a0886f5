"""Capacity with work and agents, for tests."""

from collections.abc import Iterator

from msgspec import structs

from ostinato.decide.capacity import Capacity
from ostinato.decide.live import LiveAttempt, LiveRun
from ostinato.decide.shape import Shape
from ostinato.model.limits import Limits
from ostinato.model.record import Pool
from ostinato.model.spec import CompiledDag, TaskSpec
from tests.unit.decide.boards import run_of, spec_of


def live_run(
    run_id: int,
    *tasks: TaskSpec,
    dag_id: str = "sales",
    day: int = 0,
    backfill: int | None = None,
    most_tasks: int | None = None,
) -> LiveRun:
    """A run that has begun; with ``backfill``, one of that backfill."""
    run = run_of(run_id, dag_id=dag_id, day=day, kind="manual" if backfill is None else "backfill")
    spec = structs.replace(spec_of(*tasks, dag_id=dag_id), max_active_tasks=most_tasks)
    live = LiveRun(structs.replace(run, backfill_id=backfill), Shape(CompiledDag(spec, "f.py", "s", "v")), 1)
    live.begin()
    return live


def capacity_with(window: int = 100, **pools: int) -> Capacity:
    """Pools of these sizes and an agent named ``a1`` that takes ``window`` attempts."""
    capacity = Capacity(Limits())
    capacity.set_pools([Pool(name, slots) for name, slots in pools.items()])
    capacity.seat("a1", window, set())
    return capacity


def starts(capacity: Capacity) -> Iterator[LiveAttempt]:
    """What may start, one after another, each taking its place."""
    while (grant := capacity.grant()) is not None:
        live, task_no, agent = grant
        attempt = LiveAttempt(1_000_000 * live.run.run_id + task_no + 1, live, task_no, 1, agent)
        live.live_attempt[task_no] = attempt.attempt
        capacity.occupy(attempt)
        yield attempt


def started(capacity: Capacity) -> list[tuple[int, int]]:
    """All that may start now, as it starts: run and task number."""
    return [(attempt.live.run.run_id, attempt.no) for attempt in starts(capacity)]


def want_all(capacity: Capacity, live: LiveRun) -> None:
    """Every task of a run may start."""
    for task_no in range(len(live.shape.tasks)):
        capacity.want(live, task_no)
