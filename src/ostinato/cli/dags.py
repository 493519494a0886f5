"""``ostinato dags``: what is deployed; pausing and unpausing schedules."""

import sys
from typing import Annotated

import typer

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.model.errors import UsageError
from ostinato.view.documents.dags import DagDocument, UnpauseDocument
from ostinato.view.listing import dags_document
from ostinato.view.when import local

from .owed import owed, told
from .problems import draw_problems
from .session import present_home, present_state, state
from .terminal import Ink, next_step, out, out_json, say, table
from .ticks import draw_ticks, ticks
from .words import AsJson, DagId, declaration

app = declaration()


@app.command("ls", epilog="ostinato dags\nostinato dags --json")
def ls(
    retired: Annotated[bool, typer.Option("--retired", help="also dags whose definition is gone")] = False,
    as_json: AsJson = False,
) -> None:
    """List the dags that are deployed, with their schedules and newest runs."""
    with present_state() as store:
        found = dags_document(store, retired=retired)
    if as_json:
        out_json(found)
        return
    if found.dags:
        _draw(found.dags)
    else:
        say("no dags are deployed")
    if found.problems:
        say()
        say(draw_problems(found.problems, Ink(sys.stderr)))
    next_step(f"ostinato trigger {found.dags[0].dag_id}" if found.dags else "ostinato dev FILE")


@app.command("pause", epilog="ostinato dags pause sales")
def pause(dag: DagId) -> None:
    """Pause a schedule: no new runs by the clock; what runs goes on, and triggers still work."""
    _set_paused(dag, paused=True)
    out(f"{dag} is paused")
    next_step(f"ostinato dags unpause {dag}")


@app.command("unpause", epilog="ostinato dags unpause sales\nostinato dags unpause sales --yes --json")
def unpause(
    dag: DagId,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask, whatever runs it makes")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a paused schedule go on, from where its catchup rule says.

    Shows which runs for the past it makes at once, and asks whether it may.
    """
    with present_state() as store:
        runs = owed(store, dag, SystemClock().now())
    agreed = yes or not runs.runs or _asked(runs)
    if agreed:
        _set_paused(dag, paused=False)
        runs.paused = False
    if as_json:
        out_json(runs)
        return
    out(f"{dag} is scheduled again; {told(runs)}" if agreed else f"{dag} stays as it was")
    next_step(f"ostinato why {dag}")


def _asked(runs: UnpauseDocument) -> bool:
    """Whether a person agrees to what would be made. Raises UsageError where there is nobody to ask."""
    if not sys.stdin.isatty():
        raise UsageError(f"unpausing {runs.dag_id} makes {told(runs)}", help="Say --yes if that is what you want.")
    return typer.confirm(f"{runs.dag_id}: {told(runs)}. Go on?", err=True)


@app.command("next", epilog="ostinato dags next sales\nostinato dags next sales -n 400 --zone UTC --from 2026-01-01")
def upcoming(
    dag: DagId,
    count: Annotated[int, typer.Option("-n", min=1, max=100_000, metavar="N", help="how many ticks")] = 10,
    zone: Annotated[
        str | None, typer.Option("--zone", metavar="ZONE", help="tell times in this zone (default: the schedule's)")
    ] = None,
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="from this date or time on (default: now)")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show when a schedule ticks next, what for, and what clock changes do to it."""
    with present_state() as store:
        document = ticks(store, dag, count, zone, begin, SystemClock().now())
    if as_json:
        out_json(document)
        return
    draw_ticks(document)


def _set_paused(dag_id: str, *, paused: bool) -> None:
    home = present_home()
    with state(home) as store:
        store.dag(dag_id)
        store.set_paused(dag_id, paused, SystemClock().now(), asker())
    hint(home)


def _draw(found: list[DagDocument]) -> None:
    ink = Ink(sys.stdout)
    rows = [
        (
            dag.dag_id,
            dag.schedule or "on request",
            ink("paused", "yellow") if dag.paused else "",
            str(dag.tasks),
            dag.deadline or "-",
            f"{dag.last_run.logical_date} {ink.state(dag.last_run.state)}" if dag.last_run else "-",
            local(dag.last_run.started_at) if dag.last_run else "-",
        )
        for dag in found
    ]
    header = ("DAG", "SCHEDULE", "", "TASKS", "DONE BY", "NEWEST RUN", "STARTED")
    out(table(header, rows, right=(3,), ink=ink))
