"""The snapshot that `why` explains a run from."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ostinato.authoring.fill import awaited_file
from ostinato.control.need_history import NeedHistory
from ostinato.decide.need import is_met, window
from ostinato.decide.shape import Shape
from ostinato.decide.situation import PoolRoom, RunSituation
from ostinato.model.cause import Cause
from ostinato.model.errors import NotFound
from ostinato.model.record import UNMAPPED, Backfill, Instance, LoggedEvent, Run, Task
from ostinato.model.spec import CompiledDag, DagSpec
from ostinato.model.state import FINAL_RUN, FINAL_TASK, RunState, TaskState
from ostinato.model.time import DataInterval
from ostinato.view.reading import Specs, pool_use

if TYPE_CHECKING:
    from ostinato.model.time import Instant
    from ostinato.store import Store

_COUNTED_RUNS: Final = 10_000
_BATCH: Final = 10_000


def run_situation(store: "Store", run: Run, now: "Instant", *, scheduler: bool, agent: bool) -> RunSituation:
    """All that can keep a run, or a task of it, waiting. ``scheduler`` and ``agent``: one works on this state."""
    compiled = store.compiled(run.version)
    shape = Shape(compiled)
    tasks = {(task.task_no, task.map_index): task for task in store.tasks(run.run_id)}
    news: dict[Instance, LoggedEvent] = {}
    refusals: dict[str, LoggedEvent] = {}
    overlapped_by: object = None
    for event in _story(store, run):
        if event.task_no is not None and event.was != event.becomes:
            news[event.task_no, event.map_index] = event
        if event.cause is Cause.OVERLAPPED:
            overlapped_by = (event.facts or {}).get("run")
        if event.cause is Cause.DECISION_REFUSED:
            refusals[str((event.facts or {}).get("task"))] = event
    backfill = None if run.backfill_id is None else store.backfill(run.backfill_id)
    return RunSituation(
        now=now,
        scheduler=scheduler,
        agent=agent,
        shape=shape,
        run=run,
        tasks=tasks,
        attempts=store.attempts(run.run_id),
        pools={name: PoolRoom(slots, used) for name, slots, used in pool_use(store)},
        running_runs=_running(store, run, backfill),
        news=news,
        backfill=backfill,
        live=_live(store, run.dag_id),
        unmet={} if run.state in FINAL_RUN else _unmet(store, shape.spec, run, tasks),
        children=dict(_children(store, shape.spec, tasks, news)),
        items=store.open_run(run.run_id).items if shape.scopes else {},
        overlapped_by=overlapped_by if isinstance(overlapped_by, int) else None,
        decisions={(it.task_no, it.map_index): it for it in store.interventions() if it.run_id == run.run_id},
        refusals=refusals,
        files=_files(compiled, run),
    )


def _files(compiled: CompiledDag, run: Run) -> dict[int, str]:
    """The files that sensors of a run wait for."""
    sensors = [no for no, task in enumerate(compiled.spec.tasks) if task.kind == "file_sensor"]
    return {no: str(awaited_file(compiled, run, no)) for no in sensors}


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
) -> dict[int, list[tuple[str, DataInterval]]]:
    """What the tasks of a run that may yet begin need of other intervals, and is not there."""
    history = NeedHistory(store, store.compiled)
    found: dict[int, list[tuple[str, DataInterval]]] = {}
    for task_no, task in enumerate(spec.tasks):
        row = tasks.get((task_no, UNMAPPED))
        if row is not None and (task.scope is None or row.state in FINAL_TASK):
            continue
        for need in task.needs:
            dag_id = need.dag_id or run.dag_id
            try:
                asked = window(need, run.interval, history.schedule(dag_id))
                if asked is not None and not is_met(need, run, history):
                    found.setdefault(task_no, []).append((dag_id, asked))
            except NotFound:
                found.setdefault(task_no, []).append((dag_id, run.interval))
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
