"""People who attend to what is there: they answer, decide how things end, switch tasks off, hold backfills and stop them."""

from collections.abc import Iterator
from random import Random
from typing import Final

from ostinato.model.change import Decision, SwitchedOff
from ostinato.model.record import Instance
from ostinato.model.spec import DagSpec
from ostinato.model.state import FINAL_TASK, TaskState
from ostinato.store import Store

from .needed import has_all, needing
from .timeline import Timeline
from .trace import Trace, demand
from .wishes import Decided, Wishes, open_runs
from .witness import Witness

_ANSWERS: Final[tuple[Decision, ...]] = ("approve", "approve", "decline", "mark_skipped")
_MARKS: Final[tuple[Decision, ...]] = ("mark_success", "mark_failed", "mark_skipped", "approve")


class Attendants:
    """They write to the store in their own processes."""

    def __init__(self, store: Store, timeline: Timeline, random: Random, witness: Witness, trace: Trace) -> None:
        self._store = store
        self._timeline = timeline
        self._random = random
        self._witness = witness
        self._trace = trace

    @property
    def _wishes(self) -> Wishes:
        return self._witness.wishes

    def decide(self) -> None:
        """Somebody answers a question; or, if there is none, decides about something that waits, goes on or is long over."""
        asked = list(self._asked())
        if asked and self._random.random() < 0.7:
            self._decide(*self._random.choice(asked), self._random.choice(_ANSWERS))
            return
        going = list(self._going()) or [(run_id, (0, -1)) for run_id in self._witness.runs]
        if going:
            rare = [each for each in going if self._state(each) is TaskState.UP_FOR_RETRY]
            meant = rare if rare and self._random.random() < 0.5 else going
            self._decide(*self._random.choice(meant), self._random.choice(_MARKS))

    def switch(self, dag_id: str, spec: DagSpec) -> None:
        """Somebody switches a task off, or on again."""
        task_id = self._random.choice(spec.tasks).task_id
        off = [task for dag, task in self._wishes.off if dag == dag_id]
        if off and self._random.random() < 0.6:
            self._trace.note("somebody switches on", dag_id, off[0])
            demand(
                self._store.switch_on(dag_id, off[0], "ada", self._timeline.wall()), f"{off[0]} of {dag_id} was not off"
            )
            del self._wishes.off[dag_id, off[0]]
        else:
            becomes: SwitchedOff = self._random.choice(("success", "skipped"))
            self._trace.note("somebody switches off", dag_id, task_id, becomes)
            self._store.switch_off(dag_id, task_id, becomes, "people", self._timeline.wall())
            self._wishes.off[dag_id, task_id] = becomes

    def steer_backfill(self) -> None:
        """Somebody holds a backfill, lets it go on, or stops it."""
        granted_to = list(self._wishes.granted)
        if not granted_to:
            return
        going = [each for each in granted_to if open_runs(self._witness.runs, each)]
        backfill_id = self._random.choice(going or granted_to)
        granted, going = self._wishes.granted[backfill_id], open_runs(self._witness.runs, backfill_id)
        match self._random.choice(("pause", "pause", "resume", "cancel")):
            case "pause":
                done = self._store.pause_backfill(backfill_id, "ada", self._timeline.wall())
                demand(done == (bool(going) and not granted.paused), f"backfill {backfill_id} is paused: {done}")
            case "resume":
                done = self._store.resume_backfill(backfill_id, "ada", self._timeline.wall())
                demand(done == (bool(going) and granted.paused), f"backfill {backfill_id} goes on: {done}")
            case _:
                self._cancel_backfill(backfill_id, going)
                return
        if done:
            self._wishes.hold(backfill_id, paused=not granted.paused)
            self._trace.note("somebody lets go on" if granted.paused else "somebody pauses", "backfill", backfill_id)

    def clear_up(self) -> None:
        """Answer all that is asked, let go what is held, and what waits for what will never be goes without it."""
        for backfill_id, granted in self._wishes.granted.items():
            if granted.paused and self._store.resume_backfill(backfill_id, "ada", self._timeline.wall()):
                self._wishes.hold(backfill_id, paused=False)
        for run_id, at in list(self._asked()):
            self._decide(run_id, at, "approve")
        for run_id in self._witness.needy:
            for at in needing(self._witness.runs[run_id]):
                if not has_all(self._witness, self._witness.runs[run_id], at):
                    self._decide(run_id, at, "mark_skipped")

    def _decide(self, run_id: int, at: Instance, what: Decision) -> None:
        self._trace.note("somebody decides", run_id, at, what)
        self._store.decide(run_id, at, what, "people", self._timeline.wall())
        newest = self._store.interventions()[-1].intervention_id
        self._wishes.decisions[newest] = Decided(run_id, at, what)

    def _cancel_backfill(self, backfill_id: int, going: list[int]) -> None:
        asked = [run_id for run_id in going if run_id not in self._wishes.asked_to_stop]
        count = self._store.cancel_backfill(backfill_id, "people", self._timeline.wall())
        self._trace.note("somebody cancels backfill", backfill_id, count)
        demand(count == len(asked), f"{count} runs of backfill {backfill_id} are asked to stop, and {len(asked)} go on")
        self._wishes.asked_to_stop |= set(asked)
        del self._wishes.granted[backfill_id]

    def _state(self, which: tuple[int, Instance]) -> TaskState | None:
        run_id, at = which
        return self._witness.runs[run_id].states.get(at)

    def _asked(self) -> Iterator[tuple[int, Instance]]:
        for run_id, at in self._going():
            seen = self._witness.runs[run_id]
            if seen.states[at] is TaskState.DEFERRED and seen.task(at).approval is not None:
                yield run_id, at

    def _going(self) -> Iterator[tuple[int, Instance]]:
        for run_id in self._witness.open:
            seen = self._witness.runs[run_id]
            if not seen.cancelling:
                yield from ((run_id, at) for at, state in seen.states.items() if state not in FINAL_TASK)
