"""Which runs a schedule that goes on again makes at once."""

from typing import TYPE_CHECKING, Final

from ostinato.model.spec import After, DagSpec
from ostinato.model.time import DataInterval, Instant
from ostinato.view.documents.dags import UnpauseDocument
from ostinato.view.when import logical_date

from .target import spec_of

if TYPE_CHECKING:
    from ostinato.store import Store

_MOST: Final = 10_000


def owed(store: "Store", dag_id: str, now: Instant) -> UnpauseDocument:
    """What unpausing a dag makes at once. An interval that has a run already gets no other. Raises NotFound."""
    dag, spec = store.dag(dag_id), spec_of(store, dag_id)
    intervals = _owed(store, spec, dag.scheduled_until, now) if dag.paused else []
    there = store.latest_by_interval(dag_id, intervals[0].start, intervals[-1].start + 1) if intervals else {}
    new = [interval for interval in intervals if interval.start not in there]
    return UnpauseDocument(
        dag_id=dag_id,
        paused=dag.paused,
        runs=len(new),
        more=len(intervals) == _MOST,
        first=logical_date(new[0], spec.schedule) if new else None,
        last=logical_date(new[-1], spec.schedule) if new else None,
    )


def told(document: UnpauseDocument) -> str:
    """What would be made, in words."""
    if not document.runs:
        return "no run of the past is owed"
    many = f"{document.runs:,}{' or more' * document.more} run{'s' * (document.runs != 1)}"
    span = document.first if document.first == document.last else f"{document.first} to {document.last}"
    return f"{many} for {span}"


def _owed(store: "Store", spec: DagSpec, until: Instant | None, now: Instant) -> list[DataInterval]:
    from ostinato.decide import after  # noqa: PLC0415 - loads timetables
    from ostinato.decide.timetable import begin, due  # noqa: PLC0415

    if spec.schedule is None:
        return []
    since = begin(spec, now) if until is None else until
    if isinstance(spec.schedule, After):
        return after.owed(spec, spec.schedule, since, now, store)[:_MOST]
    return due(spec, since, now, _MOST)[0]
