"""What an event says, held against what truly happened: each cause of a task's move has its own conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, Commit, Event, TaskMove
from ostinato.model.errors import ErrorClass
from ostinato.model.record import Instance
from ostinato.model.state import TaskState

from .outside import hold_beginning, hold_call, hold_switched_off
from .scoped import failed_to_unfold, hold_turns, hold_whole
from .script import CLASS_OF
from .seen import SeenRun
from .trace import demand

if TYPE_CHECKING:
    from .witness import Witness

_BY_THE_GRAPH: Final = frozenset(
    {
        Cause.UPSTREAM_FAILED,
        Cause.UPSTREAM_SKIPPED,
        Cause.RULE_NOT_MET,
        Cause.EDGE_NOT_TAKEN,
        Cause.BRANCH_NOT_TAKEN,
        Cause.SHORT_CIRCUITED,
    }
)
_AS_A_WHOLE: Final = frozenset(
    {
        Cause.EXPANDED,
        Cause.NOTHING_TO_EXPAND,
        Cause.EXPANSION_FAILED,
        Cause.LOOP_EXHAUSTED,
        Cause.INSTANCES_SUCCEEDED,
        Cause.INSTANCES_FAILED,
        Cause.INSTANCES_SKIPPED,
        Cause.INSTANCES_UPSTREAM_FAILED,
    }
)
_OFF: Final = frozenset({Cause.SWITCHED_OFF_AS_SUCCESS, Cause.SWITCHED_OFF_AS_SKIPPED})
_CALLS: Final = frozenset({Cause.CHILD_CALLED, Cause.CHILD_LEFT, Cause.CALL_REFUSED})
_BEGINS: Final = frozenset({Cause.READY, Cause.AWAITED, Cause.ASKED, Cause.INTERVALS_DONE}) | _OFF | _CALLS
CIRCLES: Final = 200
"""No storm takes down so many attempts of one run."""

_VERDICTS: Final = {
    Cause.REPORTED_SUCCESS: "success",
    Cause.REPORTED_SKIP: "skipped",
    Cause.REPORTED_NOT_YET: "not_yet",
}
_KILLERS: Final = frozenset({"killed by its agent", "killed by somebody"})


def hold_against_the_truth(  # noqa: C901, PLR0912 - a case for each cause
    witness: Witness,
    seen: SeenRun,
    event: Event,
    at: Instance,
    move: TaskMove,
    ended: AttemptMove | None,
    commit: Commit,
) -> None:
    """Raise Violation unless a task's move is one that the world, the clock and the graph allow."""
    run_id = event.run_id
    row = seen.rows.get(at)
    hold_turns(seen, event, at)
    match event.cause:
        case cause if cause in _BEGINS:
            demand(seen.fates(at) == {Cause.READY}, f"task {at} starts before its upstreams allow it", run_id)
            demand(not seen.cancelling, f"task {at} starts in a run that is to be cancelled", run_id)
            if cause in _OFF:
                hold_switched_off(witness, seen, event, at)
            else:
                hold_beginning(witness, seen, event, at)
            if cause in _CALLS:
                hold_call(witness, seen, event, at)
        case Cause.CHILD_SUCCEEDED | Cause.CHILD_FAILED:
            hold_call(witness, seen, event, at)
        case Cause.DECLINED | Cause.DECLINED_AS_FAILURE:
            _declined(seen, event, at, move)
        case cause if cause in _AS_A_WHOLE:
            if seen.states[at] is TaskState.NONE:
                demand(seen.fates(at) == {Cause.READY}, f"task {at} unfolds before its upstreams allow it", run_id)
            hold_whole(witness, seen, event, at)
        case Cause.UPSTREAM_FAILED if seen.is_whole(at) and failed_to_unfold(seen, seen.task(at).scope or 0):
            pass
        case cause if cause in _BY_THE_GRAPH:
            fates = seen.fates(at)
            demand(cause in fates, f"task {at} ends by {cause}, the graph says {fates}", run_id)
        case Cause.RETRY_DUE | Cause.CHECK_DUE:
            due = row.due_at if row else None
            was_due = due is not None and witness.timeline.latest >= due  # the clock may have been set back since
            demand(was_due, f"task {at} is tried at {event.at}, due {due}", run_id)
        case Cause.REPORTED_SUCCESS | Cause.REPORTED_SKIP | Cause.REPORTED_NOT_YET:
            _as_reported(witness, seen, event, at, commit)
        case Cause.FAILED_WILL_RETRY | Cause.FAILED_FINALLY | Cause.LOST_WILL_RETRY | Cause.LOST_FINALLY:
            _as_failed(witness, seen, event, at, move, ended)
        case Cause.INTERRUPTED:
            _never_ran_or_was_stopped(witness, event)
            seen.interruptions += 1
            demand(seen.interruptions < CIRCLES, "attempts go to the agent and back, and nothing comes of it", run_id)
        case Cause.CONDITION_TIMED_OUT:
            sensor = seen.task(at).sensor
            since = move.waiting_since
            assert sensor is not None
            assert since is not None
            patient = event.at >= since + round(sensor.timeout * 1000)
            demand(patient, f"sensor {at} gives up at {event.at}, waiting since {since}", run_id)
        case Cause.CANCELLED | Cause.CANCEL_CONFIRMED:
            demand(seen.cancelling, f"task {at} is cancelled and nobody asked", run_id)
        case _:
            pass


def _declined(seen: SeenRun, event: Event, at: Instance, move: TaskMove) -> None:
    approval = seen.task(at).approval
    assert approval is not None
    as_failure = event.cause is Cause.DECLINED_AS_FAILURE
    demand(
        as_failure == (approval.no == "fail"), f"a no to {at} is {event.cause}, and is to {approval.no}", event.run_id
    )
    if (event.facts or {}).get("timed_out"):
        since = move.waiting_since
        patient = None not in {since, approval.timeout} and event.at >= since + round(approval.timeout * 1000)
        demand(patient, f"nobody answers {at} by {event.at}, asked at {since}", event.run_id)


def _as_reported(witness: Witness, seen: SeenRun, event: Event, at: Instance, commit: Commit) -> None:
    verdict = _VERDICTS[event.cause]
    performance = witness.world.performed.get(event.attempt or 0)
    report = performance.report if performance else None
    told = report is not None and report.verdict == verdict
    demand(told, f"attempt {event.attempt} is {verdict}, but did not say so", event.run_id)
    if report is None or verdict == "not_yet":
        return
    if report.follow is not None:
        seen.follows[at] = report.follow
    outputs = [
        o.value
        for o in commit.outputs
        if (o.run_id, o.task_no, o.map_index) == (event.run_id, event.task_no, event.map_index)
    ]
    returned = [] if report.output is None else [report.output]
    demand(outputs == returned, f"attempt {event.attempt} returned {returned}, kept is {outputs}", event.run_id)
    kept = [r.letters for r in commit.rejected if r.attempt == event.attempt]
    demand(kept == list(report.dead_letters), f"the dead letters of {event.attempt} are {kept}", event.run_id)


def _as_failed(
    witness: Witness, seen: SeenRun, event: Event, at: Instance, move: TaskMove, ended: AttemptMove | None
) -> None:
    run_id, attempt = event.run_id, event.attempt or 0
    assert ended is not None
    error_class = ended.error_class or ""
    if event.cause in {Cause.LOST_WILL_RETRY, Cause.LOST_FINALLY}:
        _was_lost(witness, attempt, run_id)
        demand(error_class == ErrorClass.RESOURCE, f"attempt {attempt} was lost, class {error_class}", run_id)
    else:
        truth = _classes_of(witness, attempt)
        demand(error_class in truth, f"attempt {attempt} failed as {error_class}, in truth {truth}", run_id)
    retry = seen.task(at).retry
    budget = {"transient": retry.transient, "resource": retry.resource, "logic": 0}[error_class]
    spent = seen.failures[at, error_class]
    if event.cause in {Cause.FAILED_FINALLY, Cause.LOST_FINALLY}:
        demand(spent == budget + 1, f"task {at} gives up after {spent} failures, {budget} allowed", run_id)
        return
    demand(spent <= budget, f"task {at} is tried again after {spent} failures, {budget} allowed", run_id)
    assert move.due_at is not None
    delay = move.due_at - event.at
    longest = min(retry.first_delay * 2 ** (spent - 1), retry.max_delay) * 1000 if error_class == "resource" else 0
    fits = longest * (1 - retry.jitter) - 1 <= delay <= longest + 1
    demand(fits, f"task {at} waits {delay} ms for its next try, at most {longest}", run_id)


def _classes_of(witness: Witness, attempt: int) -> set[str]:
    """The class that the failure of an attempt truly has; two if it ended by itself just as its time was over."""
    performance = witness.world.performed.get(attempt)
    if performance is None:
        return set() if attempt in witness.launched else {"logic"}  # it could not be prepared
    if performance.killed in _KILLERS:
        return {"resource"}
    own = {CLASS_OF.get(performance.act.kind, "none")}
    return own | {"resource"} if performance.asked_to_stop else own


def _was_lost(witness: Witness, attempt: int, run_id: int) -> None:
    """Its agent is dead and has, or may have, begun it; or its executor ended and nobody could tell how.

    Whoever leads on another machine knows nothing of the agent: it may have begun what it was given.
    """
    world = witness.world
    performance = world.performed.get(attempt)
    if attempt in witness.unproven or (performance is not None and performance.killed == "its zygote died"):
        return
    agent = witness.attempts[attempt].new.agent
    if world.machine_of[agent] != witness.machine:
        return
    demand(agent in world.dead, f"attempt {attempt} counts as lost, and {agent} lives", run_id)
    begun = attempt in world.journals[agent] or agent in world.journal_lost
    demand(begun, f"attempt {attempt} counts as lost, and was never started", run_id)


def _never_ran_or_was_stopped(witness: Witness, event: Event) -> None:
    attempt = event.attempt or 0
    performance = witness.world.performed.get(attempt)
    stopped = performance is None or performance.asked_to_stop or attempt in witness.unproven
    demand(stopped, f"attempt {attempt} counts as interrupted, and was not stopped", event.run_id)
