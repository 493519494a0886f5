"""Why a task of a run ended as it did: by itself, by what came before it, or because somebody said so."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final

from ostinato.model.cause import Cause
from ostinato.model.errors import ErrorClass
from ostinato.model.message import Failure
from ostinato.model.record import Attempt, Instance
from ostinato.model.spec import TaskSpec
from ostinato.model.state import TaskState
from ostinato.model.time import stamp

from .classify import Classified, classify
from .graph import BAD
from .reason import Code, Reason
from .shortest import shortest
from .situation import RunSituation

_SKIPPED: Final = frozenset({TaskState.SKIPPED})
_LONGEST_MESSAGE: Final = 200
_AGAIN: Final = "the cause is mended and the interval is run again"


def explain_end(situation: RunSituation, instance: Instance) -> list[Reason]:
    """The chain of an ended task instance's reasons: by what moved it last, else by the state it is in."""
    by_cause = _BY_CAUSE.get(situation.cause(instance) or Cause.REPORTED_SUCCESS)
    if by_cause is not None:
        return by_cause(situation, instance)
    return _BY_STATE[situation.state(instance)](situation, instance)


# --- by the state it is in ------------------------------------------------------------------------------------------


def _succeeded(situation: RunSituation, instance: Instance) -> list[Reason]:
    row, tries = situation.tasks[instance], len(situation.tries(instance))
    after = f" after {tries} tries" if tries > 1 else ""
    return [Reason(Code.SUCCEEDED, f"{situation.name(instance)} succeeded at {stamp(row.changed_at)}{after}")]


def _failed(situation: RunSituation, instance: Instance) -> list[Reason]:
    told = last_failure(situation, instance)
    if told is not None:
        return [Reason(Code.FAILED, f"{told}; there is no next try", _AGAIN)]
    task, row = situation.task(instance), situation.tasks[instance]
    what = f"{situation.name(instance)} waited for {awaited(task)} until {stamp(row.changed_at)}, in vain"
    return [Reason(Code.WAITED_IN_VAIN, what, _AGAIN)]


def _skipped(situation: RunSituation, instance: Instance) -> list[Reason]:
    """It raised Skip itself, or the chain leads to what was skipped before it."""
    path = shortest(instance, lambda at: _skipped_before(situation, at))
    chain = _hops(situation, path, Code.UPSTREAM_SKIPPED, "was skipped")
    last = path[-1]
    if last != instance and situation.cause(last) in _BY_CAUSE:
        return [*chain, *explain_end(situation, last)]
    if situation.tries(last):
        return [*chain, Reason(Code.SKIPPED_ITSELF, f"{situation.name(last)} raised Skip")]
    return chain or [Reason(Code.UPSTREAM_SKIPPED, f"an upstream of {situation.name(instance)} was skipped")]


def _skipped_before(situation: RunSituation, at: Instance) -> list[Instance]:
    if situation.tries(at) or situation.cause(at) in _BY_CAUSE:
        return []
    return situation.upstream_in(at, _SKIPPED)


def _upstream_failed(situation: RunSituation, instance: Instance) -> list[Reason]:
    path = shortest(
        instance,
        lambda at: situation.upstream_in(at, BAD) if situation.state(at) is TaskState.UPSTREAM_FAILED else [],
    )
    chain = _hops(situation, path, Code.UPSTREAM_FAILED, "did not succeed")
    if situation.state(path[-1]) is not TaskState.UPSTREAM_FAILED:
        return chain + explain_end(situation, path[-1])
    return chain or [Reason(Code.UPSTREAM_FAILED, f"an upstream of {situation.name(instance)} did not succeed")]


def _cancelled(situation: RunSituation, instance: Instance) -> list[Reason]:
    at = stamp(situation.tasks[instance].changed_at)
    return [Reason(Code.CANCELLED, f"{situation.name(instance)} ended at {at}, because its run was cancelled")]


_BY_STATE: Final = {
    TaskState.SUCCESS: _succeeded,
    TaskState.FAILED: _failed,
    TaskState.SKIPPED: _skipped,
    TaskState.UPSTREAM_FAILED: _upstream_failed,
    TaskState.CANCELLED: _cancelled,
}


# --- by what moved it last ------------------------------------------------------------------------------------------


def _rule_not_met(situation: RunSituation, instance: Instance) -> list[Reason]:
    task = situation.task(instance)
    rule = task.trigger_rule
    if situation.is_whole(instance) and task.scope is not None:
        rule = situation.spec.scopes[task.scope].trigger_rule
    upstream = ", ".join(f"{situation.name(each)} {situation.state(each)}" for each in situation.upstream(instance))
    what = f"{situation.name(instance)} was skipped, because its rule is {rule}, and it came after: {upstream}"
    return [Reason(Code.RULE_NOT_MET, what)]


def _edge_not_taken(situation: RunSituation, instance: Instance) -> list[Reason]:
    task = situation.task(instance)
    asked = ", ".join(
        f"{situation.name(upstream)} {' or '.join(wanted)} (it is {situation.state(upstream)})"
        for upstream, wanted in zip(situation.upstream(instance), task.conditions, strict=True)
    )
    return [Reason(Code.EDGE_NOT_TAKEN, f"{situation.name(instance)} was skipped; it asks for: {asked}")]


def _branch_not_taken(situation: RunSituation, instance: Instance) -> list[Reason]:
    branches = [each for each in situation.upstream(instance) if situation.task(each).kind == "branch"]
    took = ", ".join(f"{situation.name(each)} took {_followed(situation, each)}" for each in branches)
    return [Reason(Code.BRANCH_NOT_TAKEN, f"{situation.name(instance)} was skipped: {took}")]


def _followed(situation: RunSituation, branch: Instance) -> str:
    followed = situation.fact(branch, "follow")
    names = [str(name) for name in followed] if isinstance(followed, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return ", ".join(names) or "none of the ways on"


def _short_circuited(situation: RunSituation, instance: Instance) -> list[Reason]:
    path = shortest(instance, lambda at: _towards_circuit(situation, at))
    what = f"{situation.name(instance)} was skipped, because {situation.name(path[-1])} said that nothing goes on"
    return [Reason(Code.SHORT_CIRCUITED, what)]


def _towards_circuit(situation: RunSituation, at: Instance) -> list[Instance]:
    """On the way up to the short circuit that said no."""
    if situation.fact(at, "follow") == []:
        return []
    return situation.upstream(at)


def _nothing_to_expand(situation: RunSituation, instance: Instance) -> list[Reason]:
    return [Reason(Code.NOTHING_TO_EXPAND, f"{situation.name(instance)} was skipped: there was no item for it")]


def _not_expanded(situation: RunSituation, instance: Instance) -> list[Reason]:
    why = situation.fact(instance, "why")
    return [Reason(Code.NOT_EXPANDED, f"{situation.name(instance)} failed: {why}", _AGAIN)]


def _instance_failed(situation: RunSituation, instance: Instance) -> list[Reason]:
    """As a whole it came to what the worst of its instances came to."""
    known = situation.instances(instance[0])
    worst = [each for each in known if situation.state(each) is situation.state(instance)]
    what = f"{len(worst)} of {len(known)} instances of {situation.name(instance)} did not succeed"
    return [Reason(Code.INSTANCE_FAILED, what, _AGAIN), *(explain_end(situation, worst[0]) if worst else [])]


def _switched_off(situation: RunSituation, instance: Instance) -> list[Reason]:
    what = f"{situation.name(instance)} is switched off, and ends as {situation.state(instance)} without being run"
    return [Reason(Code.SWITCHED_OFF, what)]


def _child_failed(situation: RunSituation, instance: Instance) -> list[Reason]:
    run = situation.fact(instance, "run")
    what = f"run {run}, which {situation.name(instance)} called for, did not succeed"
    return [Reason(Code.CHILD_FAILED, what, f"`ostinato why {run}` says why not")]


def _not_called(situation: RunSituation, instance: Instance) -> list[Reason]:
    what = f"{situation.name(instance)} could not call: {situation.fact(instance, 'why')}"
    return [Reason(Code.NOT_CALLED, what, _AGAIN)]


def _declined(situation: RunSituation, instance: Instance) -> list[Reason]:
    by = situation.fact(instance, "by")
    what = f"by {by}" if by else "as nobody answered in time"
    return [Reason(Code.DECLINED, f"{situation.name(instance)} was declined, {what}")]


def _marked(situation: RunSituation, instance: Instance) -> list[Reason]:
    what = f"{situation.name(instance)} was marked {situation.state(instance)}"
    by = situation.fact(instance, "by")
    return [Reason(Code.MARKED, f"{what} by {by}" if by else what)]


def _carried_over(situation: RunSituation, instance: Instance) -> list[Reason]:
    what = f"{situation.name(instance)} is what it came to in run {situation.run.based_on}, and was not run again"
    return [Reason(Code.CARRIED_OVER, what)]


_BY_CAUSE: Final[dict[Cause, Callable[[RunSituation, Instance], list[Reason]]]] = {
    Cause.RULE_NOT_MET: _rule_not_met,
    Cause.EDGE_NOT_TAKEN: _edge_not_taken,
    Cause.BRANCH_NOT_TAKEN: _branch_not_taken,
    Cause.SHORT_CIRCUITED: _short_circuited,
    Cause.NOTHING_TO_EXPAND: _nothing_to_expand,
    Cause.EXPANSION_FAILED: _not_expanded,
    Cause.LOOP_EXHAUSTED: _not_expanded,
    Cause.INSTANCES_FAILED: _instance_failed,
    Cause.INSTANCES_UPSTREAM_FAILED: _instance_failed,
    Cause.SWITCHED_OFF_AS_SUCCESS: _switched_off,
    Cause.SWITCHED_OFF_AS_SKIPPED: _switched_off,
    Cause.CHILD_FAILED: _child_failed,
    Cause.CALL_REFUSED: _not_called,
    Cause.DECLINED: _declined,
    Cause.DECLINED_AS_FAILURE: _declined,
    Cause.MARKED_SUCCESS: _marked,
    Cause.MARKED_FAILED: _marked,
    Cause.MARKED_SKIPPED: _marked,
    Cause.CARRIED_SUCCESS: _carried_over,
    Cause.CARRIED_SKIPPED: _carried_over,
}


# --- in words -------------------------------------------------------------------------------------------------------


def awaited(task: TaskSpec) -> str:
    """What a sensor waits for."""
    return f"the file {task.sensor.path}" if task.sensor is not None and task.sensor.path else "its condition"


def last_failure(situation: RunSituation, instance: Instance) -> str | None:
    """The newest try's failure: what it was, its class, the rule that says so, and how much of the budget is spent."""
    tries = situation.tries(instance)
    if not tries or tries[-1].failure is None:
        return None
    attempt, failure = tries[-1], tries[-1].failure
    classified = classify(failure)
    return (
        f"try {attempt.number} of {situation.name(instance)} failed with {_told(failure)}, "
        f"a {classified.error_class} error ({classified.rule}): {_budget(situation.task(instance), tries, classified)}"
    )


def _hops(situation: RunSituation, path: list[Instance], code: Code, what: str) -> list[Reason]:
    return [
        Reason(code, f"{situation.name(task)} did not start, because {situation.name(upstream)} {what}")
        for task, upstream in pairwise(path)
    ]


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
