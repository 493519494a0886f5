"""The snapshots that explanations are read from. Whoever asks fills them; they need not be of one transaction."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ostinato.model.record import Attempt, Dag, Run, Task
from ostinato.model.spec import DagSpec
from ostinato.model.state import FINAL_TASK, TaskState
from ostinato.model.time import Instant


class PoolRoom(Struct, frozen=True):
    """A pool's size, and how many of its slots live attempts occupy."""

    slots: int
    used: int


class DagSituation(Struct, frozen=True):
    """A dag as deployed. ``scheduler``: one works on this state folder."""

    now: Instant
    scheduler: bool
    dag: Dag
    spec: DagSpec


class RunSituation(Struct, frozen=True):
    """A run with all that can keep it or a task of it waiting.

    ``spec`` is that of the run's version. ``tasks`` are the rows there are, by task number; ``attempts`` those of the
    run, each task's oldest first. ``pools`` has every pool that tasks of the run use; one that is not there has no slots.
    ``running_runs`` counts the dag's running runs. ``scheduler`` and ``agent``: one works on this state folder.
    """

    now: Instant
    scheduler: bool
    agent: bool
    spec: DagSpec
    run: Run
    tasks: Mapping[int, Task]
    attempts: Sequence[Attempt]
    pools: Mapping[str, PoolRoom]
    running_runs: int

    def state(self, task_no: int) -> TaskState:
        """A task's state; NONE before its first move."""
        task = self.tasks.get(task_no)
        return TaskState.NONE if task is None else task.state

    def tries(self, task_no: int) -> list[Attempt]:
        """A task's attempts, oldest first."""
        return [attempt for attempt in self.attempts if attempt.task_no == task_no]

    def upstream(self, task_no: int, states: frozenset[TaskState]) -> list[int]:
        """The upstreams of a task that are in one of these states."""
        return [upstream for upstream in self.spec.tasks[task_no].upstream if self.state(upstream) in states]

    def open_upstream(self, task_no: int) -> list[int]:
        """The upstreams of a task that have not ended."""
        return self.upstream(task_no, _OPEN)


_OPEN = frozenset(TaskState) - FINAL_TASK
