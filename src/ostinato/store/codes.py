"""Names as the database keeps them: small integers. A code is for ever; a new name takes a new one.

The three state machines share one list, so that an event's ``was`` and ``becomes`` need not say whose state it is.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from sqlalchemy import SmallInteger
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from ostinato.model.cause import Cause
from ostinato.model.errors import ErrorClass
from ostinato.model.state import AttemptState, RunState, TaskState

N = TypeVar("N", bound=str)

STATES: Final[Mapping[str, int]] = {
    "none": 0,
    "queued": 1,
    "running": 2,
    "deferred": 3,
    "up_for_retry": 4,
    "success": 5,
    "failed": 6,
    "cancelled": 7,
    "skipped": 8,
    "upstream_failed": 9,
    "lost": 10,
}
CAUSES: Final[Mapping[str, int]] = {
    Cause.SCHEDULED: 1,
    Cause.TRIGGERED: 2,
    Cause.BACKFILLED: 3,
    Cause.ADMITTED: 4,
    Cause.TASKS_SUCCEEDED: 5,
    Cause.TASKS_FAILED: 6,
    Cause.READY: 7,
    Cause.AWAITED: 8,
    Cause.CONDITION_MET: 9,
    Cause.CONDITION_TIMED_OUT: 10,
    Cause.CHECK_DUE: 11,
    Cause.RETRY_DUE: 12,
    Cause.UPSTREAM_FAILED: 13,
    Cause.UPSTREAM_SKIPPED: 14,
    Cause.STARTED: 15,
    Cause.REPORTED_SUCCESS: 16,
    Cause.REPORTED_SKIP: 17,
    Cause.REPORTED_NOT_YET: 18,
    Cause.FAILED_WILL_RETRY: 19,
    Cause.FAILED_FINALLY: 20,
    Cause.LOST_WILL_RETRY: 21,
    Cause.LOST_FINALLY: 22,
    Cause.INTERRUPTED: 23,
    Cause.CANCEL_REQUESTED: 24,
    Cause.CANCELLED: 25,
    Cause.CANCEL_CONFIRMED: 26,
    Cause.CALLED: 27,
    Cause.RERUN: 28,
    Cause.RULE_NOT_MET: 29,
    Cause.EDGE_NOT_TAKEN: 30,
    Cause.BRANCH_NOT_TAKEN: 31,
    Cause.SHORT_CIRCUITED: 32,
    Cause.EXPANDED: 33,
    Cause.NOTHING_TO_EXPAND: 34,
    Cause.EXPANSION_FAILED: 35,
    Cause.LOOP_EXHAUSTED: 36,
    Cause.INSTANCES_SUCCEEDED: 37,
    Cause.INSTANCES_FAILED: 38,
    Cause.INSTANCES_SKIPPED: 39,
    Cause.INSTANCES_UPSTREAM_FAILED: 40,
    Cause.SWITCHED_OFF_AS_SUCCESS: 41,
    Cause.SWITCHED_OFF_AS_SKIPPED: 42,
    Cause.INTERVALS_DONE: 43,
    Cause.CHILD_CALLED: 44,
    Cause.CHILD_LEFT: 45,
    Cause.CALL_REFUSED: 46,
    Cause.CHILD_SUCCEEDED: 47,
    Cause.CHILD_FAILED: 48,
    Cause.ASKED: 49,
    Cause.APPROVED: 50,
    Cause.DECLINED: 51,
    Cause.DECLINED_AS_FAILURE: 52,
    Cause.MARKED_SUCCESS: 53,
    Cause.MARKED_FAILED: 54,
    Cause.MARKED_SKIPPED: 55,
    Cause.CARRIED_SUCCESS: 56,
    Cause.CARRIED_SKIPPED: 57,
    Cause.OVERLAPPED: 58,
}
ERROR_CLASSES: Final[Mapping[str, int]] = {ErrorClass.TRANSIENT: 1, ErrorClass.RESOURCE: 2, ErrorClass.LOGIC: 3}
KINDS: Final[Mapping[str, int]] = {"scheduled": 1, "manual": 2, "backfill": 3, "called": 4}


def names(members: Iterable[N], codes: Mapping[str, int]) -> dict[int, N]:
    """The way back: which of the members a code stands for."""
    return {codes[member]: member for member in members}


RUN_STATES: Final = names(RunState, STATES)
TASK_STATES: Final = names(TaskState, STATES)
ATTEMPT_STATES: Final = names(AttemptState, STATES)
STATE_NAMES: Final = names(STATES, STATES)
CAUSE_NAMES: Final = names(Cause, CAUSES)
ERROR_CLASS_NAMES: Final = names(ERROR_CLASSES, ERROR_CLASSES)
KIND_NAMES: Final = names(KINDS, KINDS)


class Coded(TypeDecorator[str]):
    """A column whose values are names in Python and codes in the database."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, kind: type[StrEnum] | None, codes: Mapping[str, int]) -> None:
        super().__init__()
        self.kind = kind
        self._codes = {str(member): codes[member] for member in (kind or codes)}
        self._names: dict[int, str] = {codes[member]: member for member in (kind or codes)}

    @property
    def codes(self) -> list[int]:
        """The codes the column may hold, ascending."""
        return sorted(self._names)

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        """Name to code."""
        del dialect
        return None if value is None else self._codes[value]

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Code to name: a member of the enum where there is one."""
        del dialect
        return None if value is None else self._names[value]
