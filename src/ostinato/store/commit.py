"""One commit of the leader: all of it or nothing, fenced by the epoch, every move guarded by the state it moves from.

Rows are written in the order task instance, attempt, event, and the rest; there is one writer at a time, so that nothing
waits for a lock halfway.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, Engine, delete, insert, select, update

from ostinato.model.change import (
    AttemptMove,
    CancelRequest,
    Commit,
    ExpectationMove,
    RejectedRecords,
    RunMove,
    ScheduleCursor,
    TaskMove,
)
from ostinato.model.errors import FencedOut, InvariantBroken
from ostinato.model.record import Run
from ostinato.model.state import FINAL_RUN, AttemptState, RunState, TaskState
from ostinato.model.time import Instant

from . import database, hot
from .alert import put_alerts, record_deliveries
from .codes import ERROR_CLASSES, STATES
from .creation import create_runs, event_row
from .definition import dag_numbers
from .dialect import Rows
from .interned import Interned
from .record import text_of
from .tables import agent, dag, expectation, intervention, log_segment, meta, rejected, run


class Writer:
    """Commits what the leader decides, remembering the numbers of agents and log segments in between."""

    def __init__(self) -> None:
        self._agents = Interned(agent)
        self._segments = Interned(log_segment)

    def commit(self, engine: Engine, change: Commit, epoch: int) -> list[Run]:
        """See `Store.commit`."""
        try:
            with database.writing(engine) as connection:
                _fence(connection, epoch)
                return self._apply(connection, change)
        except BaseException:  # names that this transaction gave numbers to have none again
            self._agents.forget()
            self._segments.forget()
            raise

    def _apply(self, connection: Connection, change: Commit) -> list[Run]:
        created = create_runs(connection, change.new_runs) if change.new_runs else []
        for request in change.cancel_requests:
            ask_to_stop(connection, request)
        database.write(connection, hot.MOVE_RUN, [_run_row(move) for move in change.runs], "moves of runs")
        first = [_first_task_row(move) for move in change.tasks if move.was is TaskState.NONE]
        database.write(connection, hot.INSERT_TASK, first, "first moves of task instances")
        further = [_task_row(move) for move in change.tasks if move.was is not TaskState.NONE]
        database.write(connection, hot.MOVE_TASK, further, "moves of task instances")
        if change.new_attempts:
            database.write(connection, hot.INSERT_ATTEMPT, self._new_attempt_rows(connection, change), "new attempts")
        moved = [self._attempt_row(connection, move) for move in change.attempts]
        database.write(connection, hot.MOVE_ATTEMPT, moved, "moves of attempts")
        database.write(connection, hot.INSERT_EVENT, [event_row(event) for event in change.events], "events")
        outputs = [(output.run_id, output.task_no, output.map_index, output.value) for output in change.outputs]
        database.write(connection, hot.INSERT_OUTPUT, outputs, "outputs")
        items = [(item.run_id, item.scope_no, item.map_index, item.value) for item in change.items]
        database.write(connection, hot.INSERT_ITEM, items, "items")
        if change.rejected:
            connection.execute(insert(rejected), [_rejected_row(records) for records in change.rejected])
        put_alerts(connection, change.alerts)
        if change.expectations:
            _move_expectations(connection, change.expectations)
        if change.cursors:
            _move_cursors(connection, change.cursors)
        record_deliveries(connection, change.deliveries)
        if change.taken:
            connection.execute(delete(intervention).where(intervention.c.intervention_id.in_(change.taken)))
        return created

    def _new_attempt_rows(self, connection: Connection, change: Commit) -> Rows:
        """Attempts are found by way of their task instances, so each must be named by a move of its own."""
        if not {new.attempt for new in change.new_attempts} <= {move.attempt for move in change.tasks}:
            raise InvariantBroken("a new attempt is not named by a move of its task instance")
        agents = {name: self._agents.number(connection, name) for name in {new.agent for new in change.new_attempts}}
        state = STATES[AttemptState.QUEUED]
        return [
            (new.attempt, new.run_id, new.task_no, new.map_index, new.number, state, agents[new.agent], new.at)
            for new in change.new_attempts
        ]

    def _attempt_row(self, connection: Connection, move: AttemptMove) -> tuple[object, ...]:
        log = move.log
        return (
            STATES[move.becomes],
            move.started_at,
            move.finished_at,
            None if move.error_class is None else ERROR_CLASSES[move.error_class],
            None if move.failure is None else text_of(move.failure),
            None if log is None else self._segments.number(connection, log.segment),
            None if log is None else log.offset,
            None if log is None else log.length,
            move.peak_kib,
            move.cpu_ms,
            move.attempt,
            STATES[move.was],
        )


def take_lead(connection: Connection, owner: str, now: Instant) -> int:
    """Begin a new epoch. See `Store.take_lead`."""
    connection.execute(update(meta).values(epoch=meta.c.epoch + 1, leader=owner, led_since=now))
    return connection.execute(select(meta.c.epoch)).scalar_one()


def ask_to_stop(connection: Connection, request: CancelRequest) -> bool:
    """Note that a run is to be stopped; False if it has ended, or that was noted before."""
    going = (
        run.c.run_id == request.run_id,
        run.c.state.not_in(FINAL_RUN),
        run.c.cancel_requested_at.is_(None),
    )
    asked = update(run).where(*going).values(cancel_requested_at=request.at, cancel_requested_by=request.by)
    return connection.execute(asked).rowcount == 1


def _fence(connection: Connection, epoch: int) -> None:
    [(newest, leader)] = database.query(connection, hot.GET_EPOCH)
    if newest != epoch:
        raise FencedOut(f"the lead was taken by {leader} (epoch {newest}, ours is {epoch})")


def _run_row(move: RunMove) -> tuple[object, ...]:
    return (
        STATES[move.becomes],
        move.at if move.becomes is RunState.RUNNING else None,
        move.at if move.becomes in FINAL_RUN else None,
        move.run_id,
        STATES[move.was],
    )


def _first_task_row(move: TaskMove) -> tuple[object, ...]:
    return (
        move.run_id,
        move.task_no,
        move.map_index,
        STATES[move.becomes],
        move.at,
        move.attempt,
        move.due_at,
        move.waiting_since,
    )


def _task_row(move: TaskMove) -> tuple[object, ...]:
    return (
        STATES[move.becomes],
        move.at,
        move.attempt,
        move.due_at,
        move.waiting_since,
        move.run_id,
        move.task_no,
        move.map_index,
        STATES[move.was],
    )


def _rejected_row(records: RejectedRecords) -> dict[str, object]:
    letters = records.letters
    return {
        "run_id": records.run_id,
        "task_no": records.task_no,
        "map_index": records.map_index,
        "attempt": records.attempt,
        "at": records.at,
        "asset": letters.asset,
        "partition": letters.partition,
        "path": letters.path,
        "count": letters.count,
        "reasons": text_of(letters.reasons),
    }


def _move_expectations(connection: Connection, moves: Sequence[ExpectationMove]) -> None:
    """What is expected already stays as it is; what is met stays met."""
    numbers = dag_numbers(connection, {move.dag_id for move in moves})
    for move in moves:
        of = {"dag_no": numbers[move.dag_id], "interval_start": move.start}
        row = {**of, "due_at": move.due_at, "state": move.becomes, "at": move.at}
        database.insert_free(connection, expectation, [row])
        if move.becomes != "expected":
            known = update(expectation).filter_by(**of).where(expectation.c.state != "met")
            connection.execute(known.values(state=move.becomes, at=move.at))


def _move_cursors(connection: Connection, cursors: Sequence[ScheduleCursor]) -> None:
    numbers = dag_numbers(connection, {cursor.dag_id for cursor in cursors})
    for cursor in cursors:
        moved = update(dag).where(dag.c.dag_no == numbers[cursor.dag_id]).values(scheduled_until=cursor.until)
        connection.execute(moved)
