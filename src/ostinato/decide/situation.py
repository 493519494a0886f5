"""The snapshots that explanations are read from. Whoever asks fills them; they need not be of one transaction."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from ostinato.model.cause import Cause
from ostinato.model.record import (
    UNMAPPED,
    Attempt,
    Backfill,
    Dag,
    Instance,
    Intervention,
    LoggedEvent,
    Run,
    Task,
    instance_name,
)
from ostinato.model.spec import DagSpec, Scope, TaskSpec, zone_of
from ostinato.model.state import FINAL_TASK, TaskState
from ostinato.model.time import DataInterval, Instant

from .after import Waiting
from .rule import Count, verdict
from .shape import Shape
from .zone import wall

_NO_NEWS: Mapping[Instance, LoggedEvent] = {}
_NO_COUNTS: Mapping[str, int] = {}
_NO_NEEDS: Mapping[int, Sequence[tuple[str, DataInterval]]] = {}
_NO_ITEMS: Mapping[int, int] = {}
_NO_RUNS: Mapping[Instance, Run] = {}
_NO_DECISIONS: Mapping[Instance, Intervention] = {}
_NO_REFUSALS: Mapping[str, LoggedEvent] = {}
_NO_FILES: Mapping[int, str] = {}


class PoolRoom(Struct, frozen=True):
    """A pool's size, and how many of its slots live attempts occupy."""

    slots: int
    used: int


class DagSituation(Struct, frozen=True):
    """A dag as deployed. ``scheduler``: one works on this state folder.

    ``waiting`` is what the next run of a dag that runs after others waits for.
    """

    now: Instant
    scheduler: bool
    dag: Dag
    spec: DagSpec
    waiting: Waiting | None = None

    def at(self, instant: Instant) -> str:
        """An instant as the clock of its schedule shows it."""
        return _shown(self.spec, instant)


class RunSituation(Struct, frozen=True):
    """A run with all that can keep it or a task of it waiting.

    ``shape`` is that of the run's version. ``tasks`` are the rows there are, ``news`` the newest move of each;
    ``attempts`` those of the run, each instance's oldest first. ``pools`` has every pool that tasks of the run use; one
    that is not there has no slots. ``running_runs`` counts the running runs that the run is counted with: those of its
    ``backfill``, or those of its dag that are of none. ``live`` counts live attempts of the dag by task id.
    ``unmet`` are the stretches of time that a task, by its number, needs of a dag and that are not there; ``children`` the
    runs that were called for; ``items`` how many instances each scope has that has unfolded; ``overlapped_by`` the run that
    a cancelled one gave way to. ``decisions`` are what somebody decided and the scheduler has not taken in, ``refusals``
    the newest that had no effect, by the name of what it was about; ``files`` are what file sensors wait for, by number.
    ``scheduler`` and ``agent``: one works on this state folder.
    """

    now: Instant
    scheduler: bool
    agent: bool
    shape: Shape
    run: Run
    tasks: Mapping[Instance, Task]
    attempts: Sequence[Attempt]
    pools: Mapping[str, PoolRoom]
    running_runs: int
    news: Mapping[Instance, LoggedEvent] = _NO_NEWS
    backfill: Backfill | None = None
    live: Mapping[str, int] = _NO_COUNTS
    unmet: Mapping[int, Sequence[tuple[str, DataInterval]]] = _NO_NEEDS
    children: Mapping[Instance, Run] = _NO_RUNS
    items: Mapping[int, int] = _NO_ITEMS
    overlapped_by: int | None = None
    decisions: Mapping[Instance, Intervention] = _NO_DECISIONS
    refusals: Mapping[str, LoggedEvent] = _NO_REFUSALS
    files: Mapping[int, str] = _NO_FILES

    @property
    def spec(self) -> DagSpec:
        """The definition of its dag."""
        return self.shape.spec

    def at(self, instant: Instant) -> str:
        """An instant as the clock of its dag's schedule shows it."""
        return _shown(self.spec, instant)

    def state(self, instance: Instance) -> TaskState:
        """A task instance's state; NONE before its first move."""
        task = self.tasks.get(instance)
        return TaskState.NONE if task is None else task.state

    def task(self, instance: Instance) -> TaskSpec:
        """The definition of its task."""
        return self.spec.tasks[instance[0]]

    def scope(self, instance: Instance) -> Scope | None:
        """The definition of the scope that its task is in."""
        scope_no = self.task(instance).scope
        return None if scope_no is None else self.spec.scopes[scope_no]

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
        """What it waits for that has not ended; nothing, if it may begin whatever that comes to."""
        task_no, map_index = instance
        scope = self.task(instance).scope
        inside = None if scope is None or map_index == UNMAPPED else self.shape.scopes[scope]
        graph = inside.graph if inside else self.shape.graph
        tasks = inside.members if inside else range(len(self.spec.tasks))
        gate_no = graph.gate_of[tasks.index(task_no)]
        if gate_no is None:
            return []
        gate, count, upstream = graph.gates[gate_no], Count(), self.upstream(instance)
        steers = [no for no, gates in enumerate(graph.steers) if gate_no in gates] if gate.steering else []
        steering = [(tasks[no], map_index) for no in steers]
        count.steered = sum(self.state(each) in FINAL_TASK for each in steering)
        for each in upstream:
            if self.state(each) in FINAL_TASK:
                count.add(gate, tasks.index(each[0]), self.state(each))
        if verdict(gate, count) is Cause.READY:
            return []
        return [each for each in dict.fromkeys((*upstream, *steering)) if self.state(each) in _OPEN]

    def instances(self, task_no: int) -> list[Instance]:
        """The instances of a task in a scope, in their order."""
        scope = self.spec.tasks[task_no].scope
        return [] if scope is None else [(task_no, index) for index in range(self.items.get(scope, 0))]

    def members(self, scope_no: int) -> tuple[int, ...]:
        """The numbers of the tasks in a scope."""
        return self.shape.scopes[scope_no].members

    def may_be(self, instance: Instance) -> bool:
        """Whether there is such an instance; or may yet be, of a task in a scope that has not unfolded."""
        scope, map_index = self.task(instance).scope, instance[1]
        return map_index == UNMAPPED or (scope is not None and map_index < self.items.get(scope, map_index + 1))

    def is_whole(self, instance: Instance) -> bool:
        """Whether it stands for all instances of a task in a scope."""
        return instance[1] == UNMAPPED and self.task(instance).scope is not None


_OPEN = frozenset(TaskState) - FINAL_TASK


def _shown(spec: DagSpec, instant: Instant) -> str:
    return wall(zone_of(spec.schedule), instant)
