"""``ostinato tasks``: switch tasks of a dag off and on, without a change of its code."""

import sys
from typing import Annotated, get_args

import typer

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.model.change import SwitchedOff
from ostinato.model.errors import UsageError
from ostinato.view.documents.dags import SwitchedOffDocument, SwitchedOffTasksDocument

from .errors import did_you_mean
from .session import present_home, present_state, state
from .target import spec_of, task_named
from .terminal import Ink, next_step, out, out_json, say, table
from .words import AsJson, DagId, declaration

app = declaration()

TaskId = Annotated[str, typer.Argument(metavar="TASK", help="the task's id")]


@app.command("ls", epilog="ostinato tasks\nostinato tasks ls sales --json")
def ls(
    dag: Annotated[str | None, typer.Argument(metavar="DAG", help="only of this dag")] = None, as_json: AsJson = False
) -> None:
    """List the tasks that are switched off."""
    with present_state() as store:
        if dag is not None:
            store.dag(dag)
        found = [
            SwitchedOffDocument(dag_id=dag_id, task_id=task_id, ends_as=ends_as)
            for (dag_id, task_id), ends_as in sorted(store.switched_off().items())
            if dag in {None, dag_id}
        ]
    if as_json:
        out_json(SwitchedOffTasksDocument(tasks=found))
        return
    if not found:
        say("no task is switched off")
        return
    ink = Ink(sys.stdout)
    out(table(("DAG", "TASK", "ENDS AS"), [(t.dag_id, t.task_id, ink.state(t.ends_as)) for t in found], ink=ink))
    next_step(f"ostinato tasks on {found[0].dag_id} {found[0].task_id}")


@app.command("off", epilog="ostinato tasks off sales notify\nostinato tasks off sales notify --as skipped")
def off(
    dag: DagId,
    task: TaskId,
    ends_as: Annotated[
        str, typer.Option("--as", metavar="STATE", help="success: what comes after it goes on; skipped: it may not")
    ] = "success",
) -> None:
    """Switch a task off: whenever its turn comes, in any run, it ends at once without being run. What runs already goes on."""
    becomes = _becomes(ends_as)
    home = present_home()
    with state(home) as store:
        task_named(spec_of(store, dag), task)
        store.switch_off(dag, task, becomes, asker(), SystemClock().now())
    hint(home)
    out(f"{task} of {dag} is switched off and ends as {becomes}")
    next_step(f"ostinato tasks on {dag} {task}")


@app.command("on", epilog="ostinato tasks on sales notify")
def on(dag: DagId, task: TaskId) -> None:
    """Switch a task on again."""
    home = present_home()
    with state(home) as store:
        if not store.switch_on(dag, task, asker(), SystemClock().now()):
            task_named(spec_of(store, dag), task)
            out(f"{task} of {dag} was not switched off")
            return
    hint(home)
    out(f"{task} of {dag} is run again")
    next_step(f"ostinato trigger {dag}")


def _becomes(text: str) -> SwitchedOff:
    for known in get_args(SwitchedOff):
        if text == known:
            return known
    names = get_args(SwitchedOff)
    advice = did_you_mean(text, names) or f"Choose one of {', '.join(names)}."
    raise UsageError(f'--as: a task that is switched off cannot end as "{text}"', help=advice)
