"""How runs come to be: one for each (dag, run key), with the first line of its history, in the caller's transaction."""

from collections.abc import Sequence

from sqlalchemy import Connection

from ostinato.model.birth import born, first_event
from ostinato.model.change import Event, NewRun
from ostinato.model.record import Run
from ostinato.model.state import RunState

from . import hot
from .codes import CAUSES, KINDS, STATES
from .definition import dag_numbers, version_numbers
from .record import text_of


def create_runs(connection: Connection, runs: Sequence[NewRun]) -> list[Run]:
    """Create the runs whose keys are free, and return those. Raises NotFound for a dag or version that is not there."""
    dag_nos = dag_numbers(connection, {new.dag_id for new in runs})
    version_nos = version_numbers(connection, {new.version for new in runs})
    cursor = connection.connection.cursor()
    created: list[Run] = []
    for new in runs:
        row = _row(new, dag_nos[new.dag_id], version_nos[new.version])
        cursor.execute(hot.INSERT_RUN, row)
        created += [born(run_id, new) for (run_id,) in cursor.fetchall()]
    cursor.executemany(hot.INSERT_EVENT, [_first_row(first_event(run)) for run in created])
    return created


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
    )


def _first_row(event: Event) -> tuple[object, ...]:
    facts = None if event.facts is None else text_of(event.facts)
    cause, was, becomes = CAUSES[event.cause], STATES[event.was], STATES[event.becomes]
    return (event.run_id, event.seq, event.at, cause, was, becomes, None, None, facts)
