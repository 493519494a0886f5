"""What can be read over HTTP: each path, what may be asked of it, and the document that answers."""

from collections.abc import Callable
from typing import Annotated, Any, Final, NamedTuple

from msgspec import Meta, Struct

from ostinato.model.state import RunState
from ostinato.store import Store
from ostinato.view.documents.dags import DagsDocument
from ostinato.view.documents.runs import AlertsDocument, EventsDocument, RunsDocument, ShowDocument
from ostinato.view.documents.state import PoolsDocument
from ostinato.view.listing import alerts_document, dags_document, pools_document, runs_document
from ostinato.view.story import events_document, story_of

Id = Annotated[int, Meta(ge=1, le=2**53)]
Page = Annotated[int, Meta(ge=1, le=1_000, description="at most so many")]


class DagsQuery(Struct, forbid_unknown_fields=True):
    """Of dags."""

    retired: Annotated[bool, Meta(description="also dags whose definition is gone")] = False


class RunsQuery(Struct, forbid_unknown_fields=True):
    """Of runs."""

    dag: Annotated[str | None, Meta(description="only runs of this dag")] = None
    state: Annotated[list[RunState], Meta(description="only runs in this state; may be given several times")] = []
    backfill: Annotated[Id | None, Meta(description="only runs of this backfill")] = None
    limit: Page = 30
    before: Annotated[Id | None, Meta(description="only runs older than this one")] = None


class RunQuery(Struct, forbid_unknown_fields=True):
    """Of one run."""

    run_id: Id


class EventsQuery(Struct, forbid_unknown_fields=True):
    """Of a run's story."""

    run_id: Id
    after: Annotated[int, Meta(ge=-1, le=2**53, description="only lines after the one with this `seq`")] = -1
    limit: Page = 1_000


class AlertsQuery(Struct, forbid_unknown_fields=True):
    """Of alerts."""

    limit: Page = 50


class NoQuery(Struct, forbid_unknown_fields=True):
    """Where there is nothing to choose."""


class Read(NamedTuple):
    """One path: ``query`` are the words of path and query string, ``find`` makes the ``answer`` to them."""

    path: str
    about: str
    query: type[Struct]
    answer: type[Struct]
    find: Callable[[Store, Any], Struct]


def _dags(store: Store, query: DagsQuery) -> DagsDocument:
    return dags_document(store, retired=query.retired)


def _pools(store: Store, _: NoQuery) -> PoolsDocument:
    return pools_document(store)


def _alerts(store: Store, query: AlertsQuery) -> AlertsDocument:
    return alerts_document(store, query.limit)


def _runs(store: Store, query: RunsQuery) -> RunsDocument:
    return runs_document(store, query.dag, query.state or None, query.backfill, query.limit, query.before)


def _run(store: Store, query: RunQuery) -> ShowDocument:
    return story_of(store, store.run(query.run_id), events=False)


def _events(store: Store, query: EventsQuery) -> EventsDocument:
    return events_document(store, store.run(query.run_id), query.after, query.limit)


READS: Final = (
    Read(
        "/api/v1/dags",
        "the dags that are deployed, and what is wrong in their files",
        DagsQuery,
        DagsDocument,
        _dags,
    ),
    Read("/api/v1/runs", "runs, newest first", RunsQuery, RunsDocument, _runs),
    Read("/api/v1/runs/{run_id}", "one run: its tasks, tries, rejected rows and alerts", RunQuery, ShowDocument, _run),
    Read("/api/v1/runs/{run_id}/events", "a run's story, line by line", EventsQuery, EventsDocument, _events),
    Read(
        "/api/v1/pools",
        "the pools, with the slots that are taken now",
        NoQuery,
        PoolsDocument,
        _pools,
    ),
    Read(
        "/api/v1/alerts",
        "alerts, newest first",
        AlertsQuery,
        AlertsDocument,
        _alerts,
    ),
)
