"""The facts that move a state machine. An event row names exactly one of them."""

from enum import StrEnum


class Cause(StrEnum):
    """Why something moved. Transition tables pair a state with one of these."""

    # a run comes to be
    SCHEDULED = "scheduled"
    TRIGGERED = "triggered"
    BACKFILLED = "backfilled"
    # a run moves
    ADMITTED = "admitted"
    OVERLAPPED = "overlapped"
    TASKS_SUCCEEDED = "tasks_succeeded"
    TASKS_FAILED = "tasks_failed"
    # a task instance moves without an attempt
    READY = "ready"
    AWAITED = "awaited"
    CONDITION_MET = "condition_met"
    CONDITION_TIMED_OUT = "condition_timed_out"
    CHECK_DUE = "check_due"
    RETRY_DUE = "retry_due"
    UPSTREAM_FAILED = "upstream_failed"
    UPSTREAM_SKIPPED = "upstream_skipped"
    # an attempt says, or its agent says of it
    STARTED = "started"
    REPORTED_SUCCESS = "reported_success"
    REPORTED_SKIP = "reported_skip"
    REPORTED_NOT_YET = "reported_not_yet"
    FAILED_WILL_RETRY = "failed_will_retry"
    FAILED_FINALLY = "failed_finally"
    LOST_WILL_RETRY = "lost_will_retry"
    LOST_FINALLY = "lost_finally"
    INTERRUPTED = "interrupted"
    # somebody wants it to stop
    CANCEL_REQUESTED = "cancel_requested"
    CANCELLED = "cancelled"
    CANCEL_CONFIRMED = "cancel_confirmed"
