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

RUN_BIRTHS: Final = (Cause.SCHEDULED, Cause.TRIGGERED, Cause.BACKFILLED)
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
    (TaskState.NONE, Cause.CANCELLED): TaskState.CANCELLED,
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
