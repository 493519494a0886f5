"""How runs come to be: one for each (dag, run key), with the first line of its history, in the caller's transaction."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ostinato.model.birth import born, first_events
from ostinato.model.change import Event, NewRun
from ostinato.model.record import Run
from ostinato.model.state import RunState

from . import database, hot
from .codes import CAUSES, KINDS, STATES
from .definition import dag_numbers, version_numbers
from .record import text_of


def create_runs(connection: Connection, runs: Sequence[NewRun]) -> list[Run]:
    """Create the runs whose keys are free, and return those. Raises NotFound for a dag or version that is not there."""
    dag_nos = dag_numbers(connection, {new.dag_id for new in runs})
    version_nos = version_numbers(connection, {new.version for new in runs})
    created: list[Run] = []
    for new in runs:
        row = _row(new, dag_nos[new.dag_id], version_nos[new.version])
        for (run_id,) in database.query(connection, hot.INSERT_RUN, row):
            created.append(born(run_id, new))
            database.write_some(
                connection, hot.INSERT_EVENT, [event_row(event) for event in first_events(created[-1], new)]
            )
            if new.based_on is not None:
                _carry_over(connection, run_id, new, new.based_on)
    return created


def _carry_over(connection: Connection, run_id: int, new: NewRun, old: int) -> None:
    """What the new run takes over from the old one: ends of task instances, their outputs, the items of scopes."""
    rows = [
        (run_id, each.task_no, each.map_index, STATES[each.becomes], new.at, None, None, None) for each in new.carried
    ]
    database.write_some(connection, hot.INSERT_TASK, rows)
    outputs = [
        (run_id, each.task_no, old, each.output_of, each.map_index)
        for each in new.carried
        if each.output_of is not None
    ]
    database.write_some(connection, hot.CARRY_OUTPUT, outputs)
    database.write_some(
        connection, hot.CARRY_ITEMS, [(run_id, scope_no, old, before) for scope_no, before in new.scopes]
    )


def _row(new: NewRun, dag_no: int, version_no: int) -> tuple[object, ...]:
    return (
        dag_no,
        version_no,
        new.run_key,
        KINDS[new.kind],
        STATES[RunState.QUEUED],
        new.start,
        new.end,
        new.params,
        new.at,
        new.backfill_id,
        new.by,
        *(new.parent or (None, None, None)),
        new.based_on,
    )


def event_row(event: Event) -> tuple[object, ...]:
    """A line of history as `hot.INSERT_EVENT` takes it."""
    return (
        event.run_id,
        event.seq,
        event.at,
        CAUSES[event.cause],
        STATES[event.was],
        STATES[event.becomes],
        event.task_no,
        event.map_index,
        event.attempt,
        None if event.facts is None else text_of(event.facts),
    )
