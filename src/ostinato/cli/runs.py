"""``ostinato runs``: the runs there are, newest first."""

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from ostinato.model.errors import UsageError
from ostinato.model.state import RunState
from ostinato.view.documents.runs import RunDocument
from ostinato.view.listing import runs_document
from ostinato.view.when import duration, local, local_zone

from .errors import did_you_mean
from .session import present_state
from .terminal import Ink, next_step, out, out_json, say, table
from .words import AsJson, declaration

app = declaration()


@app.command(epilog="ostinato runs\nostinato runs sales --state failed\nostinato runs --backfill 3 --limit 400 --json")
def runs(
    dag: Annotated[str | None, typer.Argument(metavar="DAG", help="only runs of this dag")] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(metavar="STATE", help="only runs in this state (queued, running, success, failed, cancelled)"),
    ] = None,
    backfill: Annotated[int | None, typer.Option(metavar="ID", help="only runs of this backfill")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, metavar="N", help="at most so many")] = 30,
    before: Annotated[int | None, typer.Option(metavar="RUN", help="only runs older than this one")] = None,
    as_json: AsJson = False,
) -> None:
    """List runs, newest first."""
    wanted = [_state(text) for text in state or []]
    with present_state() as store:
        found = runs_document(store, dag, wanted or None, backfill, limit, before)
    if as_json:
        out_json(found)
        return
    _draw(found.runs)
    if found.more is not None:
        say(f"{limit} are shown; the next: --before {found.more}")
    if found.runs:
        next_step(f"ostinato show {found.runs[0].run_id}")


def _state(text: str) -> RunState:
    try:
        return RunState(text)
    except ValueError as error:
        names = list(map(str, RunState))
        advice = did_you_mean(text, names) or f"States are {', '.join(names)}."
        raise UsageError(f'--state: there is no state "{text}"', help=advice) from error


def _draw(found: Sequence[RunDocument]) -> None:
    if not found:
        say("no runs match")
        return
    ink = Ink(sys.stdout)
    header = ("RUN", "DAG", "LOGICAL DATE", "KIND", "STATE", f"STARTED ({local_zone(found[0].created_at)})", "TOOK")
    rows = [
        (
            str(run.run_id),
            run.dag_id,
            run.logical_date,
            run.kind if run.backfill_id is None else f"backfill {run.backfill_id}",
            ink.state(run.state),
            local(run.started_at),
            duration(run.duration_ms),
        )
        for run in found
    ]
    out(table(header, rows, right=(0, 6), ink=ink))
