"""Why a task of a run that has begun is where it is. Chains lead along the graph the shortest way to their cause."""

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from typing import Final

from ostinato.model.errors import ErrorClass
from ostinato.model.message import Failure
from ostinato.model.record import Attempt
from ostinato.model.spec import TaskSpec
from ostinato.model.state import TaskState
from ostinato.model.time import stamp

from .classify import Classified, classify
from .reason import Code, Reason
from .situation import PoolRoom, RunSituation

NO_SCHEDULER: Final = Reason(
    Code.NO_SCHEDULER, "no scheduler works on this state folder", "a scheduler starts: `ostinato dev`"
)
NO_AGENT: Final = Reason(
    Code.NO_AGENT, "no agent is there to run tasks", "an agent is there; a scheduler starts one by itself"
)

_BAD: Final = frozenset({TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED})
_SKIPPED: Final = frozenset({TaskState.SKIPPED})
_WITH_AN_AGENT: Final = frozenset({TaskState.QUEUED, TaskState.RUNNING})
_LONGEST_MESSAGE: Final = 200


def explain_task(situation: RunSituation, task_no: int) -> list[Reason]:
    """The chain of a task's reasons."""
    state = situation.state(task_no)
    if state in _ENDED:
        return _ENDED[state](situation, task_no)
    if situation.run.cancel_requested_at is not None:
        return _stopping(situation, task_no)
    return _WAITING[state](situation, task_no)


# --- tasks that wait ------------------------------------------------------------------------------------------------


def _not_begun(situation: RunSituation, task_no: int) -> list[Reason]:
    """It waits for upstreams, or else for its turn."""
    path = _shortest(task_no, lambda at: situation.open_upstream(at) if situation.state(at) is TaskState.NONE else [])
    chain = [
        Reason(
            Code.UPSTREAM_OPEN,
            f"{_name(situation, waiting)} waits for {_name(situation, upstream)}",
            f"{_name(situation, upstream)} ends",
        )
        for waiting, upstream in pairwise(path)
    ]
    cause = path[-1]
    if situation.state(cause) is TaskState.NONE:
        return chain + _wants(situation, cause)
    return chain + explain_task(situation, cause)


def _wants(situation: RunSituation, task_no: int) -> list[Reason]:
    """It could start now, if there were somebody to start it, and room."""
    task = situation.spec.tasks[task_no]
    if not situation.scheduler:
        return [NO_SCHEDULER]
    if not situation.agent:
        return [NO_AGENT]
    pool = situation.pools.get(task.pool, PoolRoom(0, 0))
    needs = f"{task.task_id} needs {task.slots} of the {pool.slots} slots of pool {task.pool}"
    if task.slots > pool.slots:
        return [Reason(Code.POOL_TOO_SMALL, f"{needs}, which it will never have", "the pool is larger")]
    if pool.used + task.slots > pool.slots:
        what = f"{needs}, of which {pool.slots - pool.used} are free"
        return [Reason(Code.POOL_FULL, what, f"other tasks leave pool {task.pool}")]
    what = f"{task.task_id} is ready; what has a higher priority or is for an older interval goes first"
    return [Reason(Code.NOT_ITS_TURN, what, "an agent has room for it")]


def _with_an_agent(situation: RunSituation, task_no: int) -> list[Reason]:
    """Its attempt waits for an executor, or runs."""
    task, tries = situation.spec.tasks[task_no], situation.tries(task_no)
    who = f"try {tries[-1].number} of {task.task_id}" if tries else task.task_id
    if situation.state(task_no) is TaskState.QUEUED:
        reason = Reason(Code.AT_THE_AGENT, f"{who} is with the agent", "one of its executors is free")
    else:
        since = stamp(situation.tasks[task_no].changed_at)
        limit = "" if task.timeout is None else f", or has run for {task.timeout:g} s"
        reason = Reason(Code.RUNS, f"{who} runs, as is known since {since}", f"it ends{limit}")
    return [reason] if situation.agent else [reason, NO_AGENT]


def _between_tries(situation: RunSituation, task_no: int) -> list[Reason]:
    due = situation.tasks[task_no].due_at
    if due is None or due <= situation.now:
        return _wants(situation, task_no)
    told = _last_failure(situation, task_no) or f"{situation.spec.tasks[task_no].task_id} was interrupted"
    return [Reason(Code.RETRY_LATER, f"{told}; next try at {stamp(due)}", f"it is {stamp(due)}")]


def _between_looks(situation: RunSituation, task_no: int) -> list[Reason]:
    task, row = situation.spec.tasks[task_no], situation.tasks[task_no]
    wish = f"{task.task_id} waits for {_awaited(task)}"
    if row.due_at is not None and row.due_at > situation.now:
        looks = f"; it is looked at again at {stamp(row.due_at)}"
        if task.sensor is not None and row.waiting_since is not None:
            looks += f", for the last time at {stamp(row.waiting_since + round(task.sensor.timeout * 1000))}"
        return [Reason(Code.LOOKS_LATER, wish + looks, f"{_awaited(task)} is there")]
    if task.kind != "file_sensor":
        return _wants(situation, task_no)
    if not situation.scheduler:
        return [NO_SCHEDULER]
    return [Reason(Code.LOOKS_NOW, f"{wish}; it is being looked at", f"{_awaited(task)} is there")]


def _stopping(situation: RunSituation, task_no: int) -> list[Reason]:
    who = _name(situation, task_no)
    reason = Reason(Code.TASK_STOPPING, f"{who} is being stopped, because its run is cancelled", f"{who} has stopped")
    if not situation.scheduler:
        return [reason, NO_SCHEDULER]
    if situation.state(task_no) in _WITH_AN_AGENT and not situation.agent:
        return [reason, NO_AGENT]
    return [reason]


# --- tasks that ended -----------------------------------------------------------------------------------------------


def _succeeded(situation: RunSituation, task_no: int) -> list[Reason]:
    row, tries = situation.tasks[task_no], len(situation.tries(task_no))
    after = f" after {tries} tries" if tries > 1 else ""
    return [Reason(Code.SUCCEEDED, f"{_name(situation, task_no)} succeeded at {stamp(row.changed_at)}{after}")]


def _failed(situation: RunSituation, task_no: int) -> list[Reason]:
    told = _last_failure(situation, task_no)
    again = "the cause is mended and the interval is run again"
    if told is not None:
        return [Reason(Code.FAILED, f"{told}; there is no next try", again)]
    task, row = situation.spec.tasks[task_no], situation.tasks[task_no]
    what = f"{task.task_id} waited for {_awaited(task)} until {stamp(row.changed_at)}, in vain"
    return [Reason(Code.WAITED_IN_VAIN, what, again)]


def _skipped(situation: RunSituation, task_no: int) -> list[Reason]:
    path = _shortest(task_no, lambda at: [] if situation.tries(at) else situation.upstream(at, _SKIPPED))
    chain = _hops(situation, path, Code.UPSTREAM_SKIPPED, "was skipped")
    if situation.tries(path[-1]):
        return [*chain, Reason(Code.SKIPPED_ITSELF, f"{_name(situation, path[-1])} raised Skip")]
    return chain or [Reason(Code.UPSTREAM_SKIPPED, f"an upstream of {_name(situation, task_no)} was skipped")]


def _upstream_failed(situation: RunSituation, task_no: int) -> list[Reason]:
    path = _shortest(
        task_no,
        lambda at: situation.upstream(at, _BAD) if situation.state(at) is TaskState.UPSTREAM_FAILED else [],
    )
    chain = _hops(situation, path, Code.UPSTREAM_FAILED, "did not succeed")
    if situation.state(path[-1]) is not TaskState.UPSTREAM_FAILED:
        return chain + explain_task(situation, path[-1])
    return chain or [Reason(Code.UPSTREAM_FAILED, f"an upstream of {_name(situation, task_no)} did not succeed")]


def _cancelled(situation: RunSituation, task_no: int) -> list[Reason]:
    at = stamp(situation.tasks[task_no].changed_at)
    return [Reason(Code.CANCELLED, f"{_name(situation, task_no)} ended at {at}, because its run was cancelled")]


_ENDED: Final = {
    TaskState.SUCCESS: _succeeded,
    TaskState.FAILED: _failed,
    TaskState.SKIPPED: _skipped,
    TaskState.UPSTREAM_FAILED: _upstream_failed,
    TaskState.CANCELLED: _cancelled,
}
_WAITING: Final = {
    TaskState.NONE: _not_begun,
    TaskState.QUEUED: _with_an_agent,
    TaskState.RUNNING: _with_an_agent,
    TaskState.UP_FOR_RETRY: _between_tries,
    TaskState.DEFERRED: _between_looks,
}


# --- in words -------------------------------------------------------------------------------------------------------


def _name(situation: RunSituation, task_no: int) -> str:
    return situation.spec.tasks[task_no].task_id


def _awaited(task: TaskSpec) -> str:
    return f"the file {task.sensor.path}" if task.sensor is not None and task.sensor.path else "its condition"


def _hops(situation: RunSituation, path: list[int], code: Code, what: str) -> list[Reason]:
    return [
        Reason(code, f"{_name(situation, task)} did not start, because {_name(situation, upstream)} {what}")
        for task, upstream in pairwise(path)
    ]


def _last_failure(situation: RunSituation, task_no: int) -> str | None:
    """The newest try's failure: what it was, its class, the rule that says so, and how much of the budget is spent."""
    tries = situation.tries(task_no)
    if not tries or tries[-1].failure is None:
        return None
    task, attempt, failure = situation.spec.tasks[task_no], tries[-1], tries[-1].failure
    classified = classify(failure)
    return (
        f"try {attempt.number} of {task.task_id} failed with {_told(failure)}, a {classified.error_class} error "
        f"({classified.rule}): {_budget(task, tries, classified)}"
    )


def _told(failure: Failure) -> str:
    kind = failure.types[0].removeprefix("builtins.") if failure.types else failure.how.replace("_", " ")
    message = failure.message if len(failure.message) <= _LONGEST_MESSAGE else f"{failure.message[:_LONGEST_MESSAGE]}…"
    return f"{kind}: {message}" if message else kind


def _budget(task: TaskSpec, tries: list[Attempt], classified: Classified) -> str:
    if classified.error_class is ErrorClass.LOGIC:
        return "it is never retried"
    retries = task.retry.transient if classified.error_class is ErrorClass.TRANSIENT else task.retry.resource
    failures = sum(attempt.error_class == classified.error_class for attempt in tries)
    return f"{min(failures, retries)} of {retries} retries used"


def _shortest(task_no: int, onward: Callable[[int], list[int]]) -> list[int]:
    """The shortest way from a task to one from which nothing leads onward, both included. Edges lead upstream only."""
    came_from = {task_no: task_no}
    queue = deque([task_no])
    while further := onward(at := queue.popleft()):
        for following in further:
            if following not in came_from:
                came_from[following] = at
                queue.append(following)
    path = [at]
    while path[-1] != task_no:
        path.append(came_from[path[-1]])
    return path[::-1]
