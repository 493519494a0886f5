"""The states of a run, a task instance and an attempt: closed lists, finality said once."""

from enum import StrEnum
from typing import Final


class RunState(StrEnum):
    """Where one execution of a dag for one data interval stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TaskState(StrEnum):
    """Where a task instance, a task in one run, stands. NONE is never stored: rows are born at their first move."""

    NONE = "none"
    QUEUED = "queued"
    RUNNING = "running"
    DEFERRED = "deferred"
    UP_FOR_RETRY = "up_for_retry"
    SUCCESS = "success"
    FAILED = "failed"
    SKIPPED = "skipped"
    UPSTREAM_FAILED = "upstream_failed"
    CANCELLED = "cancelled"


class AttemptState(StrEnum):
    """Where one try of a task instance stands. DEFERRED ends a sensor's look that found nothing yet."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    LOST = "lost"
    DEFERRED = "deferred"
    CANCELLED = "cancelled"


FINAL_RUN: Final = frozenset({RunState.SUCCESS, RunState.FAILED, RunState.CANCELLED})
FINAL_TASK: Final = frozenset(
    {TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED}
)
FINAL_ATTEMPT: Final = frozenset(AttemptState) - {AttemptState.QUEUED, AttemptState.RUNNING}
LIVE_ATTEMPT: Final = frozenset({AttemptState.QUEUED, AttemptState.RUNNING})
