"""Scopes: how many instances there are, which may begin, and what their tasks have come to as a whole.

A scope asks for its items once what it waits for has passed; a loop asks again after every turn. Who answers looks into
outputs, which the board never does. Until then nothing is written, so after a restart it asks again.
"""

from collections.abc import Sequence

from ostinato.model.cause import Cause
from ostinato.model.change import Item
from ostinato.model.state import FINAL_TASK, TaskState
from ostinato.model.time import Instant

from .alarm import expansion_alert
from .live import Frame, LiveRun, LiveScope
from .step import Scribe, Unfolding

_AS_A_WHOLE = {
    TaskState.SUCCESS: Cause.INSTANCES_SUCCEEDED,
    TaskState.FAILED: Cause.INSTANCES_FAILED,
    TaskState.SKIPPED: Cause.INSTANCES_SKIPPED,
    TaskState.UPSTREAM_FAILED: Cause.INSTANCES_UPSTREAM_FAILED,
    TaskState.CANCELLED: Cause.CANCEL_CONFIRMED,
}


class Scopes:
    """Each method returns the numbers of the task instances that have ended by it, not yet counted."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe

    def ask(self, live: LiveRun, scope_no: int, turn: int = 0) -> None:
        """What a scope waits for has passed, or a turn of a loop is over: what are the items, or the next turn's?"""
        self._scribe.step.unfolds.append(Unfolding(live.run, scope_no, turn))

    def unfolded(self, live: LiveRun, asked: Unfolding, items: Sequence[bytes], now: Instant) -> list[int]:
        """The items of a scope, or the one of a loop's next turn; none, after a turn: the loop is over."""
        shape = live.shape.scopes[asked.scope_no]
        if asked.turn and not items:
            return self._end(live, live.scopes[asked.scope_no], now)
        if asked.turn + len(items) > shape.spec.limit:
            return self._too_many(live, asked, len(items), now)
        if not items:
            for member in shape.members:
                self._scribe.move_task(live, member, Cause.NOTHING_TO_EXPAND, now)
            return list(shape.members)
        scope = live.unfold(asked.scope_no, len(items))
        if not asked.turn:
            self.expand(live, scope, now)
        self._scribe.step.commit.items += [
            Item(live.run.run_id, asked.scope_no, asked.turn + index, item) for index, item in enumerate(items)
        ]
        return []

    def is_unfolded(self, live: LiveRun, scope: LiveScope) -> bool:
        """Whether any of its tasks, as a whole, runs."""
        return any(live.states[member] is TaskState.RUNNING for member in scope.shape.members)

    def expand(self, live: LiveRun, scope: LiveScope, now: Instant) -> None:
        """Its tasks, as a whole, run from now on; but for those that were taken over from another run."""
        for member in scope.shape.members:
            if live.states[member] is TaskState.NONE:
                self._scribe.move_task(live, member, Cause.EXPANDED, now, facts={"items": len(scope.frames)})

    def refused(self, live: LiveRun, asked: Unfolding, why: str, now: Instant) -> list[int]:
        """There is no list of items where one should be, or no turn can be made of what a loop's tasks returned."""
        return self._fail(live, asked, Cause.EXPANSION_FAILED, why, now)

    def _too_many(self, live: LiveRun, asked: Unfolding, count: int, now: Instant) -> list[int]:
        spec = live.shape.scopes[asked.scope_no].spec
        if asked.turn:
            why = f"{spec.scope_id} is not done after {spec.limit} turns, which is its limit"
            return self._fail(live, asked, Cause.LOOP_EXHAUSTED, why, now)
        why = f"{spec.scope_id} has {count} items, and its limit is {spec.limit}"
        return self._fail(live, asked, Cause.EXPANSION_FAILED, why, now)

    def _fail(self, live: LiveRun, asked: Unfolding, cause: Cause, why: str, now: Instant) -> list[int]:
        """Those of its tasks that begin it fail, or in a loop the one that says when it ends; the others follow."""
        shape = live.shape.scopes[asked.scope_no]
        at_fault = {shape.members[place] for place in shape.graph.roots}
        if asked.turn and shape.spec.until is not None:
            at_fault = {shape.spec.until}
        for member in shape.members:
            if member in at_fault:
                self._scribe.move_task(live, member, cause, now, facts={"why": why})
            elif not asked.turn:
                self._scribe.move_task(live, member, Cause.UPSTREAM_FAILED, now)
            else:
                self._sum_up(live, live.scopes[asked.scope_no], member, now)
        self._scribe.step.commit.alerts.append(expansion_alert(live.run, live.shape.tasks[min(at_fault)], why, now))
        return list(shape.members)

    def begin(self, scope: LiveScope) -> list[Frame]:
        """The instances that begin now."""
        begun: list[Frame] = []
        while (frame := scope.begin_next()) is not None:
            begun.append(frame)
        return begun

    def look(self, live: LiveRun, scope: LiveScope, now: Instant) -> list[int]:
        """An instance of a task has ended, or it is not known what did: sum up what is over, turn what is to go on."""
        if scope.shape.spec.kind == "each":
            return [
                member
                for member in scope.shape.members
                if self._is_over(live, scope, member) and self._sum_up(live, scope, member, now)
            ]
        last = scope.frames[-1]
        if last.left or live.states[scope.shape.members[0]] in FINAL_TASK:
            return []
        until = scope.shape.spec.until
        if live.cancelling or (until is not None and not self._succeeded(live, last, scope, until)):
            return self._end(live, scope, now)
        self.ask(live, scope.scope_no, len(scope.frames))
        return []

    def _end(self, live: LiveRun, scope: LiveScope, now: Instant) -> list[int]:
        return [member for member in scope.shape.members if self._sum_up(live, scope, member, now)]

    def _is_over(self, live: LiveRun, scope: LiveScope, member: int) -> bool:
        return not scope.open[scope.shape.place[member]] and live.states[member] is TaskState.RUNNING

    def _succeeded(self, live: LiveRun, frame: Frame, scope: LiveScope, task_no: int) -> bool:
        return live.states[frame.first + scope.shape.place[task_no]] is TaskState.SUCCESS

    def _sum_up(self, live: LiveRun, scope: LiveScope, member: int, now: Instant) -> TaskState:
        """A task in a scope has come to what the worst of its instances came to."""
        return self._scribe.move_task(live, member, _AS_A_WHOLE[scope.worst[scope.shape.place[member]]], now)
