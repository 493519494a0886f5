"""The facts that move a state machine. An event row names exactly one of them."""

from enum import StrEnum


class Cause(StrEnum):
    """Why something moved. Transition tables pair a state with one of these."""

    # a run comes to be
    SCHEDULED = "scheduled"
    TRIGGERED = "triggered"
    BACKFILLED = "backfilled"
    CALLED = "called"
    RERUN = "rerun"
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
    RULE_NOT_MET = "rule_not_met"
    EDGE_NOT_TAKEN = "edge_not_taken"
    BRANCH_NOT_TAKEN = "branch_not_taken"
    SHORT_CIRCUITED = "short_circuited"
    INTERVALS_DONE = "intervals_done"
    SWITCHED_OFF_AS_SUCCESS = "switched_off_as_success"
    SWITCHED_OFF_AS_SKIPPED = "switched_off_as_skipped"
    CARRIED_SUCCESS = "carried_success"
    CARRIED_SKIPPED = "carried_skipped"
    # a task in a scope moves as a whole
    EXPANDED = "expanded"
    NOTHING_TO_EXPAND = "nothing_to_expand"
    EXPANSION_FAILED = "expansion_failed"
    LOOP_EXHAUSTED = "loop_exhausted"
    INSTANCES_SUCCEEDED = "instances_succeeded"
    INSTANCES_FAILED = "instances_failed"
    INSTANCES_SKIPPED = "instances_skipped"
    INSTANCES_UPSTREAM_FAILED = "instances_upstream_failed"
    # a task calls another dag, or asks somebody
    CHILD_CALLED = "child_called"
    CHILD_LEFT = "child_left"
    CALL_REFUSED = "call_refused"
    CHILD_SUCCEEDED = "child_succeeded"
    CHILD_FAILED = "child_failed"
    ASKED = "asked"
    APPROVED = "approved"
    DECLINED = "declined"
    DECLINED_AS_FAILURE = "declined_as_failure"
    # somebody decides how it ends
    MARKED_SUCCESS = "marked_success"
    MARKED_FAILED = "marked_failed"
    MARKED_SKIPPED = "marked_skipped"
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
