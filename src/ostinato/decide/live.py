"""What the board remembers of unfinished work. Memory only; the store can rebuild it.

A run's task instances are numbered as they come to be: first one for each task, under the task's own number; then, as
scopes unfold, those of their instances. What stands under the number of a task in a scope is the task as a whole: it
runs as long as any instance of it is not final.
"""

from collections import deque
from typing import Final

from ostinato.model.errors import ErrorClass
from ostinato.model.record import UNMAPPED, Instance, Intervention, OpenRun, Run, instance_name
from ostinato.model.spec import TaskSpec
from ostinato.model.state import FINAL_TASK, AttemptState, TaskState
from ostinato.model.time import Instant

from .graph import Graph
from .rule import Count
from .shape import ScopeShape, Shape

NOT_STARTED: Final = frozenset({TaskState.NONE, TaskState.UP_FOR_RETRY, TaskState.DEFERRED})
"""A task instance in one of these has no live attempt, and may get one."""

_RANK: Final = {
    state: rank
    for rank, state in enumerate(
        (
            TaskState.NONE,
            TaskState.SKIPPED,
            TaskState.SUCCESS,
            TaskState.CANCELLED,
            TaskState.UPSTREAM_FAILED,
            TaskState.FAILED,
        )
    )
}
"""What a task in a scope has come to as a whole: the last of these that any of its instances came to."""


class Frame:
    """One passage through a graph in a run: through the dag's, or through a scope's for one of its instances.

    Its task instances have the numbers from ``first`` on, in the order of the graph's nodes; ``left`` of them are not
    final. ``index`` is the map index. Until it has ``begun`` nothing in it starts; in a scope that is held up by others.
    """

    __slots__ = ("begun", "counts", "first", "graph", "index", "left", "scope")

    def __init__(
        self, graph: Graph, size: int, first: int, scope: "LiveScope | None" = None, index: int = UNMAPPED
    ) -> None:
        self.graph = graph
        self.first = first
        self.scope = scope
        self.index = index
        self.left = size
        self.begun = scope is None
        self.counts = [Count() for _ in graph.gates]


_NOWHERE: Final = Frame(Graph(()), 0, 0)


class LiveScope:
    """A scope that has unfolded: a frame for each instance. ``waiting`` have not begun, ``going`` have and are not over.

    ``open`` is, by place among the members, how many instances are not final, and ``worst`` what they came to so far.
    """

    __slots__ = ("frames", "going", "open", "scope_no", "shape", "waiting", "worst")

    def __init__(self, scope_no: int, shape: ScopeShape) -> None:
        self.scope_no = scope_no
        self.shape = shape
        self.frames: list[Frame] = []
        self.waiting: deque[Frame] = deque()
        self.going = 0
        self.open = [0] * len(shape.members)
        self.worst = [TaskState.NONE] * len(shape.members)

    def begin_next(self) -> Frame | None:
        """The next instance, in order, which thereby has begun; None if there is none, or too many are going."""
        most = self.shape.spec.max_active
        while self.waiting and (most is None or self.going < most):
            frame = self.waiting.popleft()
            if frame.left:  # else somebody has decided how all of it ends
                frame.begun = True
                self.going += 1
                return frame
        return None


class LiveRun:
    """A run that is not finished. Until `begin` it waits for admission and costs next to nothing.

    Everything is by instance number: ``live_attempt`` the attempt that is queued or running, ``last_attempt`` the id of
    the newest, ``tries`` how many there were; ``failures`` counts those that spent a budget, by error class;
    ``waiting_since`` is when a sensor first looked. ``carried`` is what it had from another run before it began,
    ``decisions`` what people decided before that, by id.
    """

    __slots__ = (
        "cancelling",
        "carried",
        "decisions",
        "failures",
        "frames",
        "last_attempt",
        "live_attempt",
        "next_seq",
        "root",
        "run",
        "scopes",
        "shape",
        "states",
        "tries",
        "waiting_since",
    )

    def __init__(self, run: Run, shape: Shape, next_seq: int, carried: OpenRun | None = None) -> None:
        self.run = run
        self.shape = shape
        self.next_seq = next_seq
        self.carried = carried
        self.decisions: dict[int, Intervention] = {}
        self.cancelling = False
        self.states: list[TaskState] = []
        self.root = _NOWHERE
        self.frames: list[Frame] = []
        self.scopes: dict[int, LiveScope] = {}
        self.live_attempt: dict[int, LiveAttempt] = {}
        self.last_attempt: dict[int, int] = {}
        self.tries: dict[int, int] = {}
        self.failures: dict[int, dict[ErrorClass, int]] = {}
        self.waiting_since: dict[int, Instant] = {}

    def begin(self) -> None:
        """Make room for its task instances, all of them not begun."""
        size = len(self.shape.tasks)
        self.states = [TaskState.NONE] * size
        self.root = Frame(self.shape.graph, size, 0)
        self.frames = [self.root] * size
        if self.carried is not None:
            self.recall(self.carried)
            self.carried = None

    def recall(self, found: OpenRun) -> None:
        """Take over, once begun, what the store has of it."""
        for scope_no, count in sorted(found.items.items()):
            self.unfold(scope_no, count)
        number = self.number
        self.tries = {number(instance): tries for instance, tries in found.tries.items()}
        for instance, failures in found.failures.items():
            self.failures[number(instance)] = {ErrorClass(name): count for name, count in failures.items()}
        for task in found.tasks:
            no = number((task.task_no, task.map_index))
            self.states[no] = task.state
            if task.attempt is not None:
                self.last_attempt[no] = task.attempt
            if task.waiting_since is not None:
                self.waiting_since[no] = task.waiting_since
        for no, state in enumerate(self.states):
            if state in FINAL_TASK:
                self.settle(no)
        for scope in self.scopes.values():
            self._take_up(scope)

    def unfold(self, scope_no: int, count: int) -> LiveScope:
        """Make room for ``count`` instances more of a scope."""
        scope = self.scopes.get(scope_no)
        if scope is None:
            scope = self.scopes[scope_no] = LiveScope(scope_no, self.shape.scopes[scope_no])
        size = len(scope.shape.members)
        for _ in range(count):
            frame = Frame(scope.shape.graph, size, len(self.states), scope, len(scope.frames))
            scope.frames.append(frame)
            scope.waiting.append(frame)
            self.states += [TaskState.NONE] * size
            self.frames += [frame] * size
        scope.open = [left + count for left in scope.open]
        return scope

    def settle(self, no: int) -> Frame:
        """A task instance has become final: count it, once, in every gate it feeds. Returns the frame it is in."""
        frame, state = self.frames[no], self.states[no]
        node = no - frame.first
        graph = frame.graph
        for gate in graph.feeds[node]:
            frame.counts[gate].add(graph.gates[gate], node, state)
        for gate in graph.steers[node]:
            frame.counts[gate].steered += 1
        frame.left -= 1
        scope = frame.scope
        if scope is not None:
            scope.open[node] -= 1
            scope.worst[node] = max(state, scope.worst[node], key=_RANK.__getitem__)
            scope.going -= frame.begun and not frame.left
        return frame

    def number(self, instance: Instance) -> int:
        """The number of a task instance. Raises KeyError or IndexError for one that is not there."""
        task_no, map_index = instance
        if map_index == UNMAPPED:
            return task_no
        scope_no = self.shape.tasks[task_no].scope
        scope = self.scopes[-1 if scope_no is None else scope_no]
        return scope.frames[map_index].first + scope.shape.place[task_no]

    def instance(self, no: int) -> Instance:
        """Which task instance has a number."""
        frame = self.frames[no]
        if frame.scope is None:
            return no, UNMAPPED
        return frame.scope.shape.members[no - frame.first], frame.index

    def task_no(self, no: int) -> int:
        """The number of the task that a task instance is of."""
        return self.instance(no)[0]

    def task(self, no: int) -> TaskSpec:
        """The definition of a task instance's task."""
        return self.shape.tasks[self.task_no(no)]

    def name(self, no: int) -> str:
        """What people call a task instance."""
        return instance_name(self.shape.spec, *self.instance(no))

    @property
    def over(self) -> bool:
        """Whether every task is final."""
        return not self.root.left

    def has_failed(self) -> bool:
        """Whether it failed, by its dag's rule. Under the usual one nothing hides a failed task."""
        return self.shape.failed(self.states[: len(self.shape.tasks)])

    def count_failure(self, no: int, error_class: ErrorClass) -> int:
        """Count one more failure of a class against its budget and return how many there are."""
        of_task = self.failures.setdefault(no, {})
        of_task[error_class] = of_task.get(error_class, 0) + 1
        return of_task[error_class]

    def gives_up_at(self, no: int) -> Instant | None:
        """When the patience of a sensor or an approval ends; None: never. Raises ValueError for a task that waits not."""
        task = self.task(no)
        if task.sensor is not None:
            return self.waiting_since[no] + round(task.sensor.timeout * 1000)
        if task.approval is not None:
            timeout = task.approval.timeout
            return None if timeout is None else self.waiting_since[no] + round(timeout * 1000)
        raise ValueError(f"task {task.task_id} waits for nothing")

    def is_out_of_patience(self, no: int, now: Instant) -> bool:
        """Whether a sensor has waited as long as it would."""
        end = self.gives_up_at(no)
        return end is not None and now >= end

    def next_look_at(self, no: int, now: Instant) -> Instant:
        """When a sensor that found nothing looks again: later than now, and once more as its patience ends."""
        sensor = self.task(no).sensor
        every = round(sensor.every * 1000) if sensor else 0
        return max(now + 1, min(now + every, self.gives_up_at(no) or now + every))

    def _take_up(self, scope: LiveScope) -> None:
        """Those instances have begun in which anything goes on; the others begin, or go on, in their order."""
        unfinished = [frame for frame in scope.frames if frame.left]
        for frame in unfinished:
            states = self.states[frame.first : frame.first + len(frame.graph.gate_of)]
            frame.begun = any(state is not TaskState.NONE and state not in FINAL_TASK for state in states)
        scope.waiting = deque(frame for frame in unfinished if not frame.begun)
        scope.going = len(unfinished) - len(scope.waiting)


class LiveAttempt:
    """An attempt that an agent has, or is about to be told of. It occupies its task's slots while it lives."""

    __slots__ = ("agent", "attempt", "live", "no", "number", "state")

    def __init__(self, attempt: int, live: LiveRun, no: int, number: int, agent: str) -> None:
        self.attempt = attempt
        self.live = live
        self.no = no
        self.number = number
        self.agent = agent
        self.state = AttemptState.QUEUED

    @property
    def task(self) -> TaskSpec:
        """The definition of its task."""
        return self.live.task(self.no)
