"""Every waiting thing has one reason and one thing that will lift it, and `why` names that reason."""

from collections.abc import Mapping
from typing import Final

from ostinato.cli.situation import run_situation
from ostinato.decide.admission import queue_of
from ostinato.decide.board import Board
from ostinato.decide.explain import why_run, why_task
from ostinato.decide.live import LiveRun
from ostinato.decide.reason import Code
from ostinato.model.record import Instance
from ostinato.model.state import FINAL_RUN, FINAL_TASK, TaskState
from ostinato.model.time import Instant
from ostinato.store import Store

from .needed import has_all
from .outside import demand_no_overlap
from .portrait import RESTING, timers_of, wanted_in
from .seen import SeenRun
from .trace import demand
from .witness import Witness

Key = tuple[int, Instance]
"""A task instance of a run."""

_TOLD: Final = {
    "time": {Code.RETRY_LATER, Code.LOOKS_LATER, Code.LOOKS_FOR},
    "its attempt": {Code.AT_THE_AGENT, Code.RUNS},
    "room": {Code.POOL_TOO_SMALL, Code.POOL_FULL, Code.NOT_ITS_TURN, Code.NO_AGENT, Code.DAG_FULL, Code.TASK_FULL},
    "its upstreams": {Code.UPSTREAM_OPEN},
    "its instances": {Code.INSTANCES_OPEN},
    "earlier instances": {Code.SCOPE_FULL},
    "its needs": {Code.INTERVALS_OPEN},
    "its child": {Code.CHILD_OPEN},
    "somebody": {Code.ASKS},
}
"""What a task can wait for, and how `why` may put it."""
_DECIDED: Final = {Code.DECISION_WAITS, Code.DECISION_REFUSED}
"""What people decided about it comes before what it waits for."""


def demand_reasons(board: Board, witness: Witness) -> None:
    """Raise Violation for anything that waits for nothing, for two things, or for what has long been there."""
    demand_no_overlap(witness)
    window_left = max((seat.most() - len(seat.held) for seat in board.capacity._seats.values()), default=0)
    timers = timers_of(board)
    wanted: set[Key] = set()
    for name, pool in board.capacity._pools.items():
        for key in wanted_in(board.capacity, pool):
            demand(key not in wanted, f"task {key} wants a slot twice", key[0])
            wanted.add(key)
        offer = board.capacity.offer(pool)
        demand(offer is None or window_left <= 0, f"{name} has room, an agent has room, and {offer} waits")
    for run_id, live in board.runs.items():
        for frame in {id(frame): frame for frame in live.frames}.values():
            states = live.states[frame.first : frame.first + len(frame.graph.gate_of)]
            demand(frame.left == sum(state not in FINAL_TASK for state in states), f"run {run_id} miscounts", run_id)
        for no, state in enumerate(live.states):
            if state not in FINAL_TASK:
                reasons = _reasons(board, live, no, witness, timers, wanted)
                demand(len(reasons) == 1, f"task {live.instance(no)}, {state}, waits for {reasons}", run_id)
    for run_id, live in board.admission._waiting.items():
        queue = queue_of(live.run)
        running = len(board.admission._running.get(queue, ()))
        full = running >= board.admission._most(queue, live) or _others_go_first(board, live)
        demand(full, f"run {run_id} waits although only {running} run", run_id)


def demand_explained(store: Store, board: Board, live: LiveRun, witness: Witness, now: Instant) -> None:
    """Raise Violation unless `why` tells of each open task of a run what it truly waits for, and what lifts it."""
    run_id = live.run.run_id
    timers = timers_of(board)
    wanted = {key for pool in board.capacity._pools.values() for key in wanted_in(board.capacity, pool)}
    situation = run_situation(store, store.run(run_id), now, scheduler=True, agent=bool(board.capacity._seats))
    chains = [why_run(situation)]
    for no, state in enumerate(live.states):
        if state not in FINAL_TASK:
            at = live.instance(no)
            chains.append([each for each in why_task(situation, at) if each.code not in _DECIDED])
            told = chains[-1][0].code
            truth = _reasons(board, live, no, witness, timers, wanted)[0]
            once_met = told is Code.INTERVALS_OPEN and at in witness.runs[run_id].met  # and is being run again
            fits = told in _TOLD[truth] or (live.cancelling and told is Code.TASK_STOPPING) or once_met
            demand(fits, f"task {at} waits for {truth}, and `why` says {told}", run_id)
    for chain in chains:
        demand(chain and all(reason.lifts for reason in chain), f"`why` knows no way out: {chain}", run_id)


def _reasons(
    board: Board, live: LiveRun, no: int, witness: Witness, timers: Mapping[Key, Instant], wanted: set[Key]
) -> list[str]:
    at, state, task = live.instance(no), live.states[no], live.task(no)
    seen = witness.runs[live.run.run_id]
    key = live.run.run_id, at
    asks = any(
        (live.run.run_id, no) in waiting for of_dag in board.ready._needing.values() for waiting in of_dag.values()
    )
    child = witness.runs.get(seen.children.get(at, 0))
    patient = task.approval is not None and (task.approval.timeout is None or key in timers)
    reasons = {
        "its needs": state is TaskState.NONE
        and asks
        and key not in wanted
        and not _has_what_it_needs(witness, seen, at),
        "its child": state is TaskState.DEFERRED and child is not None and child.run.state not in FINAL_RUN,
        "somebody": state is TaskState.DEFERRED and patient,
        "time": state in RESTING and key in timers and task.approval is None,
        "its attempt": no in live.live_attempt,
        "room": key in wanted,
        "its upstreams": state is TaskState.NONE and not seen.fates(at),
        "its instances": seen.is_whole(at) and _has_open_instance(seen, at),
        "earlier instances": state is TaskState.NONE and bool(seen.fates(at)) and not live.frames[no].begun,
    }
    return [name for name, holds in reasons.items() if holds]


def _has_what_it_needs(witness: Witness, seen: SeenRun, at: Instance) -> bool:
    """What was met before a restart has to be so again."""
    return at in seen.met and has_all(witness, seen, at)


def _has_open_instance(seen: SeenRun, at: Instance) -> bool:
    """Whether an instance of a task has not ended; a loop's task may have another as long as its turn goes on."""
    scope_no = seen.task(at).scope or 0
    loops = seen.spec.scopes[scope_no].kind == "loop"
    members = seen.members(scope_no) if loops else [at[0]]
    return any(state not in FINAL_TASK for (no, index), state in seen.states.items() if no in members and index >= 0)


def _others_go_first(board: Board, live: LiveRun) -> bool:
    """Whether a run of the same queue stands before it, and is held by its own limit."""
    queue = board.admission._queues[queue_of(live.run)]
    first = min((place for place in queue if place[-1] in board.admission), default=None)
    return first is not None and first[-1] != live.run.run_id
