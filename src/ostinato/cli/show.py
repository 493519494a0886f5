"""``ostinato show``: one run from all sides."""

from typing import TYPE_CHECKING, Annotated

import typer

from ostinato.decide.alarm import key_of
from ostinato.model.record import Outgoing, Run

from .documents import EventDocument, ShowDocument
from .reading import alert_document, event_document, rejected_document, run_document, task_documents
from .session import present_state
from .target import run_named
from .terminal import out_json
from .words import AsJson, RunName, declaration

if TYPE_CHECKING:
    from ostinato.store import Store

app = declaration()

EVENTS_AT_MOST = 100_000


@app.command(epilog="ostinato show 12\nostinato show sales@2025-05-01 --events\nostinato show sales   (its newest run)")
def show(
    run: RunName,
    events: Annotated[bool, typer.Option("--events", help="also its story: every move and its cause")] = False,
    all_tasks: Annotated[bool, typer.Option("--all", help="every task, however many there are")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one run: its tasks with their tries and times, what failed and why, rejected rows, alerts."""
    with present_state() as store:
        document = story_of(store, run_named(store, run, newest=True), events=events)
    if as_json:
        out_json(document)
        return
    from .portrait import draw  # noqa: PLC0415 - a machine does not need the picture

    draw(document, every_task=all_tasks)


def story_of(store: "Store", run: Run, *, events: bool) -> ShowDocument:
    """All that is known of a run."""
    spec = store.compiled(run.version).spec
    return ShowDocument(
        run=run_document(run, spec),
        pruned=store.is_pruned(run.run_id),
        tasks=task_documents(spec, store.tasks(run.run_id), store.attempts(run.run_id)),
        rejected=[
            rejected_document(rejected, spec.tasks[rejected.task_no].task_id)
            for rejected in store.rejected(run_id=run.run_id, limit=1_000)
        ],
        alerts=[alert_document(alert) for alert in store.alerts(limit=1_000) if _concerns(alert, run)],
        events=_events(store, run) if events else None,
    )


def _concerns(alert: Outgoing, run: Run) -> bool:
    """Whether an alert is about this run, or about its interval having gone without one."""
    about = alert.details.get("run")
    return about == run.run_id or (about is None and alert.dedup_key.startswith(key_of(run.dag_id, run.interval.start)))


def _events(store: "Store", run: Run) -> list[EventDocument]:
    spec = store.compiled(run.version).spec
    return [event_document(event, spec) for event in store.events(run.run_id, limit=EVENTS_AT_MOST)]
