"""What holds up a task that has not begun: its open upstreams, unless its rule lets it begin before they end.

Where somebody has decided how those end, it still waits for a short circuit further up, which may end it.
"""

from ostinato.model.cause import Cause
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.state import FINAL_TASK

from .graph import Gate
from .rule import Count, verdict
from .situation import RunSituation


def held_up_by(situation: RunSituation, instance: Instance) -> list[Instance]:
    """The open upstreams of a task instance, none of them if it may begin all the same; or else what steers it."""
    open_ = situation.open_upstream(instance)
    if not open_:
        return _open_circuits(situation, instance)
    return [] if _may_begin(situation, instance) else open_


def _may_begin(situation: RunSituation, instance: Instance) -> bool:
    task = situation.task(instance)
    rule, conditions = task.trigger_rule, task.conditions
    if task.scope is not None and instance[1] == UNMAPPED:
        rule, conditions = situation.spec.scopes[task.scope].trigger_rule, ()
    if conditions or _is_steered(situation, instance):
        return False
    upstream = situation.upstream(instance)
    gate, count = Gate(len(upstream), rule, ()), Count()
    for place, up in enumerate(upstream):
        if situation.state(up) in FINAL_TASK:
            count.add(gate, place, situation.state(up))
    return verdict(gate, count) is Cause.READY


def _is_steered(situation: RunSituation, instance: Instance) -> bool:
    """Whether a branch right before it, or a short circuit anywhere before it, may still end it."""
    right_before = situation.open_upstream(instance)
    branches = any(situation.task(up).kind == "branch" and not situation.is_whole(up) for up in right_before)
    return branches or bool(_open_circuits(situation, instance))


def _open_circuits(situation: RunSituation, instance: Instance) -> list[Instance]:
    """The short circuits anywhere before a task instance that have not ended. What tears down is let alone by them."""
    if situation.task(instance).role == "teardown" and not situation.is_whole(instance):
        return []
    if all(task.kind != "short_circuit" for task in situation.spec.tasks):
        return []
    found, ahead = dict.fromkeys(situation.upstream(instance)), situation.upstream(instance)
    while ahead:
        further = [up for up in situation.upstream(ahead.pop()) if up not in found]
        found |= dict.fromkeys(further)
        ahead += further
    return [up for up in found if _steers(situation, up) and situation.state(up) not in FINAL_TASK]


def _steers(situation: RunSituation, instance: Instance) -> bool:
    return situation.task(instance).kind == "short_circuit" and not situation.is_whole(instance)
