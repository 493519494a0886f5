"""What a graph says of a task, as it is defined: edge by edge, over every way in which what is open may end.

The scheduler counts, and goes by gates. Here a rule is a function of how *all* upstreams ended; it is decided as soon as
every way to end leads to the same.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Final

from ostinato.model.cause import Cause
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.spec import DagSpec, TaskSpec, TriggerRule
from ostinato.model.state import FINAL_TASK, TaskState

BAD: Final = frozenset({TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED})
_ENDS: Final = (TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED)
_TAKEN: Final = {
    "succeeded": {TaskState.SUCCESS},
    "failed": BAD,
    "skipped": {TaskState.SKIPPED},
    "completed": {TaskState.SUCCESS} | BAD,
}
BEFORE_ALL_HAVE_ENDED: Final = frozenset({"one_success", "one_failed", "one_done", "always"})
"""The rules by which a task may start while an upstream is open."""


class Edges:
    """The graph of a dag (``scope_no`` None), or of one passage through a scope."""

    def __init__(self, spec: DagSpec, scope_no: int | None) -> None:
        self._spec = spec
        self._scope_no = scope_no
        self.nodes = [no for no, task in enumerate(spec.tasks) if scope_no is None or task.scope == scope_no]
        self.after: dict[int, set[int]] = {no: set() for no in self.nodes}
        for no in reversed(self.nodes):
            for above in self.above(no):
                self.after[above] |= {no, *self.after[no]}
        self._steered_by = {no: self._steering(no) for no in self.nodes}
        self._known: dict[tuple[int, tuple[TaskState, ...]], Cause | None] = {}

    def above(self, no: int) -> tuple[int, ...]:
        """What a task waits for. Seen from outside, a task in a scope waits for what the scope waits for."""
        task = self._spec.tasks[no]
        return task.upstream if self._own(task) else self._spec.scopes[task.scope or 0].upstream

    def below(self, no: int) -> list[int]:
        """What waits for a task, itself."""
        return [other for other in self.nodes if no in self.above(other)]

    def fates(self, no: int, states: Mapping[int, TaskState], follows: Mapping[int, Sequence[str]]) -> set[Cause]:
        """By which causes a task that has not begun must end; READY: it may start; none: that is not decided yet."""
        steering = self._steered_by[no]
        aside = {cause for other, cause in steering if self._leaves_aside(other, no, follows)}
        if aside:
            return aside
        if any(states[other] not in FINAL_TASK for other, _ in steering):
            return set()
        cause = self._judged(no, tuple([states[above] for above in self.above(no)]))
        return set() if cause is None else {cause}

    def _own(self, task: TaskSpec) -> bool:
        return task.scope == self._scope_no

    def _tears_down(self, no: int) -> bool:
        task = self._spec.tasks[no]
        return task.role == "teardown" and self._own(task)

    def _steering(self, no: int) -> list[tuple[int, Cause]]:
        """Who may say that a task is left aside: a branch right before it, a short circuit anywhere before it."""
        if self._tears_down(no):
            return []
        own = [(other, self._spec.tasks[other].kind) for other in self.nodes if self._own(self._spec.tasks[other])]
        branches = [(other, Cause.BRANCH_NOT_TAKEN) for other, kind in own if kind == "branch"]
        circuits = [(other, Cause.SHORT_CIRCUITED) for other, kind in own if kind == "short_circuit"]
        return [each for each in branches if each[0] in self.above(no)] + [
            each for each in circuits if no in self.after[each[0]]
        ]

    def _leaves_aside(self, steering: int, no: int, follows: Mapping[int, Sequence[str]]) -> bool:
        if steering not in follows:
            return False
        followed = {other for other in self.nodes if self._is_named(other, follows[steering])}
        return all(no != other and no not in self.after[other] for other in followed)

    def _is_named(self, no: int, names: Sequence[str]) -> bool:
        task = self._spec.tasks[no]
        if self._own(task):
            return task.task_id in names
        scope_no = task.scope or 0
        companions = {other.task_id for other in self._spec.tasks if other.scope == scope_no}
        return not companions.isdisjoint(names) or self._spec.scopes[scope_no].scope_id in names

    def _judged(self, no: int, ends: tuple[TaskState, ...]) -> Cause | None:
        key = no, ends
        if key not in self._known:
            self._known[key] = self._judge(no, ends)
        return self._known[key]

    def _judge(self, no: int, ends: tuple[TaskState, ...]) -> Cause | None:
        task = self._spec.tasks[no]
        rule = task.trigger_rule if self._own(task) else self._spec.scopes[task.scope or 0].trigger_rule
        conditions = task.conditions if self._own(task) else ()
        open_ = any(end not in FINAL_TASK for end in ends)
        if open_ and rule == "all_done_setup_success" and not conditions:
            return None
        ways = product(*[(end,) if end in FINAL_TASK else _ENDS for end in ends])
        causes = {self._whole(no, rule, conditions, way) for way in ways}
        if len(causes) > 1:
            return None
        (cause,) = causes
        waits = conditions or rule not in BEFORE_ALL_HAVE_ENDED
        return None if open_ and waits and cause is Cause.READY else cause

    def _whole(
        self,
        no: int,
        rule: TriggerRule,
        conditions: tuple[tuple[str, ...], ...],
        ends: tuple[TaskState, ...],
    ) -> Cause:
        """What all upstreams together make of a task, once they have all ended."""
        if not ends:
            return Cause.READY
        if conditions:
            takes = [any(end in _TAKEN[word] for word in words) for end, words in zip(ends, conditions, strict=True)]
            return Cause.READY if all(takes) else Cause.EDGE_NOT_TAKEN
        if rule == "all_done_setup_success":
            setups = self._spec.tasks[no].setups
            ends = tuple([end for above, end in zip(self.above(no), ends, strict=True) if above in setups])
            if not ends:
                return Cause.READY
        good = ends.count(TaskState.SUCCESS)
        skipped = ends.count(TaskState.SKIPPED)
        return by_rule(rule, good, len(ends) - good - skipped, skipped)


def by_rule(rule: TriggerRule, good: int, bad: int, skipped: int) -> Cause:  # noqa: C901 - a case for each rule
    """What a trigger rule says when so many upstreams succeeded, failed and were skipped, and none is open."""
    match rule:
        case "all_done" | "always":
            starts = True
        case "all_success":
            starts = not bad and not skipped
        case "all_failed":
            return Cause.RULE_NOT_MET if good or skipped else Cause.READY
        case "all_skipped":
            return Cause.RULE_NOT_MET if good or bad else Cause.READY
        case "one_failed":
            return Cause.READY if bad else Cause.RULE_NOT_MET
        case "one_success" | "all_done_min_one_success" | "all_done_setup_success":
            starts = good > 0
        case "one_done":
            starts = good + bad > 0
        case "none_failed":
            starts = not bad
        case "none_failed_min_one_success":
            starts = good > 0 and not bad
        case "none_skipped":
            return Cause.UPSTREAM_SKIPPED if skipped else Cause.READY
    if starts:
        return Cause.READY
    return Cause.UPSTREAM_FAILED if bad else Cause.UPSTREAM_SKIPPED


def whole(task_no: int) -> Instance:
    """A task outside of any scope; or one in a scope, as a whole."""
    return task_no, UNMAPPED
