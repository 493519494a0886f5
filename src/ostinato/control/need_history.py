"""What is known of the intervals that tasks need: runs of a dag, and how a task of them ended."""

from collections.abc import Callable
from typing import Protocol

from msgspec import structs

from ostinato.model.errors import NotFound
from ostinato.model.record import UNMAPPED, Dag, Run, Task
from ostinato.model.spec import CompiledDag, Schedule
from ostinato.model.state import FINAL_RUN, RunState, TaskState
from ostinato.model.time import DataInterval, Instant

_THERE = frozenset({TaskState.SUCCESS, TaskState.SKIPPED})


class Past(Protocol):
    """What is known of dags and their runs; see `Store`."""

    def dag(self, dag_id: str) -> Dag:
        """One dag. Raises NotFound."""
        ...

    def first_interval(self, dag_id: str) -> Instant | None:
        """When the earliest interval begins that a dag has a run for. Raises NotFound."""
        ...

    def runs_over(self, dag_id: str, first: Instant, before: Instant) -> list[Run]:
        """The runs of a dag whose data interval has a part in ``[first, before)``, oldest run first. Raises NotFound."""
        ...

    def tasks(self, run_id: int) -> list[Task]:
        """The task instances of a run that have moved."""
        ...


class NeedHistory:
    """See `decide.need.History`. ``compiled`` gives a dag version."""

    def __init__(self, past: Past, compiled: Callable[[str], CompiledDag]) -> None:
        self._past = past
        self._compiled = compiled

    def schedule(self, dag_id: str) -> Schedule | None:
        """The schedule of a dag as deployed. Raises NotFound."""
        return self._compiled(self._past.dag(dag_id).version).spec.schedule

    def first_interval(self, dag_id: str) -> Instant | None:
        """When the earliest interval begins that a dag has a run for; None: it has none."""
        return self._past.first_interval(dag_id)

    def runs(self, dag_id: str, window: DataInterval, task_id: str | None) -> list[Run]:
        """The runs of a dag over a stretch of time. If a task is named, each is in the state that this task is in."""
        try:
            runs = self._past.runs_over(dag_id, window.start, window.end)
        except NotFound:
            return []
        return runs if task_id is None else [self._as_its_task(run, task_id) for run in runs]

    def _as_its_task(self, run: Run, task_id: str) -> Run:
        """The run as if the task were all of it.

        One that has not begun, that has no such task, or whose history is forgotten stands for itself.
        """
        numbers = [no for no, task in enumerate(self._compiled(run.version).spec.tasks) if task.task_id == task_id]
        if not numbers or run.started_at is None:
            return run
        tasks = self._past.tasks(run.run_id)
        if not tasks:
            return run
        states = {task.state for task in tasks if task.task_no == numbers[0] and task.map_index == UNMAPPED}
        if states & _THERE:
            return structs.replace(run, state=RunState.SUCCESS)
        return structs.replace(run, state=RunState.FAILED) if run.state in FINAL_RUN else run
