"""Who answers what the board asks: as the script says, else as the real thing would; and people speak by the script alone.

What lies outside of the rehearsal is taken to be there (see `Outside`), but for what an answer is made of: a file is
really looked for, a dag that is called must be rehearsed too or have its outcome scripted, and nobody approves unasked.
"""

from collections.abc import Callable, Mapping
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import Final

from ostinato.control.answers import Answers
from ostinato.control.need_history import NeedHistory
from ostinato.control.probe import FileProber
from ostinato.decide.board import Board
from ostinato.decide.shape import Shape
from ostinato.decide.step import Calling, Needing, Probe, Step, Unfolding
from ostinato.model.change import Decision, NewRun
from ostinato.model.errors import InvariantBroken, NotRehearsable, OstinatoError
from ostinato.model.record import UNMAPPED, Instance, Intervention, Run
from ostinato.model.spec import CompiledDag, DagSpec, Need, TaskSpec
from ostinato.model.state import TaskState
from ostinato.model.time import Instant
from ostinato.model.value import encode

from .fit import answer
from .ledger import Ledger
from .outcomes import Outcomes
from .outside import Outside
from .part import Part
from .script import UNSCRIPTED, Raising, Script

UNBOUNDED: Final = 1 << 30
_SCRIPTED: Final = TaskSpec("as_scripted", kind="interval", needs=(Need("nobody"),))
"""The one task of a run that stands in for one of a dag which is not rehearsed: it ends when the script says so."""


class Prompter:
    """``parts`` are the dags by version; ``since`` is from when on their schedules are followed, by dag id."""

    def __init__(
        self, board: Board, parts: Mapping[str, Part], outcomes: Outcomes, ledger: Ledger, since: Mapping[str, Instant]
    ) -> None:
        self._board = board
        self._parts = parts
        self._outcomes = outcomes
        self._ledger = ledger
        self._rehearsed = {part.spec.dag_id for part in parts.values()}
        self._people = any(task.kind == "approval" for part in parts.values() for task in part.spec.tasks)
        self._files = FileProber(self._compiled)
        history = Outside(NeedHistory(ledger, self._compiled), since)
        self._answers = Answers(ledger, self._compiled, history)
        self._later: list[tuple[Instant, int, Callable[[Instant], None]]] = []
        self._ticket = count()
        self._promised: set[tuple[int, int]] = set()
        self._stand_ins: dict[str, Shape] = {}
        self._scripts: dict[str, Script] = {}

    def shape(self, version: str) -> Shape:
        """The shape of a dag version, or of what stands in for a dag."""
        part = self._parts.get(version)
        return self._stand_ins[version] if part is None else part.shape

    def next_due(self) -> Instant | None:
        """When something is to be said; None: nothing is."""
        return self._later[0][0] if self._later else None

    def speak(self, now: Instant) -> None:
        """Say what is due."""
        while self._later and self._later[0][0] <= now:
            heappop(self._later)[2](now)

    def opened(self, run: Run, now: Instant) -> None:
        """A run has come to be. One that stands in for another dag's ends as its script says."""
        script = self._scripts.pop(run.run_key, None)
        if script is not None:
            act = script.act(1)
            said = "mark_failed" if isinstance(act.stand_in, Raising) else "mark_success"
            self._say(now + act.takes, partial(self._decide, run, (0, UNMAPPED), said))

    def answer(self, step: Step, now: Instant) -> None:
        """Answer what a step asks, now that what it asks about is on record."""
        for probe in step.probes:
            self._look(probe, now)
        for needing in step.needs.values():
            self._need(needing, now)
        for asked in step.unfolds:
            self._unfold(asked, now)
        for calling in step.calls:
            self._call(calling, now)
        if self._people:
            self._ask_people(step, now)

    def _say(self, at: Instant, what: Callable[[Instant], None]) -> None:
        heappush(self._later, (at, next(self._ticket), what))

    def _compiled(self, version: str) -> CompiledDag:
        return self.shape(version).compiled

    def _script(self, run: Run, instance: Instance) -> Script:
        return self._outcomes.script(self._parts[run.version], run, instance)

    def _look(self, probe: Probe, now: Instant) -> None:
        """Whether the file that a sensor waits for is there: by its script, else really."""
        live = self._board.runs.get(probe.run.run_id)
        if live is None:  # it was cancelled in the step that asked
            return
        run, instance = probe.run, live.instance(probe.no)
        arrival = self._script(run, instance).arrival
        if arrival is None:
            found = self._files.look(probe)
        else:
            found = self._ledger.waited(run.run_id, instance, now) >= arrival
        self._board.probed(probe, now, found=found)

    def _need(self, needing: Needing, now: Instant) -> None:
        """Whether what a task needs of other intervals is there. A promise is given once, and kept in time."""
        run, no = needing.run, needing.no
        live = self._board.runs.get(run.run_id)
        if live is None or run.version in self._stand_ins or (run.run_id, no) in self._promised:
            return
        arrival = None
        if needing.task.sensor is None:  # else it is said of what the sensor looks for
            arrival = self._script(run, live.instance(no)).arrival
        if arrival is not None:
            self._promised.add((run.run_id, no))
            self._say(now + arrival, partial(self._board.needs_met, needing))
        elif self._answers.met(needing):
            self._board.needs_met(needing, now)

    def _unfold(self, asked: Unfolding, now: Instant) -> None:
        try:
            items = self._answers.items(asked)
        except OstinatoError as error:
            self._board.not_unfolded(asked, _why(error), now)
        else:
            self._board.unfolded(asked, items, now)

    def _call(self, calling: Calling, now: Instant) -> None:
        script = self._script(calling.run, calling.instance)
        if script.first or script.further != UNSCRIPTED.further:
            self._board.called(calling, self._stand_in(calling, script, now), now)
            return
        self._demand_rehearsed(calling)
        try:
            child = self._answers.child(calling, now)
        except OstinatoError as error:
            self._board.not_called(calling, _why(error), now)
        else:
            self._board.called(calling, child, now)

    def _demand_rehearsed(self, calling: Calling) -> None:
        task, called = self._called(calling)
        if called not in self._rehearsed:
            help = f"Rehearse it too, or say how its run ends: outcomes={{{task.task_id!r}: returns(None)}}."
            raise NotRehearsable(f"{task.task_id!r} calls {called!r}, which is not rehearsed", help=help)

    def _stand_in(self, calling: Calling, script: Script, now: Instant) -> NewRun:
        """A run in place of one of the called dag."""
        task, called = self._called(calling)
        version = f"in place of {called}"
        if version not in self._stand_ins:
            spec = DagSpec(called, (_SCRIPTED,), max_active_runs=UNBOUNDED)
            self._stand_ins[version] = Shape(CompiledDag(spec, "", "", version))
        run, (task_no, map_index) = calling.run, calling.instance
        key = f"call:{run.run_id}:{task.task_id}:{map_index}"
        self._scripts[key] = script
        start, end = run.interval.start, run.interval.end
        parent = (run.run_id, task_no, map_index)
        return NewRun(called, version, key, "called", start, end, encode({}), now, by="test", parent=parent)

    def _called(self, calling: Calling) -> tuple[TaskSpec, str]:
        task = self._compiled(calling.run.version).spec.tasks[calling.instance[0]]
        return task, task.call.dag_id if task.call else ""

    def _ask_people(self, step: Step, now: Instant) -> None:
        """Whoever is asked answers by the script, after the time it says, or not at all."""
        for move in step.commit.tasks:
            run = self._ledger.accounts[move.run_id].run
            if move.becomes is not TaskState.DEFERRED or run.version in self._stand_ins:
                continue
            instance = move.task_no, move.map_index
            if self._compiled(run.version).spec.tasks[move.task_no].approval is not None:
                script = self._script(run, instance)
                said = answer(script)
                if said is not None:
                    word: Decision = "approve" if said else "decline"
                    self._say(now + script.further.takes, partial(self._decide, run, instance, word))

    def _decide(self, run: Run, instance: Instance, what: Decision, now: Instant) -> None:
        self._board.decided(Intervention(0, run.run_id, *instance, what, "test", now), now)


def _why(error: OstinatoError) -> str:
    """What kept a question from being answered. What must never be is nobody's answer."""
    if isinstance(error, InvariantBroken):
        raise error
    return str(error)
