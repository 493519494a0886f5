"""Why a task of a run that has begun waits. Chains lead along the graph the shortest way to their cause."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from shlex import quote
from typing import Final

from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import TaskSpec
from ostinato.model.state import FINAL_TASK, TaskState

from .early import held_up_by
from .explain_end import awaited, explain_end, last_failure
from .reason import Code, Reason
from .shortest import shortest
from .situation import PoolRoom, RunSituation

NO_SCHEDULER: Final = Reason(
    Code.NO_SCHEDULER, "no scheduler works on this state folder", "a scheduler starts: `ostinato dev`"
)
NO_AGENT: Final = Reason(
    Code.NO_AGENT, "no agent is there to run tasks", "an agent is there; a scheduler starts one by itself"
)

_WITH_AN_AGENT: Final = frozenset({TaskState.QUEUED, TaskState.RUNNING})
STUCK_FIRST: Final = (
    TaskState.UP_FOR_RETRY,
    TaskState.DEFERRED,
    TaskState.NONE,
    TaskState.QUEUED,
    TaskState.RUNNING,
)
"""Of several that something waits for, the one that is furthest from done explains it best."""
_NO_INSTANCES: Final = FINAL_TASK | {TaskState.NONE}


def explain_task(situation: RunSituation, instance: Instance) -> list[Reason]:
    """The chain of a task instance's reasons. One that has not come to be is where its task, as a whole, is."""
    state, whole = situation.state(instance), (instance[0], UNMAPPED)
    if state is TaskState.NONE and instance != whole and situation.state(whole) in _NO_INSTANCES:
        return explain_task(situation, whole)
    if state in FINAL_TASK:
        return explain_end(situation, instance)
    if situation.run.cancel_requested_at is not None:
        return _stopping(situation, instance)
    return _WAITING[state](situation, instance)


def _not_begun(situation: RunSituation, instance: Instance) -> list[Reason]:
    """It waits for upstreams, or else for its turn."""
    path = shortest(instance, lambda at: held_up_by(situation, at) if situation.state(at) is TaskState.NONE else [])
    chain = [
        Reason(
            Code.UPSTREAM_OPEN,
            f"{situation.name(waiting)} waits for {situation.name(upstream)}",
            f"{situation.name(upstream)} ends",
        )
        for waiting, upstream in pairwise(path)
    ]
    cause = path[-1]
    if situation.state(cause) is TaskState.NONE:
        return chain + _begins(situation, cause)
    return chain + explain_task(situation, cause)


def _begins(situation: RunSituation, instance: Instance) -> list[Reason]:
    """Nothing before it in its run holds it up. It may have to be answered something, or wants a slot."""
    task, who = situation.task(instance), situation.name(instance)
    if not situation.scheduler:
        return [NO_SCHEDULER]
    if situation.is_whole(instance):
        return [Reason(Code.UNFOLDS, f"what {who} is for is being looked up", "the scheduler's next step")]
    scope = situation.scope(instance)
    if scope is not None and _scope_is_full(situation, instance):
        what = f"{who} waits: as many instances of its scope are going as may at once, {scope.max_active}"
        return [Reason(Code.SCOPE_FULL, what, "one of them ends")]
    for dag_id, time in situation.unmet.get(instance[0], ()):
        return [_needs(who, dag_id, situation.at(time.start), situation.at(time.end))]
    if task.kind in {"call", "approval", "interval", "file_sensor"}:
        return [Reason(Code.ABOUT_TO_CALL, f"{who} is about to begin", "the scheduler's next step")]
    return _wants(situation, instance)


def _needs(who: str, dag_id: str, start: str, end: str) -> Reason:
    what = f"{who} needs {dag_id} from {start} to {end}, not all of which has succeeded"
    return Reason(
        Code.INTERVALS_OPEN, what, f"{dag_id} succeeds for that time: `ostinato gaps {dag_id}` says what lacks"
    )


def _scope_is_full(situation: RunSituation, instance: Instance) -> bool:
    """Whether as many instances of a scope are going as may, and this is of none of them: they begin in their order."""
    scope_no, map_index = situation.task(instance).scope, instance[1]
    most = None if scope_no is None else situation.spec.scopes[scope_no].max_active
    if scope_no is None or most is None:
        return False
    members = situation.members(scope_no)
    over = [all(situation.state((no, index)) in FINAL_TASK for no in members) for index in range(map_index)]
    return over.count(False) >= most


def _wants(situation: RunSituation, instance: Instance) -> list[Reason]:
    """It could start now, if there were somebody to start it, and room."""
    task, spec, who = situation.task(instance), situation.spec, situation.name(instance)
    if not situation.scheduler:
        return [NO_SCHEDULER]
    if not situation.agent:
        return [NO_AGENT]
    if spec.max_active_tasks is not None and sum(situation.live.values()) >= spec.max_active_tasks:
        what = f"{spec.max_active_tasks} tasks of {spec.dag_id} are going, and no more may"
        return [Reason(Code.DAG_FULL, f"{who} waits: {what}", f"one of the tasks of {spec.dag_id} ends")]
    if task.max_active is not None and situation.live.get(task.task_id, 0) >= task.max_active:
        what = f"{who} waits: {task.max_active} attempts of {task.task_id} are going in all runs, and no more may"
        return [Reason(Code.TASK_FULL, what, "one of them ends")]
    return [_wants_room(situation, task, who)]


def _wants_room(situation: RunSituation, task: TaskSpec, who: str) -> Reason:
    pool = situation.pools.get(task.pool, PoolRoom(0, 0))
    needs = f"{who} needs {task.slots} of the {pool.slots} slots of pool {task.pool}"
    if task.slots > pool.slots:
        larger = f"the pool is larger: `ostinato pools set {task.pool} {task.slots}`"
        return Reason(Code.POOL_TOO_SMALL, f"{needs}, which it will never have", larger)
    if pool.used + task.slots > pool.slots:
        what = f"{needs}, of which {pool.slots - pool.used} are free"
        return Reason(
            Code.POOL_FULL, what, f"other tasks leave it, or it is larger: `ostinato pools set {task.pool} N`"
        )
    first = "what has a higher priority or is for an older interval goes first, and dags take turns"
    if situation.run.kind == "backfill":
        first = "scheduled work goes before a backfill, which gets its share of the slots"
    return Reason(Code.NOT_ITS_TURN, f"{who} is ready; {first}", "an agent has room for it")


def _with_an_agent(situation: RunSituation, instance: Instance) -> list[Reason]:
    """Its attempt waits for an executor, or runs."""
    if situation.is_whole(instance):
        return _instances_open(situation, instance)
    task, tries, who = situation.task(instance), situation.tries(instance), situation.name(instance)
    who = f"try {tries[-1].number} of {who}" if tries else who
    if situation.state(instance) is TaskState.QUEUED:
        reason = Reason(Code.AT_THE_AGENT, f"{who} is with the agent", "one of its executors is free")
    else:
        since = situation.at(situation.tasks[instance].changed_at)
        limit = "" if task.timeout is None else f", or has run for {task.timeout:g} s"
        reason = Reason(Code.RUNS, f"{who} runs, as is known since {since}", f"it ends{limit}")
    return [reason] if situation.agent else [reason, NO_AGENT]


def _instances_open(situation: RunSituation, whole: Instance) -> list[Reason]:
    """A task in a scope, as a whole: it waits for the instance that is furthest from done."""
    instances = situation.instances(whole[0])
    ended = sum(situation.state(each) in FINAL_TASK for each in instances)
    scope = situation.scope(whole)
    those = "turns begun" if scope is not None and scope.kind == "loop" else "instances"
    what = f"{ended} of {len(instances)} {those} of {situation.name(whole)} have ended"
    stuck = _furthest(situation, instances) or _furthest(situation, _same_turn(situation, whole[0]))
    if stuck is None:
        reason = Reason(Code.INSTANCES_OPEN, what, "the scheduler's next step")
        return [reason] if situation.scheduler else [reason, NO_SCHEDULER]
    reason = Reason(Code.INSTANCES_OPEN, f"{what}; it waits for {situation.name(stuck)}", "they end")
    return [reason, *explain_task(situation, stuck)]


def _furthest(situation: RunSituation, instances: Sequence[Instance]) -> Instance | None:
    """The instance that is furthest from done; one that waits for its scope only, if there is no other."""
    open_ = [each for state in STUCK_FIRST for each in instances if situation.state(each) is state]
    held = next((each for each in open_ if situation.state(each) is TaskState.NONE), None)
    if held is not None and _scope_is_full(situation, held):
        return next((each for each in open_ if situation.state(each) is not TaskState.NONE), held)
    return open_[0] if open_ else None


def _same_turn(situation: RunSituation, task_no: int) -> list[Instance]:
    """The other tasks of a loop, in its newest turn."""
    scope_no = situation.spec.tasks[task_no].scope
    members = () if scope_no is None else situation.members(scope_no)
    return [situation.instances(no)[-1] for no in members if situation.instances(no)]


def _between_tries(situation: RunSituation, instance: Instance) -> list[Reason]:
    due = situation.tasks[instance].due_at
    if due is None or due <= situation.now:
        return _wants(situation, instance)
    told = last_failure(situation, instance) or f"{situation.name(instance)} was interrupted"
    return [Reason(Code.RETRY_LATER, f"{told}; next try at {situation.at(due)}", f"it is {situation.at(due)}")]


def _deferred(situation: RunSituation, instance: Instance) -> list[Reason]:
    """It waits for something outside: a condition, a run that it called for, somebody's answer."""
    match situation.task(instance).kind:
        case "call":
            return _child_open(situation, instance)
        case "approval":
            return _asks(situation, instance)
        case _:
            return _between_looks(situation, instance)


def _child_open(situation: RunSituation, instance: Instance) -> list[Reason]:
    child = situation.children.get(instance)
    if child is None:
        what = f"{situation.name(instance)} waits for the run that it called for"
        return [Reason(Code.CHILD_OPEN, what, "that run ends")]
    what = f"{situation.name(instance)} waits for run {child.run_id} of {child.dag_id}, which is {child.state}"
    return [Reason(Code.CHILD_OPEN, what, f"it ends: `ostinato why {child.run_id}` says what it waits for")]


def _asks(situation: RunSituation, instance: Instance) -> list[Reason]:
    task, row = situation.task(instance), situation.tasks[instance]
    question = task.approval.question if task.approval else ""
    until = "" if row.due_at is None else f", or it is {situation.at(row.due_at)}"
    answer = f"`ostinato approve {situation.run.run_id} {quote(situation.name(instance))}`"
    return [Reason(Code.ASKS, f"{situation.name(instance)} asks: {question}", f"somebody answers: {answer}{until}")]


def _between_looks(situation: RunSituation, instance: Instance) -> list[Reason]:
    task, row = situation.task(instance), situation.tasks[instance]
    it = awaited(situation, instance)
    last = ""
    if task.sensor is not None and row.waiting_since is not None:
        last = f", for the last time at {situation.at(row.waiting_since + round(task.sensor.timeout * 1000))}"
    wish = f"{situation.name(instance)} waits for {it}"
    if task.kind == "file_sensor" and task.sensor is not None:
        if not situation.scheduler:
            return [NO_SCHEDULER]
        return [Reason(Code.LOOKS_FOR, f"{wish}, looked for every {task.sensor.every:g} s{last}", f"{it} is there")]
    if row.due_at is None or row.due_at <= situation.now:
        return _wants(situation, instance)
    looks = f"{wish}; it is asked again at {situation.at(row.due_at)}{last}"
    return [Reason(Code.LOOKS_LATER, looks, f"{it} is met: its function returns true")]


def _stopping(situation: RunSituation, instance: Instance) -> list[Reason]:
    who = situation.name(instance)
    reason = Reason(Code.TASK_STOPPING, f"{who} is being stopped, because its run is cancelled", f"{who} has stopped")
    if not situation.scheduler:
        return [reason, NO_SCHEDULER]
    if situation.state(instance) in _WITH_AN_AGENT and not situation.agent:
        return [reason, NO_AGENT]
    return [reason]


_WAITING: Final[dict[TaskState, Callable[[RunSituation, Instance], list[Reason]]]] = {
    TaskState.NONE: _not_begun,
    TaskState.QUEUED: _with_an_agent,
    TaskState.RUNNING: _with_an_agent,
    TaskState.UP_FOR_RETRY: _between_tries,
    TaskState.DEFERRED: _deferred,
}
