"""What the board remembers of unfinished work. Memory only; the store can rebuild it."""

from typing import Final

from ostinato.model.errors import ErrorClass
from ostinato.model.record import OpenRun, Run
from ostinato.model.spec import TaskSpec
from ostinato.model.state import FINAL_TASK, AttemptState, TaskState
from ostinato.model.time import Instant

from .shape import Count, Shape

NOT_STARTED: Final = frozenset({TaskState.NONE, TaskState.UP_FOR_RETRY, TaskState.DEFERRED})
"""A task instance in one of these has no live attempt, and may get one."""


class LiveRun:
    """A run that is not finished. Until `begin` it waits for admission and costs next to nothing.

    ``live_attempt`` and ``last_attempt`` hold attempt ids by task number, ``tries`` how many there were; ``failures``
    counts those that spent a budget, by error class; ``waiting_since`` is when a sensor first looked; ``left`` is how
    many task instances are not final.
    """

    __slots__ = (
        "cancelling",
        "counts",
        "failures",
        "last_attempt",
        "left",
        "live_attempt",
        "next_seq",
        "run",
        "shape",
        "states",
        "tries",
        "waiting_since",
    )

    def __init__(self, run: Run, shape: Shape, next_seq: int) -> None:
        self.run = run
        self.shape = shape
        self.next_seq = next_seq
        self.cancelling = False
        self.states: list[TaskState] = []
        self.counts: list[Count] = []
        self.left = 0
        self.live_attempt: dict[int, int] = {}
        self.last_attempt: dict[int, int] = {}
        self.tries: dict[int, int] = {}
        self.failures: dict[int, dict[ErrorClass, int]] = {}
        self.waiting_since: dict[int, Instant] = {}

    def begin(self) -> None:
        """Make room for its task instances, all of them not begun."""
        self.states = [TaskState.NONE] * len(self.shape.tasks)
        self.counts = [Count() for _ in self.shape.gates]
        self.left = len(self.states)

    def recall(self, found: OpenRun) -> None:
        """Begin where the store says that it stands."""
        self.begin()
        self.tries = dict(found.tries)
        self.failures = {no: {ErrorClass(name): n for name, n in of.items()} for no, of in found.failures.items()}
        for task in found.tasks:
            self.states[task.task_no] = task.state
            if task.attempt is not None:
                self.last_attempt[task.task_no] = task.attempt
            if task.waiting_since is not None:
                self.waiting_since[task.task_no] = task.waiting_since
            if task.state in FINAL_TASK:
                self.settle(task.task_no)

    def settle(self, task_no: int) -> None:
        """A task instance has become final: count it, once, in every gate it feeds."""
        self.left -= 1
        state = self.states[task_no]
        for gate in self.shape.feeds[task_no]:
            self.counts[gate].add(state)

    def has_failed(self) -> bool:
        """Whether any task ended badly. One that is cleaned up after still failed: nothing hides it."""
        return TaskState.FAILED in self.states or TaskState.UPSTREAM_FAILED in self.states

    def count_failure(self, task_no: int, error_class: ErrorClass) -> int:
        """Count one more failure of a class against its budget and return how many there are."""
        of_task = self.failures.setdefault(task_no, {})
        of_task[error_class] = of_task.get(error_class, 0) + 1
        return of_task[error_class]

    def sensor_gives_up_at(self, task_no: int) -> Instant:
        """When a sensor's patience ends. Raises ValueError for a task that is none."""
        sensor = self.shape.tasks[task_no].sensor
        if sensor is None:
            raise ValueError(f"task {task_no} is not a sensor")
        return self.waiting_since[task_no] + round(sensor.timeout * 1000)

    def next_look_at(self, task_no: int, now: Instant) -> Instant:
        """When a sensor that found nothing looks again: later than now, and once more as its patience ends."""
        sensor = self.shape.tasks[task_no].sensor
        every = round(sensor.every * 1000) if sensor else 0
        return max(now + 1, min(now + every, self.sensor_gives_up_at(task_no)))


class LiveAttempt:
    """An attempt that an agent has, or is about to be told of. It occupies its task's slots while it lives."""

    __slots__ = ("agent", "attempt", "live", "number", "state", "task_no")

    def __init__(self, attempt: int, live: LiveRun, task_no: int, number: int, agent: str) -> None:
        self.attempt = attempt
        self.live = live
        self.task_no = task_no
        self.number = number
        self.agent = agent
        self.state = AttemptState.QUEUED

    @property
    def task(self) -> TaskSpec:
        """The definition of its task."""
        return self.live.shape.tasks[self.task_no]
