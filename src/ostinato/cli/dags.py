"""``ostinato dags``: what is deployed; pausing and unpausing schedules."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.model.record import Dag

from .cancel import asker
from .documents import DagDocument, DagsDocument
from .problems import draw_problems
from .reading import problem_document, run_document, schedule_text, when
from .session import present_home, present_state, state
from .terminal import Ink, next_step, out, out_json, say, table
from .when import local
from .words import AsJson, DagId, declaration

if TYPE_CHECKING:
    from ostinato.store import Store

app = declaration()


@app.command("ls", epilog="ostinato dags\nostinato dags --json")
def ls(
    retired: Annotated[bool, typer.Option("--retired", help="also dags whose definition is gone")] = False,
    as_json: AsJson = False,
) -> None:
    """List the dags that are deployed, with their schedules and newest runs."""
    with present_state() as store:
        found = [_document(store, dag) for dag in store.dags(retired=retired)]
        problems = store.problems()
    if as_json:
        out_json(DagsDocument(dags=found, problems=[problem_document(problem) for problem in problems]))
        return
    if found:
        _draw(found)
    else:
        say("no dags are deployed")
    if problems:
        say()
        say(draw_problems(problems, Ink(sys.stderr)))
    next_step(f"ostinato trigger {found[0].dag_id}" if found else "ostinato dev FILE")


@app.command("pause", epilog="ostinato dags pause sales")
def pause(dag: DagId) -> None:
    """Pause a schedule: no new runs by the clock; what runs goes on, and triggers still work."""
    _set_paused(dag, paused=True)
    out(f"{dag} is paused")
    next_step(f"ostinato dags unpause {dag}")


@app.command("unpause", epilog="ostinato dags unpause sales")
def unpause(dag: DagId) -> None:
    """Let a paused schedule go on, from where its catchup rule says."""
    _set_paused(dag, paused=False)
    out(f"{dag} is scheduled again")
    next_step(f"ostinato why {dag}")


def _set_paused(dag_id: str, *, paused: bool) -> None:
    home = present_home()
    with state(home) as store:
        store.dag(dag_id)
        store.set_paused(dag_id, paused, SystemClock().now(), asker())
    hint(home)


def _document(store: "Store", dag: Dag) -> DagDocument:
    spec = store.compiled(dag.version).spec
    newest = store.runs(dag_id=dag.dag_id, limit=1)
    last = newest[0] if newest else None
    return DagDocument(
        dag_id=dag.dag_id,
        version=dag.version,
        file=dag.file,
        schedule=schedule_text(spec.schedule),
        paused=dag.paused,
        tasks=len(spec.tasks),
        deadline=f"{spec.deadline.at} {spec.deadline.tz}" if spec.deadline else None,
        scheduled_until=when(dag.scheduled_until),
        last_run=run_document(last, store.compiled(last.version).spec) if last else None,
    )


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
