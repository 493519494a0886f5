"""What people decide about the task instances of a run that goes on: the answer to a question, or how something ends.

It is written down, and the scheduler takes it in.
"""

from collections.abc import Collection

from ostinato.model.change import Decision
from ostinato.model.errors import Conflict
from ostinato.model.record import UNMAPPED, Instance, Run
from ostinato.model.state import FINAL_RUN, FINAL_TASK, RunState, TaskState
from ostinato.model.time import Instant
from ostinato.store import Store

from .seen import Seen, seen


class NotAsked(Conflict):
    """Nobody is asked anything by what was to be approved or declined: it is no approval, or not its turn, or over."""

    code = "OST-264"


class NotOpen(Conflict):
    """What was to be marked has ended already, or its run has not begun or is being stopped."""

    code = "OST-268"


def answer(store: Store, run: Run, selector: str, what: Decision, by: str, now: Instant) -> list[str]:
    """Answer the questions that the selector means, and say which those are. Raises NotAsked."""
    here = seen(store, run)
    meant = here.chosen([selector])
    asked = [each for each in sorted(meant) if _is_asked(here, each)]
    if not asked:
        raise NotAsked(_why_not_asked(here, meant, selector), help=f"See `ostinato why {run.run_id}`.")
    for each in asked:
        store.decide(run.run_id, each, what, by, now)
    return here.named(asked)


def mark(store: Store, run: Run, selector: str, what: Decision, by: str, now: Instant) -> list[str]:
    """Have what the selector means, and has not ended, end as somebody says; return what that is. Raises NotOpen."""
    if run.state is RunState.QUEUED or run.cancel_requested_at is not None:
        told = "has not begun" if run.state is RunState.QUEUED else "is being stopped"
        raise NotOpen(f"run {run.run_id} of {run.dag_id} {told}", help="Mark it when it is over.")
    here = seen(store, run)
    meant = here.chosen([selector])
    unended = [each for each in sorted(meant) if here.past.states.get(each) not in FINAL_TASK]
    if not unended:
        ends = ", ".join(sorted({here.past.states[each] for each in meant})) or "not there"
        raise NotOpen(f"{selector} of run {run.run_id} is {ends}", help="Mark it when the run is over.")
    demand_instances(here, unended)
    for each in unended:
        store.decide(run.run_id, each, what, by, now)
    return here.named(unended)


def demand_instances(here: Seen, instances: Collection[Instance]) -> None:
    """Raises NotOpen for a task in a scope whose items are not known, so that there is nothing of it yet to mark."""
    for task_no, index in instances:
        if index == UNMAPPED and here.shape.tasks[task_no].scope is not None:
            name = here.shape.tasks[task_no].task_id
            raise NotOpen(f"{name} of run {here.run.run_id} has no instances", help="Mark what it waits for instead.")


def _is_asked(here: Seen, instance: Instance) -> bool:
    is_approval = here.shape.tasks[instance[0]].approval is not None
    return is_approval and here.past.states.get(instance) is TaskState.DEFERRED and here.run.state not in FINAL_RUN


def _why_not_asked(here: Seen, meant: Collection[Instance], selector: str) -> str:
    approvals = [each for each in meant if here.shape.tasks[each[0]].approval is not None]
    if not approvals:
        return f"{selector} of {here.run.dag_id} asks nobody anything"
    states = ", ".join(sorted({here.past.states.get(each, TaskState.NONE) for each in approvals}))
    told = "has not asked yet" if states == TaskState.NONE else f"asks no more: it is {states}"
    return f"{selector} of run {here.run.run_id} {told}"
