"""What the witness remembers of runs and attempts, and the trigger rules as they are defined: by edges."""

from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct, field

from ostinato.model.change import Event, NewAttempt, TaskMove
from ostinato.model.record import Run
from ostinato.model.spec import DagSpec
from ostinato.model.state import FINAL_TASK, AttemptState, TaskState


class SeenAttempt(Struct):
    """An attempt as it was written."""

    new: NewAttempt
    state: AttemptState = AttemptState.QUEUED
    error_class: str | None = None


class SeenRun(Struct):
    """A run as it was written. Lists and keys are by task number; ``failures`` counts by error class."""

    run: Run
    spec: DagSpec
    states: list[TaskState]
    attempts: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    failures: defaultdict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))
    rows: dict[int, TaskMove] = field(default_factory=dict[int, TaskMove])
    events: list[Event] = field(default_factory=list[Event])
    cancelling: bool = False
    interruptions: int = 0


def fate_of(spec: DagSpec, states: Sequence[TaskState], task_no: int) -> TaskState | None:
    """What its upstreams, by the definition of the trigger rules, make of a task: it may start (QUEUED), or ends so."""
    task = spec.tasks[task_no]
    above = [states[no] for no in task.upstream]
    if task.trigger_rule == "all_success":
        if any(state in FINAL_TASK - {TaskState.SUCCESS, TaskState.SKIPPED} for state in above):
            return TaskState.UPSTREAM_FAILED
        if all(state in FINAL_TASK for state in above):
            return TaskState.SKIPPED if TaskState.SKIPPED in above else TaskState.QUEUED
        return None
    return TaskState.QUEUED if all(state in FINAL_TASK for state in above) else None
