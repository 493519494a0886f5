"""How a run moves along its graph: what ends is counted in the gates it feeds, and what follows follows in the same commit."""

from collections.abc import Callable, Iterable, Sequence

from ostinato.model.cause import Cause
from ostinato.model.errors import InvariantBroken
from ostinato.model.record import Run
from ostinato.model.state import TaskState
from ostinato.model.time import Instant

from .live import NOT_STARTED, Frame, LiveRun, LiveScope
from .ready import Ready
from .rule import verdict
from .step import Scribe, Unfolding
from .unfold import Scopes

_STEERED = {"branch": Cause.BRANCH_NOT_TAKEN, "short_circuit": Cause.SHORT_CIRCUITED}


class Walk:
    """See the module. ``over`` is called with a run all of whose tasks are final."""

    def __init__(self, scribe: Scribe, ready: Ready, over: Callable[[LiveRun, Instant], None]) -> None:
        self._scribe = scribe
        self._ready = ready
        self._scopes = Scopes(scribe)
        self._over = over

    def begin(self, live: LiveRun, now: Instant) -> None:
        """A run begins, or goes on after a restart, or from where another run came to: start all that may start.

        Every gate says again what it said before; what has begun is not touched.
        """
        unfolded = [scope for scope in live.scopes.values() if self._scopes.is_unfolded(live, scope)]
        ended = self._enter(live, live.root, now)
        for scope in unfolded:
            ended += self._take_up(live, scope, now)
        self.ripple(live, ended, now)

    def demand_whole(self, live: LiveRun) -> None:
        """Raises InvariantBroken if a gate had ended its members, and they have not: what follows is written at once."""
        for frame in (live.root, *(frame for scope in live.scopes.values() for frame in scope.frames)):
            for gate, count in zip(frame.graph.gates, frame.counts, strict=True):
                open_ = [no for no in gate.members if live.states[frame.first + no] is TaskState.NONE]
                if open_ and verdict(gate, count) not in {None, Cause.READY}:
                    raise InvariantBroken(
                        "a task's end was not recorded with its cause", where=f"run {live.run.run_id}"
                    )

    def settle(
        self,
        live: LiveRun,
        no: int,
        cause: Cause,
        now: Instant,
        facts: dict[str, object] | None = None,
        follow: Sequence[str] | None = None,
    ) -> None:
        """A task instance reaches a final state. ``follow`` is what one that steers wants to go on; None: everything."""
        self._scribe.move_task(live, no, cause, now, facts=facts)
        skipped = [] if follow is None else self._steer(live, no, follow, now)
        self.ripple(live, [no, *skipped], now)

    def ripple(self, live: LiveRun, ended: Iterable[int], now: Instant) -> None:
        """Count task instances that have ended, let pass what passes by that, and so on to the end of the run."""
        ahead = list(ended)
        while ahead:
            no = ahead.pop()
            frame = live.settle(no)
            node = no - frame.first
            for gate in dict.fromkeys((*frame.graph.feeds[node], *frame.graph.steers[node])):
                ahead += self._pass(live, frame, gate, now)
            if frame.scope is not None:
                ahead += self._scopes.look(live, frame.scope, now)
                ahead += self._enter_all(live, self._scopes.begin(frame.scope), now)
            elif live.states[no] in _THERE:
                self._ready.succeeded(live.run, live.task(no).task_id)
        if live.over:
            self._over(live, now)

    def ready(self, live: LiveRun, no: int, now: Instant) -> None:
        """What a task instance needed is there."""
        self._ready.met(live, no)
        self.ripple(live, self._ready.go(live, no, now), now)

    def switched_off(self, live: LiveRun, now: Instant) -> None:
        """End what is switched off by now, its turn having come, and has not begun."""
        ended = [
            no for no in range(len(live.states)) if self._ready.is_off(live, no) and self._waits_to_begin(live, no)
        ]
        for no in ended:
            self._ready.met(live, no)
            self._ready.go(live, no, now)
        self.ripple(live, ended, now)

    def unfolded(self, live: LiveRun, asked: Unfolding, items: Sequence[bytes], now: Instant) -> None:
        """See `Scopes.unfolded`."""
        ended = self._scopes.unfolded(live, asked, items, now)
        scope = live.scopes.get(asked.scope_no)
        if scope is not None:
            ended += self._enter_all(live, self._scopes.begin(scope), now)
        self.ripple(live, ended, now)

    def not_unfolded(self, live: LiveRun, asked: Unfolding, why: str, now: Instant) -> None:
        """See `Scopes.refused`."""
        self.ripple(live, self._scopes.refused(live, asked, why, now), now)

    def stop(self, live: LiveRun, now: Instant) -> None:
        """End what has not started."""
        ended = [no for no, state in enumerate(live.states) if state in NOT_STARTED]
        for no in ended:
            self._scribe.move_task(live, no, Cause.CANCELLED, now)
        for scope in live.scopes.values():
            ended += self._scopes.look(live, scope, now)
        self.ripple(live, ended, now)

    def run_over(self, run: Run) -> None:
        """A run has ended. Whoever needs an interval of its dag asks again: see `Ready.over`."""
        self._ready.over(run)

    # --- one step further ---------------------------------------------------------------------------------------

    def _take_up(self, live: LiveRun, scope: LiveScope, now: Instant) -> list[int]:
        """Go on with the instances of a scope where they stand, and begin those that may."""
        ended = self._enter_all(live, [frame for frame in scope.frames if frame.begun], now)
        ended += self._enter_all(live, self._scopes.begin(scope), now)
        return ended + self._scopes.look(live, scope, now)

    def _enter_all(self, live: LiveRun, frames: Iterable[Frame], now: Instant) -> list[int]:
        return [no for frame in frames for no in self._enter(live, frame, now)]

    def _enter(self, live: LiveRun, frame: Frame, now: Instant) -> list[int]:
        """Start what waits for nothing, and let pass what may pass."""
        ended = self._start(live, [frame.first + root for root in frame.graph.roots], now)
        fresh = frame.left == len(frame.graph.gate_of)
        for gate in frame.graph.open if fresh else range(len(frame.graph.gates)):
            ended += self._pass(live, frame, gate, now)
        return ended

    def _pass(self, live: LiveRun, frame: Frame, gate_no: int, now: Instant) -> list[int]:
        """Apply what a gate says to its members, once; return those that ended by it."""
        gate, count = frame.graph.gates[gate_no], frame.counts[gate_no]
        cause = None if count.decided or live.cancelling else verdict(gate, count)
        if cause is None:
            return []
        if cause is Cause.READY and not frame.begun:
            return []
        count.decided = True
        members = [frame.first + member for member in gate.members]
        if cause is Cause.READY:
            return self._start(live, members, now)
        waiting = [no for no in members if live.states[no] is TaskState.NONE]
        for no in waiting:
            self._scribe.move_task(live, no, cause, now)
        return waiting

    def _start(self, live: LiveRun, numbers: Iterable[int], now: Instant) -> list[int]:
        """Those of these that have not begun may start.

        A scope asks for its items, once for all of its tasks. One that has taken over its items asks for none.
        """
        ended: list[int] = []
        scopes: dict[int, None] = {}
        for no in numbers:
            if live.states[no] is not TaskState.NONE:
                continue
            scope_no = live.shape.tasks[no].scope if live.frames[no] is live.root else None
            if scope_no is None:
                ended += self._ready.start(live, no, now)
            else:
                scopes[scope_no] = None
        for scope_no in scopes:
            scope = live.scopes.get(scope_no)
            if scope is None:
                self._scopes.ask(live, scope_no)
            else:
                self._scopes.expand(live, scope, now)
                ended += self._take_up(live, scope, now)
        return ended

    def _waits_to_begin(self, live: LiveRun, no: int) -> bool:
        """Whether nothing before it in its run holds a task instance up, and it has not begun."""
        frame = live.frames[no]
        if live.states[no] is not TaskState.NONE or not frame.begun:
            return False
        if frame is live.root and live.shape.tasks[no].scope is not None:
            return False  # as a whole it does not begin; its instances do
        gate = frame.graph.gate_of[no - frame.first]
        return gate is None or frame.counts[gate].decided

    def _steer(self, live: LiveRun, no: int, follow: Sequence[str], now: Instant) -> list[int]:
        """Skip what a branch or a short circuit leaves aside."""
        frame = live.frames[no]
        scope = None if frame.scope is None else frame.scope.shape
        left_aside = frame.graph.ended_by(no - frame.first, live.shape.nodes(follow, scope))
        skipped = [frame.first + node for node in left_aside if live.states[frame.first + node] is TaskState.NONE]
        for each in skipped:
            self._scribe.move_task(live, each, _STEERED[live.task(no).kind], now)
        return skipped


_THERE = frozenset({TaskState.SUCCESS, TaskState.SKIPPED})
