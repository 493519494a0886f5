"""The lists that everybody asks for: dags, runs, pools, alerts."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from ostinato.model.record import Dag
from ostinato.model.state import RunState

from .documents.dags import DagDocument, DagsDocument
from .documents.runs import AlertsDocument, RunsDocument
from .documents.state import PoolDocument, PoolsDocument
from .reading import Specs, alert_document, pool_use, problem_document, run_document, schedule_text, when

if TYPE_CHECKING:
    from ostinato.store import Store


def dags_document(store: "Store", *, retired: bool) -> DagsDocument:
    """The dags that are deployed, with what is wrong in their files."""
    specs = Specs(store)
    return DagsDocument(
        dags=[_dag(store, specs, dag) for dag in store.dags(retired=retired)],
        problems=[problem_document(problem) for problem in store.problems()],
    )


def _dag(store: "Store", specs: Specs, dag: Dag) -> DagDocument:
    spec = specs.of(dag.version)
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
        last_run=run_document(last, specs.of(last.version)) if last else None,
    )


def runs_document(
    store: "Store",
    dag_id: str | None,
    states: Collection[RunState] | None,
    backfill_id: int | None,
    limit: int,
    before: int | None,
) -> RunsDocument:
    """The newest runs that fit, newest first; ``more`` says where to go on. Raises NotFound for a dag."""
    found = store.runs(dag_id=dag_id, states=states, backfill_id=backfill_id, limit=limit + 1, before=before)
    specs = Specs(store)
    shown = [run_document(run, specs.of(run.version)) for run in found[:limit]]
    return RunsDocument(runs=shown, more=shown[-1].run_id if len(found) > limit else None)


def pools_document(store: "Store") -> PoolsDocument:
    """The pools, with the slots that are taken now."""
    return PoolsDocument(
        pools=[PoolDocument(name=name, slots=slots, used=used) for name, slots, used in pool_use(store)]
    )


def alerts_document(store: "Store", limit: int) -> AlertsDocument:
    """The newest alerts, newest first."""
    return AlertsDocument(alerts=[alert_document(alert) for alert in store.alerts(limit=limit)])
