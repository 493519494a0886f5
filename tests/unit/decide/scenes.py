"""A dag played from beginning to end: the scene answers what the board asks, one thing at a time, in any order."""

from collections.abc import Callable, Mapping
from functools import partial

from msgspec import structs

from ostinato.decide.board import Board
from ostinato.decide.shape import Shape
from ostinato.decide.step import Calling, Needing, Probe, Unfolding
from ostinato.model.cause import Cause
from ostinato.model.change import Alert, Decision, NewRun, SwitchedOff
from ostinato.model.limits import Limits
from ostinato.model.message import Finished, Hello, Started
from ostinato.model.record import UNMAPPED, Instance, Intervention, Pool, Run
from ostinato.model.spec import CompiledDag, DagSpec, TaskSpec
from ostinato.model.state import FINAL_RUN, RunState, TaskState
from ostinato.model.value import encode
from tests.unit.decide.boards import LOGIC, NOW, run_of, told
from tests.unit.decide.naive import Play
from tests.unit.decide.written import Written

CHILD = "child"
Move = Callable[[], None]


class Scene:
    """One run of a play's dag, the run 1, on a board that can be torn down and set up again at any time.

    ``asked`` is what the board asks and was not told yet, by what it is about.
    """

    def __init__(
        self, play: Play, *, switched_off: Mapping[tuple[str, str], SwitchedOff] | None = None, child_most: int = 16
    ) -> None:
        self.play = play
        self.now = NOW
        self.written = Written()
        self.shapes = {
            play.spec.dag_id: Shape(CompiledDag(play.spec, "x.py", "source", "version")),
            CHILD: Shape(
                CompiledDag(DagSpec(CHILD, (TaskSpec("t"),), max_active_runs=child_most), "x.py", "source", "version")
            ),
        }
        self.switched_off = switched_off or {}
        self.asked: dict[tuple[str, int, int], Move] = {}
        self.told_to_stop: set[int] = set()
        self._alerts: list[Alert] = []
        self.refused: list[object] = []
        self.parents: dict[int, Instance] = {}
        self.board = self._board()

    @property
    def alerts(self) -> list[tuple[str, str]]:
        """What people were told: action and key."""
        return told(self._alerts)

    def _board(self) -> Board:
        board = Board(Limits(), max(self.written.attempts, default=0) + 1, lambda: 0.0)
        board.capacity.set_pools([Pool("default", 1_000)])
        board.ready.switched_off = self.switched_off
        return board

    def open(self, run: Run | None = None) -> "Scene":
        """The run 1 comes to be and begins."""
        opened = run or run_of(1, dag_id=self.play.spec.dag_id)
        self.written.put(opened)
        self.board.open_run(opened, self.shapes[opened.dag_id])
        self.board.agent_joined(Hello("a1", 1, 2, 1_000, (), ()), self.now)
        self.settle()
        return self

    def restart(self) -> None:
        """Another board takes over from what is written; what was asked and not answered is forgotten."""
        self.asked.clear()
        self.board = self._board()
        for run in self.written.open_runs():
            self.board.adopt(self.written.open_run(run.run_id), self.shapes[run.dag_id], self.now)
        for run in self.written.open_runs():
            if run.cancel_requested_at is not None:
                self.board.cancel(run.run_id, "ann", self.now)
        holds = tuple(number for number, row in self.written.attempts.items() if row.state in {"queued", "running"})
        self.board.agent_joined(Hello("a1", 1, 2, 1_000, holds, ()), self.now)
        self.settle()

    def settle(self) -> None:
        """Write what is decided, until nothing follows."""
        while True:
            self.board.tick(self.now)
            step = self.board.take()
            created = self.written.write(step.commit)
            for run in created:
                assert run.parent is not None
                self.parents[run.run_id] = run.parent[1:]
                self.board.open_run(run, self.shapes[run.dag_id])
            for attempts in step.cancel.values():
                self.told_to_stop.update(attempts)
            self._alerts += step.commit.alerts
            self.refused += [
                (event.facts or {})["why"] for event in step.commit.events if event.cause is Cause.DECISION_REFUSED
            ]
            for asked in step.unfolds:
                self.asked["unfold", asked.run.run_id, asked.scope_no] = partial(self._unfold, asked)
            for calling in step.calls:
                self.asked["call", calling.run.run_id, calling.no] = partial(self._call, calling)
            for needing in step.needs.values():
                self.asked["need", needing.run.run_id, needing.no] = partial(self._need, needing)
            for probe in step.probes:
                self.asked["probe", probe.run.run_id, probe.no] = partial(self._probe, probe)
            due = self.board.next_due()
            if not created and (due is None or due > self.now):
                break

    def moves(self) -> list[Move]:
        """All that may happen next."""
        found = [partial(self._answer, key) for key in sorted(self.asked)]
        for number, attempt in sorted(self.board.attempts.items()):
            found.append(partial(self._end, number))
            if attempt.state == "queued":
                found.append(partial(self._start, number))
        live = self.board.runs.get(1)
        for no, state in enumerate(live.states if live else ()):
            if live is not None and state is TaskState.DEFERRED and live.task(no).approval is not None:
                found.append(partial(self._decide, live.instance(no)))
        return found

    def finish(self, choose: Callable[[int], int] = lambda _: 0) -> None:
        """Let all happen; ``choose`` says which of so many moves is next."""
        while moves := self.moves():
            moves[choose(len(moves))]()
            self.settle()

    def answer(self, what: str, no: int, run_id: int = 1) -> None:
        """Answer one question: of a task instance by its number in the run, of a scope by the scope's."""
        self._answer((what, run_id, no))
        self.settle()

    def end(self, task_no: int, map_index: int = UNMAPPED, run_id: int = 1) -> None:
        """The live attempt of a task instance ends as the play says."""
        live = self.board.runs[run_id]
        self._end(live.live_attempt[live.number((task_no, map_index))].attempt)
        self.settle()

    def decide(self, what: Decision, task_no: int = 0, map_index: int = UNMAPPED, run_id: int = 1) -> None:
        """Somebody decides about a task instance."""
        self.board.decided(Intervention(7, run_id, task_no, map_index, what, "ann", self.now), self.now)
        self.settle()

    def cancel(self, run_id: int = 1) -> None:
        """Somebody wants a run to stop."""
        run = self.written.runs[run_id]
        if run.state in FINAL_RUN:
            return
        self.written.runs[run_id] = structs.replace(run, cancel_requested_at=self.now)
        self.board.cancel(run_id, "ann", self.now)
        self.settle()

    def later(self, ms: int) -> None:
        """Time passes."""
        self.now += ms
        self.settle()

    def states(self) -> dict[Instance, TaskState]:
        """Where the task instances of the run 1 stand."""
        return self.written.states()

    def run_state(self, run_id: int = 1) -> RunState:
        """Where a run stands."""
        return self.written.runs[run_id].state

    # --- moves --------------------------------------------------------------------------------------------------

    def _answer(self, key: tuple[str, int, int]) -> None:
        self.asked.pop(key)()

    def _unfold(self, asked: Unfolding) -> None:
        scope = self.play.spec.scopes[asked.scope_no]
        count = self.play.items[asked.scope_no]
        if scope.kind == "loop":
            count = 0 if asked.turn >= count else 1
        self.board.unfolded(asked, [encode({"value": no}) for no in range(count)], self.now)

    def _call(self, calling: Calling) -> None:
        run, parent = calling.run, (calling.run.run_id, *calling.instance)
        key = f"call:{parent}"
        child = NewRun(
            CHILD, "version", key, "called", run.interval.start, run.interval.end, b"\x80", self.now, parent=parent
        )
        self.board.called(calling, child, self.now)

    def _need(self, needing: Needing) -> None:
        self.board.needs_met(needing, self.now)

    def _probe(self, probe: Probe) -> None:
        self.board.probed(probe, self.now, found=True)

    def _start(self, attempt: int) -> None:
        self.board.started("a1", Started(attempt, self.now), self.now)

    def _end(self, number: int) -> None:
        attempt = self.board.attempts[number]
        if number in self.told_to_stop:
            self.board.finished("a1", Finished(number, "cancelled", self.now, self.now), self.now)
            return
        run_id, instance = attempt.live.run.run_id, attempt.live.instance(attempt.no)
        verdict = self.play.end_of(self.parents.get(run_id, instance))
        report = Finished(number, verdict, self.now, self.now, failure=LOGIC if verdict == "failed" else None)
        if run_id == 1 and verdict == "success":
            report = structs.replace(report, follow=self.play.follow.get(instance[0]))
        self.board.finished("a1", report, self.now)

    def _decide(self, instance: Instance) -> None:
        what = "approve" if self.play.end_of(instance) == "success" else "decline"
        self.board.decided(Intervention(1, 1, *instance, what, "ann", self.now), self.now)
