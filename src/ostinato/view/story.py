"""One run from all sides."""

from typing import TYPE_CHECKING, Final

from ostinato.decide.alarm import key_of
from ostinato.model.record import Outgoing, Run

from .documents.runs import EventDocument, EventsDocument, ShowDocument
from .reading import alert_document, event_document, rejected_document, run_document, task_documents

if TYPE_CHECKING:
    from ostinato.store import Store

EVENTS_AT_MOST: Final = 100_000


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
        events=events_of(store, run, -1, EVENTS_AT_MOST) if events else None,
    )


def events_of(store: "Store", run: Run, after: int, limit: int) -> list[EventDocument]:
    """A run's story after the line numbered ``after``, oldest first."""
    spec = store.compiled(run.version).spec
    return [event_document(event, spec) for event in store.events(run.run_id, after, limit)]


def events_document(store: "Store", run: Run, after: int, limit: int) -> EventsDocument:
    """A page of a run's story; ``more`` says where to go on."""
    found = events_of(store, run, after, limit + 1)
    shown = found[:limit]
    return EventsDocument(events=shown, more=shown[-1].seq if len(found) > limit else None)


def _concerns(alert: Outgoing, run: Run) -> bool:
    """Whether an alert is about this run, or about its interval having gone without one."""
    about = alert.details.get("run")
    return about == run.run_id or (about is None and alert.dedup_key.startswith(key_of(run.dag_id, run.interval.start)))
