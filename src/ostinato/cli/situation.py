"""The snapshot that `why` explains a run from."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ostinato.control.need_history import NeedHistory
from ostinato.decide.need import is_met, window
from ostinato.decide.situation import PoolRoom, RunSituation
from ostinato.model.cause import Cause
from ostinato.model.errors import NotFound
from ostinato.model.record import UNMAPPED, Backfill, Instance, LoggedEvent, Run, Task
from ostinato.model.spec import DagSpec
from ostinato.model.state import FINAL_RUN, RunState, TaskState
from ostinato.model.time import DataInterval

from .reading import Specs, pool_use

if TYPE_CHECKING:
    from ostinato.model.time import Instant
    from ostinato.store import Store

_COUNTED_RUNS: Final = 10_000
_BATCH: Final = 10_000


def run_situation(store: "Store", run: Run, now: "Instant", *, scheduler: bool, agent: bool) -> RunSituation:
    """All that can keep a run, or a task of it, waiting. ``scheduler`` and ``agent``: one works on this state."""
    spec = store.compiled(run.version).spec
    tasks = {(task.task_no, task.map_index): task for task in store.tasks(run.run_id)}
    news: dict[Instance, LoggedEvent] = {}
    overlapped_by: object = None
    for event in _story(store, run):
        if event.task_no is not None:
            news[event.task_no, event.map_index] = event
        elif event.cause is Cause.OVERLAPPED:
            overlapped_by = (event.facts or {}).get("run")
    backfill = None if run.backfill_id is None else store.backfill(run.backfill_id)
    return RunSituation(
        now=now,
        scheduler=scheduler,
        agent=agent,
        spec=spec,
        run=run,
        tasks=tasks,
        attempts=store.attempts(run.run_id),
        pools={name: PoolRoom(slots, used) for name, slots, used in pool_use(store)},
        running_runs=_running(store, run, backfill),
        news=news,
        backfill=backfill,
        live=_live(store, run.dag_id),
        unmet={} if run.state in FINAL_RUN else _unmet(store, spec, run, tasks),
        children=dict(_children(store, spec, tasks, news)),
        overlapped_by=overlapped_by if isinstance(overlapped_by, int) else None,
    )


def _story(store: "Store", run: Run) -> Iterator[LoggedEvent]:
    seq = -1
    while events := store.events(run.run_id, seq, _BATCH):
        yield from events
        seq = events[-1].seq


def _running(store: "Store", run: Run, backfill: Backfill | None) -> int:
    """How many running runs a run is counted with."""
    if backfill is not None:
        return (backfill.runs or {}).get(RunState.RUNNING, 0)
    running = store.runs(dag_id=run.dag_id, states=[RunState.RUNNING], limit=_COUNTED_RUNS)
    return sum(each.backfill_id is None for each in running)


def _live(store: "Store", dag_id: str) -> dict[str, int]:
    """How many attempts of a dag are going, by task id."""
    specs, found = Specs(store), dict[str, int]()
    for each in store.open_work():
        if each.run.dag_id == dag_id:
            for attempt in each.live:
                task_id = specs.of(each.run.version).tasks[attempt.task_no].task_id
                found[task_id] = found.get(task_id, 0) + 1
    return found


def _unmet(
    store: "Store", spec: DagSpec, run: Run, tasks: Mapping[Instance, Task]
) -> dict[Instance, list[tuple[str, DataInterval]]]:
    """What the tasks of a run that have not begun need of other intervals, and is not there."""
    history = NeedHistory(store, store.compiled)
    found: dict[Instance, list[tuple[str, DataInterval]]] = {}
    for task_no, task in enumerate(spec.tasks):
        if (task_no, UNMAPPED) in tasks:
            continue
        for need in task.needs:
            dag_id = need.dag_id or run.dag_id
            try:
                if not is_met(need, run, history):
                    asked = window(need, run.interval, history.schedule(dag_id))
                    found.setdefault((task_no, UNMAPPED), []).append((dag_id, asked))
            except NotFound:
                found.setdefault((task_no, UNMAPPED), []).append((dag_id, run.interval))
    return found


def _children(
    store: "Store", spec: DagSpec, tasks: Mapping[Instance, Task], news: Mapping[Instance, LoggedEvent]
) -> Iterator[tuple[Instance, Run]]:
    """The runs that tasks have called for and wait for."""
    for instance, row in tasks.items():
        event = news.get(instance)
        if row.state is TaskState.DEFERRED and spec.tasks[instance[0]].kind == "call" and event is not None:
            facts = event.facts or {}
            child = store.find_run(str(facts.get("dag")), str(facts.get("run_key")))
            if child is not None:
                yield instance, child
