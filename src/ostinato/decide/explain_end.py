"""Why a task of a run ended as it did: by itself, by what came before it, or because somebody said so."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Final

from ostinato.model.cause import Cause
from ostinato.model.errors import ErrorClass
from ostinato.model.message import Failure
from ostinato.model.record import UNMAPPED, Attempt, Instance
from ostinato.model.spec import TaskSpec
from ostinato.model.state import FINAL_RUN, TaskState

from .classify import Classified, classify
from .graph import BAD, TAKEN
from .reason import Code, Reason
from .shortest import nearest, shortest
from .situation import RunSituation

_SKIPPED: Final = frozenset({TaskState.SKIPPED})
_LONGEST_MESSAGE: Final = 200
_MOST_NAMED: Final = 5


def explain_end(situation: RunSituation, instance: Instance) -> list[Reason]:
    """The chain of an ended task instance's reasons: by what moved it last, else by the state it is in."""
    by_cause = _BY_CAUSE.get(situation.cause(instance) or Cause.REPORTED_SUCCESS)
    if by_cause is not None:
        return by_cause(situation, instance)
    return _BY_STATE[situation.state(instance)](situation, instance)


# --- by the state it is in ------------------------------------------------------------------------------------------


def _succeeded(situation: RunSituation, instance: Instance) -> list[Reason]:
    who, tries = situation.name(instance), len(situation.tries(instance))
    at = situation.at(situation.tasks[instance].changed_at)
    if situation.cause(instance) is Cause.APPROVED:
        return [Reason(Code.SUCCEEDED, f"{who} was approved by {situation.fact(instance, 'by')} at {at}")]
    after = f" after {tries} tries" if tries > 1 else ""
    return [Reason(Code.SUCCEEDED, f"{who} succeeded at {at}{after}")]


def _failed(situation: RunSituation, instance: Instance) -> list[Reason]:
    told = last_failure(situation, instance)
    if told is not None:
        return [Reason(Code.FAILED, f"{told}; there is no next try", again(situation))]
    until = situation.at(situation.tasks[instance].changed_at)
    what = f"{situation.name(instance)} waited for {awaited(situation, instance)} until {until}, in vain"
    return [Reason(Code.WAITED_IN_VAIN, what, again(situation))]


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
    path = shortest(instance, lambda at: _failed_before(situation, at))
    chain = _hops(situation, path, Code.UPSTREAM_FAILED, "did not succeed")
    last = path[-1]
    if situation.state(last) is not TaskState.UPSTREAM_FAILED or situation.cause(last) in _BY_CAUSE:
        return chain + explain_end(situation, last)
    return chain or [Reason(Code.UPSTREAM_FAILED, f"an upstream of {situation.name(instance)} did not succeed")]


def _failed_before(situation: RunSituation, at: Instance) -> list[Instance]:
    """Why it could not start. Where a scope could not begin, those of its tasks have failed that would have begun it."""
    if situation.state(at) is not TaskState.UPSTREAM_FAILED or situation.cause(at) in _BY_CAUSE:
        return []
    within = [(no, UNMAPPED) for no in situation.task(at).upstream] if situation.is_whole(at) else []
    return situation.upstream_in(at, BAD) or [each for each in within if situation.state(each) in BAD]


def _cancelled(situation: RunSituation, instance: Instance) -> list[Reason]:
    at = situation.at(situation.tasks[instance].changed_at)
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
    scope = situation.scope(instance)
    begins = scope if scope is not None and situation.is_whole(instance) else situation.task(instance)
    rule = begins.trigger_rule
    upstream = _some([f"{situation.name(each)} {situation.state(each)}" for each in situation.upstream(instance)])
    what = f"{situation.name(instance)} was skipped, because its rule is {rule}, and it came after: {upstream}"
    return [Reason(Code.RULE_NOT_MET, what)]


def _edge_not_taken(situation: RunSituation, instance: Instance) -> list[Reason]:
    edges = zip(situation.upstream(instance), situation.task(instance).conditions, strict=False)
    refused = [
        f"{situation.name(upstream)} {' or '.join(wanted)} (it is {situation.state(upstream)})"
        for upstream, wanted in edges
        if all(situation.state(upstream) not in TAKEN[outcome] for outcome in wanted)
    ]
    return [Reason(Code.EDGE_NOT_TAKEN, f"{situation.name(instance)} was skipped; it asks for: {_some(refused)}")]


def _branch_not_taken(situation: RunSituation, instance: Instance) -> list[Reason]:
    branches = [each for each in situation.upstream(instance) if situation.task(each).kind == "branch"]
    took = _some([f"{situation.name(each)} took {_followed(situation, each)}" for each in branches])
    return [Reason(Code.BRANCH_NOT_TAKEN, f"{situation.name(instance)} was skipped: {took}")]


def _followed(situation: RunSituation, branch: Instance) -> str:
    followed = situation.fact(branch, "follow")
    names = [str(name) for name in followed] if isinstance(followed, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    return _some(names) or "none of the ways on"


def _short_circuited(situation: RunSituation, instance: Instance) -> list[Reason]:
    circuit = nearest(instance, situation.upstream, lambda at: _breaks(situation, at))
    who = "a task before it" if circuit is None else situation.name(circuit)
    what = f"{situation.name(instance)} was skipped, because {who} said that nothing goes on"
    return [Reason(Code.SHORT_CIRCUITED, what)]


def _breaks(situation: RunSituation, at: Instance) -> bool:
    """Whether it is a short circuit that said no."""
    return situation.task(at).kind == "short_circuit" and situation.fact(at, "follow") == []


def _nothing_to_expand(situation: RunSituation, instance: Instance) -> list[Reason]:
    what = f"{situation.name(instance)} was skipped, because there was no item to do it for"
    return [Reason(Code.NOTHING_TO_EXPAND, what)]


def _not_expanded(situation: RunSituation, instance: Instance) -> list[Reason]:
    why = situation.fact(instance, "why")
    return [Reason(Code.NOT_EXPANDED, f"{situation.name(instance)} failed: {why}", again(situation))]


def _instance_failed(situation: RunSituation, instance: Instance) -> list[Reason]:
    """As a whole it came to what the worst of its instances came to."""
    instances = situation.instances(instance[0])
    bad = sum(situation.state(each) in BAD for each in instances)
    what = f"{bad} of {len(instances)} instances of {situation.name(instance)} did not succeed"
    return [Reason(Code.INSTANCE_FAILED, what, again(situation)), *_worst(situation, instance, instances)]


def _instances_skipped(situation: RunSituation, instance: Instance) -> list[Reason]:
    instances = situation.instances(instance[0])
    what = f"all {len(instances)} instances of {situation.name(instance)} were skipped"
    return [Reason(Code.INSTANCES_SKIPPED, what), *_worst(situation, instance, instances)]


def _worst(situation: RunSituation, whole: Instance, instances: Sequence[Instance]) -> list[Reason]:
    """Of the first instance that came to what the task came to as a whole."""
    worst = [each for each in instances if situation.state(each) is situation.state(whole)]
    return explain_end(situation, worst[0]) if worst else []


def _switched_off(situation: RunSituation, instance: Instance) -> list[Reason]:
    what = f"{situation.name(instance)} was switched off, and so ended as {situation.state(instance)} without being run"
    return [Reason(Code.SWITCHED_OFF, what)]


def _child_failed(situation: RunSituation, instance: Instance) -> list[Reason]:
    run = situation.fact(instance, "run")
    what = f"run {run}, which {situation.name(instance)} called for, did not succeed; `ostinato why {run}` says why"
    return [Reason(Code.CHILD_FAILED, what, again(situation))]


def _not_called(situation: RunSituation, instance: Instance) -> list[Reason]:
    what = f"{situation.name(instance)} could not call: {situation.fact(instance, 'why')}"
    return [Reason(Code.NOT_CALLED, what, again(situation))]


def _declined(situation: RunSituation, instance: Instance) -> list[Reason]:
    by = situation.fact(instance, "by")
    what = f"by {by}" if by else "as nobody answered in time"
    return [Reason(Code.DECLINED, f"{situation.name(instance)} was declined, {what}")]


def _marked(situation: RunSituation, instance: Instance) -> list[Reason]:
    what = f"{situation.name(instance)} was marked {situation.state(instance)}"
    by = situation.fact(instance, "by")
    return [Reason(Code.MARKED, f"{what} by {by}" if by else what)]


def _carried_over(situation: RunSituation, instance: Instance) -> list[Reason]:
    what = f"{situation.name(instance)} was not run again; it is taken over from run {situation.run.based_on}"
    return [Reason(Code.CARRIED_OVER, what)]


_BY_CAUSE: Final[dict[Cause, Callable[[RunSituation, Instance], list[Reason]]]] = {
    Cause.RULE_NOT_MET: _rule_not_met,
    Cause.EDGE_NOT_TAKEN: _edge_not_taken,
    Cause.BRANCH_NOT_TAKEN: _branch_not_taken,
    Cause.SHORT_CIRCUITED: _short_circuited,
    Cause.NOTHING_TO_EXPAND: _nothing_to_expand,
    Cause.EXPANSION_FAILED: _not_expanded,
    Cause.LOOP_EXHAUSTED: _not_expanded,
    Cause.INSTANCES_SKIPPED: _instances_skipped,
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


def _some(said: Sequence[str]) -> str:
    """The first few of many."""
    more = f" and {len(said) - _MOST_NAMED} more" if len(said) > _MOST_NAMED else ""
    return ", ".join(said[:_MOST_NAMED]) + more


def again(situation: RunSituation) -> str:
    """What helps after a failure."""
    if situation.run.state not in FINAL_RUN:
        return "the cause is mended, and the interval is run again when this run is over"
    return f"the cause is mended, and it is run again: `ostinato rerun {situation.run.run_id} --failed`"


def awaited(situation: RunSituation, instance: Instance) -> str:
    """What a sensor waits for."""
    file = situation.files.get(instance[0])
    return "its condition" if file is None else f"the file {file}"


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
