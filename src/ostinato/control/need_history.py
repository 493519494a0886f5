"""What the store knows of the intervals that tasks need: runs of a dag, and how a task of them ended."""

from collections.abc import Callable

from msgspec import structs

from ostinato.model.errors import NotFound
from ostinato.model.record import UNMAPPED, Run
from ostinato.model.spec import CompiledDag, Schedule
from ostinato.model.state import FINAL_RUN, RunState, TaskState
from ostinato.model.time import DataInterval, Instant
from ostinato.store import Store

_THERE = frozenset({TaskState.SUCCESS, TaskState.SKIPPED})


class NeedHistory:
    """See `decide.need.History`. ``compiled`` gives a dag version."""

    def __init__(self, store: Store, compiled: Callable[[str], CompiledDag]) -> None:
        self._store = store
        self._compiled = compiled

    def schedule(self, dag_id: str) -> Schedule | None:
        """The schedule of a dag as deployed. Raises NotFound."""
        return self._compiled(self._store.dag(dag_id).version).spec.schedule

    def first_interval(self, dag_id: str) -> Instant | None:
        """When the earliest interval begins that a dag has a run for; None: it has none."""
        return self._store.first_interval(dag_id)

    def runs(self, dag_id: str, window: DataInterval, task_id: str | None) -> list[Run]:
        """The runs of a dag over a stretch of time. If a task is named, each is in the state that this task is in."""
        try:
            runs = self._store.runs_over(dag_id, window.start, window.end)
        except NotFound:
            return []
        return runs if task_id is None else [self._as_its_task(run, task_id) for run in runs]

    def _as_its_task(self, run: Run, task_id: str) -> Run:
        """The run as if the task were all of it. One that has not begun, or has no such task, stands for itself."""
        numbers = [no for no, task in enumerate(self._compiled(run.version).spec.tasks) if task.task_id == task_id]
        if not numbers or run.started_at is None:
            return run
        states = {
            task.state
            for task in self._store.tasks(run.run_id)
            if task.task_no == numbers[0] and task.map_index == UNMAPPED
        }
        if states & _THERE:
            return structs.replace(run, state=RunState.SUCCESS)
        return structs.replace(run, state=RunState.FAILED) if run.state in FINAL_RUN else run
