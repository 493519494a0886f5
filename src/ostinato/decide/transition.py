"""The three state machines as tables: (state, cause) to state. What is missing is refused, final states have no row.

Intent is never a state: somebody's wish to cancel (`Cause.CANCEL_REQUESTED`) moves nothing by itself. What moves is what
has not started (`CANCELLED`, at once) and what runs (`CANCEL_CONFIRMED`, when it has stopped).
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeVar

from ostinato.model.cause import Cause
from ostinato.model.state import FINAL_ATTEMPT, FINAL_RUN, FINAL_TASK, AttemptState, RunState, TaskState

S = TypeVar("S", bound=StrEnum)

RUN_BIRTHS: Final = (Cause.SCHEDULED, Cause.TRIGGERED, Cause.BACKFILLED, Cause.CALLED, Cause.RERUN)
"""The causes that bring a run into being, queued."""

RUN: Final[Mapping[tuple[RunState, Cause], RunState]] = {
    (RunState.QUEUED, Cause.ADMITTED): RunState.RUNNING,
    (RunState.QUEUED, Cause.OVERLAPPED): RunState.CANCELLED,
    (RunState.QUEUED, Cause.CANCELLED): RunState.CANCELLED,
    (RunState.RUNNING, Cause.TASKS_SUCCEEDED): RunState.SUCCESS,
    (RunState.RUNNING, Cause.TASKS_FAILED): RunState.FAILED,
    (RunState.RUNNING, Cause.CANCEL_CONFIRMED): RunState.CANCELLED,
}

TASK: Final[Mapping[tuple[TaskState, Cause], TaskState]] = {
    # not begun: it becomes ready, is awaited by the prober, or ends by what its upstreams or its run came to
    (TaskState.NONE, Cause.READY): TaskState.QUEUED,
    (TaskState.NONE, Cause.AWAITED): TaskState.DEFERRED,
    (TaskState.NONE, Cause.UPSTREAM_FAILED): TaskState.UPSTREAM_FAILED,
    (TaskState.NONE, Cause.UPSTREAM_SKIPPED): TaskState.SKIPPED,
    (TaskState.NONE, Cause.RULE_NOT_MET): TaskState.SKIPPED,
    (TaskState.NONE, Cause.EDGE_NOT_TAKEN): TaskState.SKIPPED,
    (TaskState.NONE, Cause.BRANCH_NOT_TAKEN): TaskState.SKIPPED,
    (TaskState.NONE, Cause.SHORT_CIRCUITED): TaskState.SKIPPED,
    (TaskState.NONE, Cause.INTERVALS_DONE): TaskState.SUCCESS,
    (TaskState.NONE, Cause.SWITCHED_OFF_AS_SUCCESS): TaskState.SUCCESS,
    (TaskState.NONE, Cause.SWITCHED_OFF_AS_SKIPPED): TaskState.SKIPPED,
    (TaskState.NONE, Cause.CARRIED_SUCCESS): TaskState.SUCCESS,
    (TaskState.NONE, Cause.CARRIED_SKIPPED): TaskState.SKIPPED,
    (TaskState.NONE, Cause.CANCELLED): TaskState.CANCELLED,
    # a task in a scope, as a whole: it runs while any instance of it is not final
    (TaskState.NONE, Cause.EXPANDED): TaskState.RUNNING,
    (TaskState.NONE, Cause.NOTHING_TO_EXPAND): TaskState.SKIPPED,
    (TaskState.NONE, Cause.EXPANSION_FAILED): TaskState.FAILED,
    (TaskState.RUNNING, Cause.EXPANSION_FAILED): TaskState.FAILED,
    (TaskState.RUNNING, Cause.LOOP_EXHAUSTED): TaskState.FAILED,
    (TaskState.RUNNING, Cause.INSTANCES_SUCCEEDED): TaskState.SUCCESS,
    (TaskState.RUNNING, Cause.INSTANCES_FAILED): TaskState.FAILED,
    (TaskState.RUNNING, Cause.INSTANCES_SKIPPED): TaskState.SKIPPED,
    (TaskState.RUNNING, Cause.INSTANCES_UPSTREAM_FAILED): TaskState.UPSTREAM_FAILED,
    # it has called another dag, or asked somebody, and waits
    (TaskState.NONE, Cause.CHILD_CALLED): TaskState.DEFERRED,
    (TaskState.NONE, Cause.CHILD_LEFT): TaskState.SUCCESS,
    (TaskState.NONE, Cause.CALL_REFUSED): TaskState.FAILED,
    (TaskState.DEFERRED, Cause.CHILD_SUCCEEDED): TaskState.SUCCESS,
    (TaskState.DEFERRED, Cause.CHILD_FAILED): TaskState.FAILED,
    (TaskState.NONE, Cause.ASKED): TaskState.DEFERRED,
    (TaskState.DEFERRED, Cause.APPROVED): TaskState.SUCCESS,
    (TaskState.DEFERRED, Cause.DECLINED): TaskState.SKIPPED,
    (TaskState.DEFERRED, Cause.DECLINED_AS_FAILURE): TaskState.FAILED,
    # somebody decides how it ends, whatever it is doing
    **{
        (unended, cause): becomes
        for unended in TaskState
        if unended not in FINAL_TASK
        for cause, becomes in (
            (Cause.MARKED_SUCCESS, TaskState.SUCCESS),
            (Cause.MARKED_FAILED, TaskState.FAILED),
            (Cause.MARKED_SKIPPED, TaskState.SKIPPED),
        )
    },
    # its attempt waits for an executor or runs; one that is over within a beat never says that it started
    (TaskState.QUEUED, Cause.STARTED): TaskState.RUNNING,
    **{
        (begun, cause): becomes
        for begun in (TaskState.QUEUED, TaskState.RUNNING)
        for cause, becomes in (
            (Cause.REPORTED_SUCCESS, TaskState.SUCCESS),
            (Cause.REPORTED_SKIP, TaskState.SKIPPED),
            (Cause.REPORTED_NOT_YET, TaskState.DEFERRED),
            (Cause.CONDITION_TIMED_OUT, TaskState.FAILED),
            (Cause.FAILED_WILL_RETRY, TaskState.UP_FOR_RETRY),
            (Cause.FAILED_FINALLY, TaskState.FAILED),
            (Cause.LOST_WILL_RETRY, TaskState.UP_FOR_RETRY),
            (Cause.LOST_FINALLY, TaskState.FAILED),
            (Cause.INTERRUPTED, TaskState.UP_FOR_RETRY),
            (Cause.CANCEL_CONFIRMED, TaskState.CANCELLED),
        )
    },
    # between two attempts
    (TaskState.UP_FOR_RETRY, Cause.RETRY_DUE): TaskState.QUEUED,
    (TaskState.UP_FOR_RETRY, Cause.CANCELLED): TaskState.CANCELLED,
    # a sensor between two looks
    (TaskState.DEFERRED, Cause.CHECK_DUE): TaskState.QUEUED,
    (TaskState.DEFERRED, Cause.CONDITION_MET): TaskState.SUCCESS,
    (TaskState.DEFERRED, Cause.CONDITION_TIMED_OUT): TaskState.FAILED,
    (TaskState.DEFERRED, Cause.CANCELLED): TaskState.CANCELLED,
}

ATTEMPT: Final[Mapping[tuple[AttemptState, Cause], AttemptState]] = {
    (AttemptState.QUEUED, Cause.STARTED): AttemptState.RUNNING,
    **{
        (live, cause): becomes
        for live in (AttemptState.QUEUED, AttemptState.RUNNING)
        for cause, becomes in (
            (Cause.REPORTED_SUCCESS, AttemptState.SUCCESS),
            (Cause.REPORTED_SKIP, AttemptState.SUCCESS),
            (Cause.REPORTED_NOT_YET, AttemptState.DEFERRED),
            (Cause.CONDITION_TIMED_OUT, AttemptState.DEFERRED),
            (Cause.FAILED_WILL_RETRY, AttemptState.FAILED),
            (Cause.FAILED_FINALLY, AttemptState.FAILED),
            (Cause.LOST_WILL_RETRY, AttemptState.LOST),
            (Cause.LOST_FINALLY, AttemptState.LOST),
            (Cause.INTERRUPTED, AttemptState.LOST),
            (Cause.CANCEL_CONFIRMED, AttemptState.CANCELLED),
            (Cause.MARKED_SUCCESS, AttemptState.CANCELLED),
            (Cause.MARKED_FAILED, AttemptState.CANCELLED),
            (Cause.MARKED_SKIPPED, AttemptState.CANCELLED),
        )
    },
}


def next_run(state: RunState, cause: Cause) -> RunState | None:
    """Where ``cause`` takes a run that is in ``state``; None: it is refused and nothing moves."""
    return RUN.get((state, cause))


def next_task(state: TaskState, cause: Cause) -> TaskState | None:
    """Where ``cause`` takes a task instance that is in ``state``; None: it is refused and nothing moves."""
    return TASK.get((state, cause))


def next_attempt(state: AttemptState, cause: Cause) -> AttemptState | None:
    """Where ``cause`` takes an attempt that is in ``state``; None: it is refused and nothing moves.

    In a run that is being cancelled the attempt still ends by its own cause, while its task instance ends by
    ``CANCEL_CONFIRMED``.
    """
    return ATTEMPT.get((state, cause))


def diagrams() -> dict[str, str]:
    """Each machine as the text of a Mermaid state diagram, by the name of what moves: run, task instance, attempt."""
    return {
        "run": _diagram(RUN, RunState.QUEUED, RUN_BIRTHS, FINAL_RUN),
        "task instance": _diagram(TASK, TaskState.NONE, (), FINAL_TASK),
        "attempt": _diagram(ATTEMPT, AttemptState.QUEUED, (), FINAL_ATTEMPT),
    }


def _diagram(table: Mapping[tuple[S, Cause], S], first: S, births: Sequence[Cause], final: Iterable[S]) -> str:
    """One arrow for each pair of states, labelled with every cause that leads from the one to the other."""
    arrows: dict[tuple[str, str], list[str]] = {("[*]", first): list(births)}
    for (was, cause), becomes in table.items():
        arrows.setdefault((was, becomes), []).append(cause)
    arrows |= {(state, "[*]"): [] for state in sorted(final)}
    lines = ["stateDiagram-v2"]
    for (was, becomes), causes in arrows.items():
        label = f": {', '.join(causes)}" if causes else ""
        lines.append(f"    {was} --> {becomes}{label}")
    return "\n".join(lines) + "\n"
