"""The snapshots that explanations are read from. Whoever asks fills them; they need not be of one transaction."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ostinato.model.cause import Cause
from ostinato.model.record import UNMAPPED, Attempt, Backfill, Dag, Instance, LoggedEvent, Run, Task, instance_name
from ostinato.model.spec import DagSpec, TaskSpec
from ostinato.model.state import FINAL_TASK, TaskState
from ostinato.model.time import DataInterval, Instant

_NO_NEWS: Mapping[Instance, LoggedEvent] = {}
_NO_COUNTS: Mapping[str, int] = {}
_NO_NEEDS: Mapping[Instance, Sequence[tuple[str, DataInterval]]] = {}
_NO_RUNS: Mapping[Instance, Run] = {}


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

    ``spec`` is that of the run's version. ``tasks`` are the rows there are, ``news`` the newest line of history of each;
    ``attempts`` those of the run, each instance's oldest first. ``pools`` has every pool that tasks of the run use; one
    that is not there has no slots. ``running_runs`` counts the running runs that the run is counted with: those of its
    ``backfill``, or those of its dag that are of none. ``live`` counts live attempts of the dag by task id.
    ``unmet`` are the stretches of time that are needed and not there, by dag; ``children`` the runs that were called for;
    ``overlapped_by`` the run that a cancelled one gave way to.
    ``scheduler`` and ``agent``: one works on this state folder.
    """

    now: Instant
    scheduler: bool
    agent: bool
    spec: DagSpec
    run: Run
    tasks: Mapping[Instance, Task]
    attempts: Sequence[Attempt]
    pools: Mapping[str, PoolRoom]
    running_runs: int
    news: Mapping[Instance, LoggedEvent] = _NO_NEWS
    backfill: Backfill | None = None
    live: Mapping[str, int] = _NO_COUNTS
    unmet: Mapping[Instance, Sequence[tuple[str, DataInterval]]] = _NO_NEEDS
    children: Mapping[Instance, Run] = _NO_RUNS
    overlapped_by: int | None = None

    def state(self, instance: Instance) -> TaskState:
        """A task instance's state; NONE before its first move."""
        task = self.tasks.get(instance)
        return TaskState.NONE if task is None else task.state

    def task(self, instance: Instance) -> TaskSpec:
        """The definition of its task."""
        return self.spec.tasks[instance[0]]

    def name(self, instance: Instance) -> str:
        """What people call it."""
        return instance_name(self.spec, *instance)

    def cause(self, instance: Instance) -> Cause | None:
        """What moved it last."""
        event = self.news.get(instance)
        return None if event is None else event.cause

    def fact(self, instance: Instance, name: str) -> object:
        """A fact of its last move."""
        event = self.news.get(instance)
        return None if event is None else (event.facts or {}).get(name)

    def tries(self, instance: Instance) -> list[Attempt]:
        """Its attempts, oldest first."""
        return [attempt for attempt in self.attempts if (attempt.task_no, attempt.map_index) == instance]

    def upstream(self, instance: Instance) -> list[Instance]:
        """What it waits for. A task in a scope, as a whole, waits for what its scope waits for."""
        task_no, map_index = instance
        task = self.spec.tasks[task_no]
        if task.scope is not None and map_index == UNMAPPED:
            return [(no, UNMAPPED) for no in self.spec.scopes[task.scope].upstream]
        return [(no, map_index) for no in task.upstream]

    def upstream_in(self, instance: Instance, states: frozenset[TaskState]) -> list[Instance]:
        """What it waits for and is in one of these states."""
        return [upstream for upstream in self.upstream(instance) if self.state(upstream) in states]

    def open_upstream(self, instance: Instance) -> list[Instance]:
        """What it waits for that has not ended."""
        return self.upstream_in(instance, _OPEN)

    def instances(self, task_no: int) -> list[Instance]:
        """The instances of a task in a scope of which anything is known."""
        return sorted(each for each in self.tasks if each[0] == task_no and each[1] != UNMAPPED)

    def is_whole(self, instance: Instance) -> bool:
        """Whether it stands for all instances of a task in a scope."""
        return instance[1] == UNMAPPED and self.task(instance).scope is not None


_OPEN = frozenset(TaskState) - FINAL_TASK
