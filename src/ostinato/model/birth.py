"""How a run comes to be: queued, with a first line of history that says why there is one."""

from typing import Final

from .cause import Cause
from .change import Event, NewRun, RunKind
from .record import Run
from .state import RunState
from .time import DataInterval

CAUSE_OF: Final[dict[RunKind, Cause]] = {
    "scheduled": Cause.SCHEDULED,
    "manual": Cause.TRIGGERED,
    "backfill": Cause.BACKFILLED,
}


def born(run_id: int, new: NewRun) -> Run:
    """The run that was asked for, with its number."""
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


def first_event(run: Run) -> Event:
    """The first line of the history of a new run."""
    facts: dict[str, object] | None = {"by": run.by} if run.by else None
    return Event(run.run_id, 0, run.created_at, CAUSE_OF[run.kind], "none", RunState.QUEUED, facts=facts)
