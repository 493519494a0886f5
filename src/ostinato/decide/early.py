"""What holds up a task that has not begun: its open upstreams, unless its rule lets it begin before they end."""

from ostinato.model.cause import Cause
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.state import FINAL_TASK

from .graph import Gate
from .rule import Count, verdict
from .situation import RunSituation


def held_up_by(situation: RunSituation, instance: Instance) -> list[Instance]:
    """The open upstreams of a task instance; none of them if it may begin all the same."""
    open_ = situation.open_upstream(instance)
    return [] if open_ and _may_begin(situation, instance) else open_


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
    ahead = situation.open_upstream(instance)
    if any(situation.task(up).kind == "branch" and not situation.is_whole(up) for up in ahead):
        return True
    seen: set[Instance] = set()
    while ahead:
        up = ahead.pop()
        if up not in seen:
            seen.add(up)
            if situation.task(up).kind == "short_circuit" and not situation.is_whole(up):
                return True
            ahead += situation.open_upstream(up)
    return False
