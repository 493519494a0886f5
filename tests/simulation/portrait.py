"""The scheduler's memory as plain values, so that it can be compared with what a fresh start would remember."""

from collections.abc import Mapping
from typing import Any

from ostinato.decide.admission import Queue
from ostinato.decide.agenda import Agenda
from ostinato.decide.board import Board
from ostinato.decide.capacity import Capacity
from ostinato.decide.flow import PoolUse, Wanted, is_over
from ostinato.decide.live import LiveAttempt, LiveRun
from ostinato.decide.shape import Shape
from ostinato.decide.share import Terms
from ostinato.model.limits import Limits
from ostinato.model.record import Backfill, Instance
from ostinato.model.spec import After
from ostinato.model.state import RunState, TaskState
from ostinato.model.time import Instant
from ostinato.store import Store

from .trace import demand

RESTING = frozenset({TaskState.DEFERRED, TaskState.UP_FOR_RETRY})


def remembered(store: Store, now: Instant) -> tuple[Board, Agenda]:
    """What a scheduler that began now would know, with what is due by now done."""
    board = Board(Limits(), store.last_attempt() + 1, lambda: 0.0, store.attempt_set_back())
    board.capacity.set_pools(store.pools())
    board.set_switched_off(store.switched_off(), now)
    shapes: dict[str, Shape] = {}

    def shape_of(version: str) -> Shape:
        if version not in shapes:
            shapes[version] = Shape(store.compiled(version))
        return shapes[version]

    for found in store.open_work():
        board.adopt(found, shape_of(found.run.version), now)
    for run_id, by in store.cancel_requests():
        board.cancel(run_id, by, now)
    board.set_backfills({each.backfill_id: terms_of(each) for each in store.open_backfills()})
    board.tick(now)
    agenda = Agenda()
    for expectation in store.open_expectations():
        agenda.expect(expectation)
    agenda.replan(store.dags(), lambda version: shape_of(version).spec, now)
    return board, agenda


def terms_of(backfill: Backfill) -> Terms:
    """What a backfill was granted."""
    return Terms(backfill.max_active_runs, backfill.share, paused=backfill.state == "paused")


def board_portrait(board: Board) -> dict[str, Any]:
    """All that a board remembers and that is not a matter of its past or its connections."""
    timers = timers_of(board)
    return {
        "runs": {run_id: _run_portrait(live, timers) for run_id, live in sorted(board.runs.items())},
        "attempts": {id_: _attempt_portrait(attempt) for id_, attempt in sorted(board.attempts.items())},
        "next attempt": board._trials._next_attempt,
        "waiting runs": _queues(board),
        "running": {dag: sorted(runs) for dag, runs in sorted(board.admission._running.items()) if runs},
        "pools": {
            name: (pool.slots, pool.used, _occupants(pool), wanted)
            for name, pool in sorted(board.capacity._pools.items())
            if (wanted := _wanted_for_certain(board.capacity, pool)) or pool.used or pool.slots
        },
    }


def _attempt_portrait(attempt: LiveAttempt) -> tuple[Any, ...]:
    live = attempt.live
    return live.run.run_id, live.instance(attempt.no), attempt.number, attempt.agent, attempt.state


def timers_of(board: Board) -> dict[tuple[int, Instance], Instant]:
    """When each task instance of a run that goes on is to be looked at next, as far as a timer is set for it."""
    found: dict[tuple[int, Instance], Instant] = {}
    for due, run_id, no in sorted(board._timers._due, reverse=True):
        if run_id in board.runs:
            found[run_id, board.runs[run_id].instance(no)] = due
    return found


def agenda_portrait(agenda: Agenda) -> dict[str, Any]:
    """All that an agenda remembers. A fresh one looks at once whether others have completed something meanwhile."""
    after = {dag_id for dag_id, (_, spec) in agenda._dags.items() if isinstance(spec.schedule, After)}
    return {
        "until": dict(sorted(agenda._until.items())),
        "next ticks": {dag_id: at for dag_id, at in sorted(agenda._next_tick.items()) if dag_id not in after},
        "open": dict(sorted(agenda._open.items())),
        "missed": sorted(agenda._missed),
    }


def demand_equal(name: str, memory: dict[str, Any], fresh: dict[str, Any]) -> None:
    """Raise Violation, with the first part that differs, unless memory is what a fresh start would have."""
    for part, value in memory.items():
        if value == fresh[part]:
            continue
        if isinstance(value, dict):
            keys = [key for key in {**value, **fresh[part]} if value.get(key) != fresh[part].get(key)]
            detail = [f"{key}: {value.get(key)} != {fresh[part].get(key)}" for key in keys[:2]]
        else:
            detail = [f"{value} != {fresh[part]}"]
        run_id = keys[0] if part == "runs" and isinstance(value, dict) else None
        demand(False, f"{name} remembers other {part} than the store: {'; '.join(detail)}", run_id)


def _run_portrait(live: LiveRun, timers: dict[tuple[int, Instance], Instant]) -> dict[str, Any]:
    run_id = live.run.run_id
    resting = [no for no, state in enumerate(live.states) if state in RESTING]
    timed = [at for at in map(live.instance, resting) if live.shape.tasks[at[0]].kind not in {"file_sensor", "call"}]
    return {
        "state": live.run.state,
        "kind": (live.run.kind, live.run.interval, live.run.run_key, live.run.params, live.run.version),
        "next_seq": None if live.cancelling else live.next_seq,
        "cancelling": live.cancelling,
        "states": _by_instance(live, dict(enumerate(map(str, live.states)))),
        "frames": _frames(live),
        "scopes": {no: (scope.going, scope.open, scope.worst) for no, scope in sorted(live.scopes.items())},
        "tries": _by_instance(live, live.tries),
        "failures": _by_instance(live, {no: dict(sorted(of.items())) for no, of in live.failures.items()}),
        "live attempts": _by_instance(live, {no: each.attempt for no, each in live.live_attempt.items()}),
        "last attempts": _by_instance(live, live.last_attempt),
        "waiting since": _by_instance(live, live.waiting_since),
        "timers": {at: timers.get((run_id, at)) for at in sorted(timed)},
    }


def _by_instance(live: LiveRun, by_number: Mapping[int, Any]) -> dict[Instance, Any]:
    """By task instance what is by number: numbers are given in the order in which scopes unfolded."""
    return dict(sorted((live.instance(no), value) for no, value in by_number.items()))


def _frames(live: LiveRun) -> dict[tuple[int, int], Any]:
    """How each passage through a graph stands, by scope and map index."""
    return {
        (-1 if frame.scope is None else frame.scope.scope_no, frame.index): (
            frame.left,
            [(count.done, count.bad, count.skipped, count.steered, count.refused) for count in frame.counts],
            None if live.cancelling or not frame.left else [count.decided for count in frame.counts],
        )
        for frame in (live.root, *(frame for scope in live.scopes.values() for frame in scope.frames))
    }


def _wanted_for_certain(capacity: Capacity, pool: PoolUse) -> list[tuple[int, Instance]]:
    """The same, without what once had all that it needs: what is needed may be being run again by now."""
    needy = {
        (entry[5].run.run_id, entry[5].instance(entry[3]))
        for entry in _entries(capacity, pool)
        if entry[5].task(entry[3]).needs and entry[5].states[entry[3]] is TaskState.NONE
    }
    return [key for key in wanted_in(capacity, pool) if key not in needy]


def wanted_in(capacity: Capacity, pool: PoolUse) -> list[tuple[int, Instance]]:
    """What wants into a pool, without what has moved on."""
    entries = [entry for entry in _entries(capacity, pool) if not is_over(entry)]
    return sorted((entry[5].run.run_id, entry[5].instance(entry[3])) for entry in entries)


def _entries(capacity: Capacity, pool: PoolUse) -> list[Wanted]:
    found = [*pool.too_large, *[entry for flow in pool.flows.values() for entry in flow.wanted]]
    found += [entry for task in capacity._tasks.values() for entry in task.held if _pool_of(entry) == pool.name]
    return found


def _occupants(pool: PoolUse) -> list[tuple[int, int, int, int, int]]:
    """Who occupies a pool, with the slots of each, and with what its flow, its dag and its task have altogether."""
    return [
        (attempt, slots, flow.used, flow.dag.live, task.live)
        for attempt, (flow, task, slots) in sorted(pool.occupants.items())
    ]


def _pool_of(entry: Wanted) -> str:
    return entry[5].task(entry[3]).pool


def _queues(board: Board) -> dict[Queue, list[int]]:
    queues = {
        dag: [place[-1] for place in sorted(queue) if place[-1] in board.admission]
        for dag, queue in sorted(board.admission._queues.items())
    }
    assert all(live.run.state is RunState.QUEUED for live in board.admission._waiting.values())
    return {dag: runs for dag, runs in queues.items() if runs}
