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
    "called": Cause.CALLED,
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
        parent=new.parent,
        based_on=new.based_on,
    )


def first_events(run: Run, new: NewRun) -> list[Event]:
    """The first lines of the history of a new run: why there is one, and what it takes over from another."""
    facts: dict[str, object] = {"by": run.by} if run.by else {}
    if run.based_on is not None:
        facts["based_on"] = run.based_on
    cause = CAUSE_OF[run.kind] if run.based_on is None else Cause.RERUN
    events = [Event(run.run_id, 0, run.created_at, cause, "none", RunState.QUEUED, facts=facts or None)]
    for seq, each in enumerate(new.carried, 1):
        events.append(
            Event(
                run.run_id,
                seq,
                new.at,
                each.cause,
                "none",
                each.becomes,
                each.task_no,
                facts=None if each.follow is None else {"follow": list(each.follow)},
                map_index=each.map_index,
            )
        )
    return events
