"""Backfills: made whole with their runs, held, let go on, and stopped; each of it in one transaction."""

from collections.abc import Sequence

from msgspec import structs
from sqlalchemy import Connection, exists, func, select, update

from ostinato.model.change import BackfillState, NewBackfill, NewRun
from ostinato.model.errors import NotFound
from ostinato.model.record import Backfill, Run
from ostinato.model.time import Instant

from . import creation, database
from .definition import dag_numbers
from .record import BACKFILLS, text_of, to_backfill
from .recovery import OPEN_RUN
from .tables import backfill, meta, run


def create(connection: Connection, new: NewBackfill, runs: Sequence[NewRun]) -> tuple[Backfill, list[Run]]:
    """Create a backfill and the runs that belong to it. See `Store.create_backfill`."""
    row = {
        "dag_no": dag_numbers(connection, [new.dag_id])[new.dag_id],
        "chosen": text_of([(interval.start, interval.end) for interval in new.chosen]),
        "reprocess": new.reprocess,
        "newest_first": int(new.newest_first),
        "batch": new.batch,
        "cascade": int(new.cascade),
        "params": new.params,
        "max_active_runs": new.max_active_runs,
        "share": new.share,
        "state": "running",
        "created_at": new.at,
        "created_by": new.by,
    }
    backfill_id = database.insert_row(connection, backfill, row)
    created = creation.create_runs(connection, [structs.replace(each, backfill_id=backfill_id) for each in runs])
    _touch(connection)
    return get(connection, backfill_id), created


def newest(connection: Connection, dag_id: str | None, limit: int) -> list[Backfill]:
    """Backfills, newest first."""
    query = BACKFILLS
    if dag_id is not None:
        query = query.where(backfill.c.dag_no == dag_numbers(connection, [dag_id])[dag_id])
    rows = connection.execute(query.order_by(backfill.c.backfill_id.desc()).limit(limit)).all()
    return [to_backfill(row, _run_counts(connection, row.backfill_id)) for row in rows]


def get(connection: Connection, backfill_id: int) -> Backfill:
    """One backfill. Raises NotFound."""
    row = connection.execute(BACKFILLS.where(backfill.c.backfill_id == backfill_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no backfill {backfill_id}")
    return to_backfill(row, _run_counts(connection, backfill_id))


def unfinished(connection: Connection) -> list[Backfill]:
    """Backfills that have a run which has not ended, oldest first; their runs are not counted."""
    has_open = exists().where(run.c.backfill_id == backfill.c.backfill_id, run.c.state.in_(OPEN_RUN))
    return [to_backfill(row) for row in connection.execute(BACKFILLS.where(has_open).order_by(backfill.c.backfill_id))]


def revision(connection: Connection) -> int:
    """See `Store.backfills_revision`."""
    return connection.execute(select(meta.c.backfills_revision)).scalar_one()


def move(connection: Connection, backfill_id: int, was: BackfillState, becomes: BackfillState) -> bool:
    """Bring a backfill that is not over from one state to another; False if it is over or in a third. Raises NotFound."""
    get(connection, backfill_id)
    its_open = exists().where(run.c.backfill_id == backfill_id, run.c.state.in_(OPEN_RUN))
    moved = update(backfill).where(backfill.c.backfill_id == backfill_id, backfill.c.state == was, its_open)
    done = connection.execute(moved.values(state=becomes)).rowcount == 1
    if done:
        _touch(connection)
    return done


def cancel(connection: Connection, backfill_id: int, by: str, now: Instant) -> int:
    """Stop a backfill and ask all its open runs to stop; how many were not asked before. Raises NotFound."""
    if not (
        move(connection, backfill_id, "running", "cancelled") or move(connection, backfill_id, "paused", "cancelled")
    ):
        return 0
    its_open = (run.c.backfill_id == backfill_id, run.c.state.in_(OPEN_RUN), run.c.cancel_requested_at.is_(None))
    asked = update(run).where(*its_open).values(cancel_requested_at=now, cancel_requested_by=by)
    return connection.execute(asked).rowcount


def _run_counts(connection: Connection, backfill_id: int) -> dict[str, int]:
    query = select(run.c.state, func.count()).where(run.c.backfill_id == backfill_id).group_by(run.c.state)
    return {row[0].value: row[1] for row in connection.execute(query)}


def _touch(connection: Connection) -> None:
    connection.execute(update(meta).values(backfills_revision=meta.c.backfills_revision + 1))
