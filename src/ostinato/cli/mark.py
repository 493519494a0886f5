"""``ostinato mark``: say how a task ends, in place of what it does or did."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.model.cause import Cause
from ostinato.model.change import Decision
from ostinato.model.errors import UsageError
from ostinato.model.record import Run
from ostinato.model.state import FINAL_RUN
from ostinato.view.documents.runs import DecisionDocument

from .errors import did_you_mean
from .session import present_home, state
from .target import run_named
from .terminal import next_step, out, out_json
from .words import AsJson, RunName, Selected, Timeout, Wait, declaration

if TYPE_CHECKING:
    from ostinato.control.rerun import Planned
    from ostinato.store import Store

app = declaration()

_MARKS: Final[dict[str, tuple[Decision, Cause]]] = {
    "success": ("mark_success", Cause.MARKED_SUCCESS),
    "failed": ("mark_failed", Cause.MARKED_FAILED),
    "skipped": ("mark_skipped", Cause.MARKED_SKIPPED),
}


@app.command(
    epilog="ostinato mark 12 load success\nostinato mark 12 'load[3]' skipped\nostinato mark 12 load failed --dry-run"
)
def mark(
    run: RunName,
    task: Selected,
    end: Annotated[str, typer.Argument(metavar="STATE", help="success, failed or skipped")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="of a run that is over: only say what would run")] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> int:
    """Say how a task ends. What it is doing is stopped; what comes after it goes on from there.

    Of a run that is over nothing changes: a new run of its interval is made in which the task ends so, which runs what
    comes after it and what did not end well, and takes over the rest.
    """
    from .rerun_text import Asked, tell_plan, tell_rerun  # noqa: PLC0415 - loads the database

    if end not in _MARKS:
        raise UsageError(f'"{end}" is not how a task can be marked', help=_choices(end))
    what, cause = _MARKS[end]
    home, now, by = present_home(), SystemClock().now(), asker()
    with state(home) as store:
        found = run_named(store, run)
        if found.state in FINAL_RUN:
            from ostinato.control.rerun import create_rerun  # noqa: PLC0415

            planned = _planned(store, found, task, cause)
            if dry_run:
                return tell_plan(planned, as_json=as_json)
            return tell_rerun(
                store, home, planned, create_rerun(store, planned, by, now), Asked(wait, timeout, as_json)
            )
        if dry_run or wait:
            raise UsageError(
                f"run {found.run_id} goes on", help="Its tasks are marked as they stand: leave the option out."
            )
        from ostinato.control.intervene import mark as mark_open  # noqa: PLC0415

        names = mark_open(store, found, task, what, by, now)
    hint(home)
    tell_decision(found, names, what, by, as_json=as_json, told=f"to end as {end}")
    return 0


def tell_decision(run: Run, names: list[str], what: Decision, by: str, *, as_json: bool, told: str) -> None:
    """What was decided, as people or programs read it."""
    if as_json:
        out_json(DecisionDocument(run_id=run.run_id, tasks=names, decision=what, by=by))
        return
    out(f"{', '.join(names)} of run {run.run_id} of {run.dag_id}: {told}")
    next_step(f"ostinato show {run.run_id}")


def _planned(store: "Store", run: Run, task: str, cause: Cause) -> "Planned":
    from ostinato.control.intervene import demand_instances  # noqa: PLC0415
    from ostinato.control.rerun import plan_marks  # noqa: PLC0415
    from ostinato.control.seen import seen  # noqa: PLC0415

    here = seen(store, run)
    meant = sorted(here.chosen([task]))
    demand_instances(here, meant)
    return plan_marks(store, run, dict.fromkeys(meant, cause))


def _choices(end: str) -> str:
    return did_you_mean(end, _MARKS) or f"Choose one of {', '.join(_MARKS)}."
