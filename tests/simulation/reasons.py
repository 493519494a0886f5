"""Every waiting thing has one reason and one thing that will lift it, and `why` names that reason."""

from typing import Final

from ostinato.decide.admission import queue_of
from ostinato.decide.board import Board
from ostinato.decide.explain import why_run, why_task
from ostinato.decide.live import LiveRun
from ostinato.decide.reason import Code
from ostinato.decide.situation import PoolRoom, RunSituation
from ostinato.model.state import FINAL_TASK, TaskState
from ostinato.model.time import Instant
from ostinato.store import Store

from .portrait import RESTING, wanted_in
from .trace import demand

_TOLD: Final = {
    "time": {Code.RETRY_LATER, Code.LOOKS_LATER, Code.LOOKS_NOW},
    "its attempt": {Code.AT_THE_AGENT, Code.RUNS},
    "room": {Code.POOL_TOO_SMALL, Code.POOL_FULL, Code.NOT_ITS_TURN, Code.NO_AGENT},
    "its upstreams": {Code.UPSTREAM_OPEN},
}
"""What a task can wait for, and how `why` may put it."""


def demand_reasons(board: Board) -> None:
    """Raise Violation for anything that waits for nothing, for two things, or for what has long been there."""
    window_left = max((seat.window - len(seat.held) for seat in board.capacity._seats.values()), default=0)
    timers = {(run_id, task_no) for _, run_id, task_no in board._timers}
    wanted: set[tuple[int, int]] = set()
    for name, pool in board.capacity._pools.items():
        for key in wanted_in(board.capacity, pool):
            demand(key not in wanted, f"task {key} wants a slot twice", key[0])
            wanted.add(key)
        offer = board.capacity.offer(pool)
        demand(offer is None or window_left <= 0, f"{name} has room, an agent has room, and {offer} waits")
    for run_id, live in board.runs.items():
        demand(live.left == sum(state not in FINAL_TASK for state in live.states), f"run {run_id} miscounts", run_id)
        for task_no, state in enumerate(live.states):
            if state not in FINAL_TASK:
                reasons = _reasons(live, task_no, timers, wanted)
                demand(len(reasons) == 1, f"task {task_no}, {state}, waits for {reasons}", run_id)
    for run_id, live in board.admission._waiting.items():
        running = len(board.admission._running.get(queue_of(live.run), ()))
        full = running >= live.shape.spec.max_active_runs or _others_go_first(board, live)
        demand(full, f"run {run_id} waits although only {running} run", run_id)


def demand_explained(store: Store, board: Board, live: LiveRun, now: Instant) -> None:
    """Raise Violation unless `why` tells of each open task of a run what it truly waits for, and what lifts it."""
    run_id = live.run.run_id
    timers = {(run, task_no) for _, run, task_no in board._timers}
    wanted = {key for pool in board.capacity._pools.values() for key in wanted_in(board.capacity, pool)}
    situation = RunSituation(
        now=now,
        scheduler=True,
        agent=bool(board.capacity._seats),
        spec=live.shape.spec,
        run=store.run(run_id),
        tasks={task.task_no: task for task in store.tasks(run_id)},
        attempts=store.attempts(run_id),
        pools={name: PoolRoom(pool.slots, pool.used) for name, pool in board.capacity._pools.items()},
        running_runs=len(board.admission._running.get(queue_of(live.run), ())),
    )
    chains = [why_run(situation)]
    for task_no, state in enumerate(live.states):
        if state not in FINAL_TASK:
            chains.append(why_task(situation, task_no))
            told = chains[-1][0].code
            truth = _reasons(live, task_no, timers, wanted)[0]
            fits = told in _TOLD[truth] or (live.cancelling and told is Code.TASK_STOPPING)
            demand(fits, f"task {task_no} waits for {truth}, and `why` says {told}", run_id)
    for chain in chains:
        demand(chain and all(reason.lifts for reason in chain), f"`why` knows no way out: {chain}", run_id)


def _reasons(live: LiveRun, task_no: int, timers: set[tuple[int, int]], wanted: set[tuple[int, int]]) -> list[str]:
    key, state = (live.run.run_id, task_no), live.states[task_no]
    reasons = {
        "time": state in RESTING and key in timers,
        "its attempt": task_no in live.live_attempt,
        "room": key in wanted,
        "its upstreams": state is TaskState.NONE and _undecided(live, task_no),
    }
    return [name for name, holds in reasons.items() if holds]


def _undecided(live: LiveRun, task_no: int) -> bool:
    return any(live.states[above] not in FINAL_TASK for above in live.shape.tasks[task_no].upstream)


def _others_go_first(board: Board, live: LiveRun) -> bool:
    """Whether a run of the same dag stands before it, and is held by its own limit."""
    queue = board.admission._queues[queue_of(live.run)]
    first = min((place for place in queue if place[-1] in board.admission), default=None)
    return first is not None and first[-1] != live.run.run_id
