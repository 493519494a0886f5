"""The state is set back to an earlier moment: what has happened since then is not known here, and may not be done again.

Whoever still works for the time that is lost is shut out. Schedulers of that time have lower epochs than any that follow.
Attempts of that time have lower numbers, so tables and agents tell them from new ones; and so have runs, whose number
people and their tasks may have used.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, exists, func, or_, select, update

from ostinato.model.time import Instant

from .audit import record
from .creation import last_run
from .definition import compiled_dag, dags
from .recovery import OPEN_RUN
from .tables import backfill, dag, meta, run

WHO: Final = "restore"
"""Who asked for the runs to be stopped that were open."""

_ATTEMPTS_A_MS: Final = 1_000
"""More than can be made."""

_RUNS_APART: Final = 1_000_000
"""Runs go on with the next round number."""


@dataclass(frozen=True, slots=True)
class SetBack:
    """The state is as of ``taken_at`` (None: nobody knows).

    So many runs were open then and were asked to stop, so many schedules go on from now instead of from then.
    """

    taken_at: Instant | None
    stopped: int
    moved: int


def set_back(
    connection: Connection, by: str, via: str, now: Instant, taken_at: Instant | None, *, again: bool
) -> SetBack:
    """Write down that the state was set back. See `Store.set_back`."""
    epoch, last = connection.execute(select(meta.c.epoch, meta.c.last_attempt)).one()
    attempt = max(last, now * _ATTEMPTS_A_MS)
    changed = {
        "epoch": max(epoch + 1, now),  # milliseconds: nobody takes the lead as often
        "last_attempt": attempt,
        "attempt_set_back": attempt,
        "last_run": (last_run(connection) // _RUNS_APART + 1) * _RUNS_APART,
        "leader": "",
        "taken_at": None,
        "dags_revision": meta.c.dags_revision + 1,
        "backfills_revision": meta.c.backfills_revision + 1,
    }
    connection.execute(update(meta).values(changed))
    stopped, moved = (0, 0) if again else (_stop_all(connection, now), _go_on_from(connection, now))
    facts = {"taken_at": taken_at, "stopped": stopped, "schedules": moved, "again": again}
    record(connection, by, via, "restore", "state", now, facts)
    return SetBack(taken_at, stopped, moved)


def _stop_all(connection: Connection, now: Instant) -> int:
    its_open = exists().where(run.c.backfill_id == backfill.c.backfill_id, run.c.state.in_(OPEN_RUN))
    connection.execute(
        update(backfill).where(backfill.c.state.in_(["running", "paused"]), its_open).values(state="cancelled")
    )
    is_open = (run.c.state.in_(OPEN_RUN), run.c.cancel_requested_at.is_(None))
    connection.execute(update(run).where(*is_open).values(cancel_requested_at=now, cancel_requested_by=WHO))
    return connection.execute(select(func.count()).where(run.c.state.in_(OPEN_RUN))).scalar_one()


def _go_on_from(connection: Connection, now: Instant) -> int:
    """Also what nobody has followed yet, or what is gone from its file: in the time that is lost it may have been there."""
    unseen = [
        each.dag_id
        for each in dags(connection, retired=True)
        if each.scheduled_until is None and compiled_dag(connection, each.version).spec.schedule is not None
    ]
    behind = or_(dag.c.scheduled_until < now, dag.c.dag_id.in_(unseen))
    is_there = dag.c.retired_at.is_(None)
    moved = connection.execute(select(func.count()).select_from(dag).where(behind, is_there)).scalar_one()
    connection.execute(update(dag).where(behind).values(scheduled_until=now))
    return moved
