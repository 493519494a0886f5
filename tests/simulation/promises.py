"""What people were told and promised: alerts by the interval that went wrong, deadlines by the calendar."""

from collections.abc import Mapping, Sequence
from typing import Final

from ostinato.decide.alarm import key_of, rejects_key
from ostinato.decide.timetable import intervals_between
from ostinato.model.cause import Cause
from ostinato.model.change import Commit, Event
from ostinato.model.record import Run, instance_name
from ostinato.model.spec import DagSpec
from ostinato.model.state import TaskState
from ostinato.model.time import Instant

from .seen import SeenRun
from .trace import demand

_ONCE_FOR_A_SCOPE: Final = frozenset({Cause.EXPANSION_FAILED, Cause.LOOP_EXHAUSTED})
_REPORTED: Final = frozenset({Cause.REPORTED_SUCCESS, Cause.REPORTED_SKIP})
_TRIGGERS: Final = frozenset(
    {
        Cause.FAILED_FINALLY,
        Cause.LOST_FINALLY,
        Cause.CONDITION_TIMED_OUT,
        Cause.CALL_REFUSED,
        Cause.CHILD_FAILED,
    }
)


class Promises:
    """Open alerts and expectations, as they follow from the histories.

    ``covered`` are intervals within that of a run which succeeded: one that was called for, say, whose caller's interval
    is longer. They count when the deadline comes, and do not make good one that was missed.
    """

    def __init__(self) -> None:
        self.failed: dict[str, bool] = {}
        self.expected: dict[tuple[str, Instant], tuple[Instant, str]] = {}
        self.succeeded: set[tuple[str, Instant]] = set()
        self.covered: set[tuple[str, Instant]] = set()
        self.cursors: dict[str, Instant] = {}

    def committed(self, change: Commit, created: Sequence[Run], runs: Mapping[int, SeenRun]) -> None:
        """What a commit says to people is what its events say."""
        wanted: list[tuple[str, str]] = []
        unfolding: set[tuple[int, int | None]] = set()
        rejecting = {records.attempt for records in change.rejected}
        for event in change.events:
            run, spec = runs[event.run_id].run, runs[event.run_id].spec
            key = key_of(run.dag_id, run.interval.start)
            if event.cause in _REPORTED and event.attempt in rejecting:
                wanted.append((rejects_key(run), "trigger"))
                self.failed[rejects_key(run)] = True
            if event.cause is Cause.ADMITTED:
                wanted.append((rejects_key(run), "resolve"))
                self.failed[rejects_key(run)] = False
            elif event.cause in _TRIGGERS:
                wanted.append((key, "trigger"))
                self.failed[key] = True
            elif event.cause is Cause.ASKED or _is_answered(spec, event):
                asks = event.cause is Cause.ASKED
                key = _question(run, spec, event)
                wanted.append((key, "trigger" if asks else "resolve"))
                self.failed[key] = asks
            elif event.cause in _ONCE_FOR_A_SCOPE:
                scope = run.run_id, spec.tasks[event.task_no or 0].scope
                wanted += [] if scope in unfolding else [(key, "trigger")]
                unfolding.add(scope)
                self.failed[key] = True
            elif event.cause is Cause.TASKS_SUCCEEDED:
                wanted.append((key, "resolve"))
                self.failed[key] = False
                self.succeeded.add((run.dag_id, run.interval.start))
                within = intervals_between(spec.schedule, run.interval.start, run.interval.end - 1)
                also = {(run.dag_id, each.start) for each in within}
                self.covered |= also
                self.succeeded |= also if run.kind == "backfill" else set()
        told = [(alert.dedup_key, alert.action) for alert in change.alerts if not alert.dedup_key.endswith("/deadline")]
        demand(_by_key(told) == _by_key(wanted), f"people were told {told}, the events say {wanted}")
        self._expectations(change)
        for cursor in change.cursors:
            before = self.cursors.get(cursor.dag_id)
            demand(before is None or cursor.until >= before, f"the schedule of {cursor.dag_id} is followed backwards")
            self.cursors[cursor.dag_id] = cursor.until

    def _expectations(self, change: Commit) -> None:
        alerts = [(alert.dedup_key, alert.action) for alert in change.alerts if alert.dedup_key.endswith("/deadline")]
        for move in change.expectations:
            key = (move.dag_id, move.start)
            name = f"{key_of(*key)}/deadline"
            due, was = self.expected.get(key, (move.due_at, "none"))
            match move.becomes:
                case "expected":
                    if was == "none":
                        self.expected[key] = (due, "expected")
                case "missed":
                    demand(was == "expected", f"the deadline {name} is missed when it is {was}")
                    demand(move.at > due, f"the deadline {name} is missed at {move.at}, due {due}")
                    demand((name, "trigger") in alerts, f"nobody is told that {name} is missed")
                    self.expected[key] = (due, "missed")
                case "met":
                    demand(key in self.succeeded | self.covered, f"the deadline {name} is met by nothing")
                    demand(was != "missed" or (name, "resolve") in alerts, f"nobody is told that {name} is made good")
                    self.expected[key] = (due, "met")

    def overdue(self, now: Instant) -> list[tuple[str, Instant]]:
        """Deadlines that have passed, and nobody has noticed."""
        return [key for key, (due, state) in self.expected.items() if state == "expected" and due < now]


def _question(run: Run, spec: DagSpec, event: Event) -> str:
    """The key of the alert that an approval's question is; each is one of its own."""
    name = instance_name(spec, event.task_no or 0, event.map_index)
    return f"{key_of(run.dag_id, run.interval.start)}/{run.run_id}/{name}"


def _is_answered(spec: DagSpec, event: Event) -> bool:
    """Whether an approval waits no more for an answer."""
    was_asked = event.task_no is not None and spec.tasks[event.task_no].approval is not None
    return was_asked and event.was == TaskState.DEFERRED


def _by_key(told: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """What people are told, in order, about each thing."""
    return {key: [action for other, action in told if other == key] for key, _ in told}
