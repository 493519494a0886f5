"""How runs come to be: one for each (dag, run key), with the first line of its history, in the caller's transaction."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from ostinato.model.cause import Cause
from ostinato.model.change import NewRun, RunKind
from ostinato.model.record import Run
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval

from . import hot
from .codes import CAUSES, KINDS, STATES
from .definition import dag_numbers, version_numbers
from .record import text_of

CAUSE_OF: Final[dict[RunKind, Cause]] = {
    "scheduled": Cause.SCHEDULED,
    "manual": Cause.TRIGGERED,
    "backfill": Cause.BACKFILLED,
}


def create_runs(connection: Connection, runs: Sequence[NewRun]) -> list[Run]:
    """Create the runs whose keys are free, and return those. Raises NotFound for a dag or version that is not there."""
    dag_nos = dag_numbers(connection, {new.dag_id for new in runs})
    version_nos = version_numbers(connection, {new.version for new in runs})
    cursor = connection.connection.cursor()
    created: list[Run] = []
    for new in runs:
        row = _row(new, dag_nos[new.dag_id], version_nos[new.version])
        cursor.execute(hot.INSERT_RUN, row)
        created += [_run(run_id, new) for (run_id,) in cursor.fetchall()]
    cursor.executemany(hot.INSERT_EVENT, [_first_event(run) for run in created])
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


def _run(run_id: int, new: NewRun) -> Run:
    return Run(
        run_id=run_id,
        dag_id=new.dag_id,
        version=new.version,
        run_key=new.run_key,
        kind=new.kind,
        state=RunState.QUEUED,
        interval=DataInterval(new.start, new.end),
        params=new.params,
        created_at=new.at,
        backfill_id=new.backfill_id,
        by=new.by,
    )


def _first_event(run: Run) -> tuple[object, ...]:
    facts = text_of({"by": run.by}) if run.by else None
    cause = CAUSES[CAUSE_OF[run.kind]]
    return (run.run_id, 0, run.created_at, cause, STATES["none"], STATES[RunState.QUEUED], None, None, facts)
