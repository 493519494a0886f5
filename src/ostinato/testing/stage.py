"""Where dags are rehearsed: the board and the agenda of a scheduler, over a ledger in memory and a clock that is set.

The steps are those of `control.scheduler`: take what arrived, decide, record, act; then go on at the next due time,
which comes at once. Nothing here waits, and nothing asks what time it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ostinato.authoring.check import did_you_mean
from ostinato.decide.agenda import Agenda
from ostinato.decide.board import Board
from ostinato.decide.step import Step
from ostinato.model.change import Commit, NewRun
from ostinato.model.errors import NotRehearsable
from ostinato.model.limits import Limits
from ostinato.model.message import Hello, Started
from ostinato.model.record import Dag, Expectation, Pool, Run
from ostinato.model.time import Instant

from .ledger import Ledger
from .outcomes import Outcomes
from .outside import OutsideRuns
from .part import Part, by_version
from .performer import Performer
from .prompter import UNBOUNDED, Prompter
from .script import Outcome

_AGENT: Final = "rehearsal"


class Stage:
    """``pools`` are sizes by name, ``slots`` how many attempts go on at once; what is not given has no bound.

    ``on_schedule``: the dags' schedules are followed from now on, until they are stopped.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        outcomes: Mapping[str, Outcome],
        now: Instant,
        *,
        pools: Mapping[str, int] | None = None,
        slots: int | None = None,
        on_schedule: bool = False,
    ) -> None:
        limits = Limits()
        self.now = now
        self._parts = by_version(parts)
        self.ledger = Ledger(self._dags())
        self._beat = round(limits.beat_s * 1000)
        self._agenda = Agenda()
        self.board = Board(limits, 1, lambda: 0.0)
        self.board.capacity.set_pools(_pools(parts, pools or {}))
        scripted = Outcomes(outcomes, parts)
        self._performer = Performer(self._parts, scripted, self.ledger)
        followed = {part.spec.dag_id: now for part in parts if on_schedule and part.spec.schedule is not None}
        self._known = OutsideRuns(self.ledger, followed)
        self._prompter = Prompter(self.board, self._parts, scripted, self.ledger, followed)
        places = UNBOUNDED if slots is None else slots
        self.board.agent_joined(Hello(_AGENT, 0, places, places, ()), now)
        if on_schedule:
            self._agenda.replan(self._dags(), lambda version: self._parts[version].spec, self.now)

    def ask(self, new: NewRun) -> None:
        """Somebody wants a run."""
        self._open(self.ledger.apply(Commit(new_runs=[new])))

    def expect(self, expectation: Expectation) -> None:
        """A deadline is to be watched."""
        self._agenda.expect(expectation)

    def stop_schedules(self) -> None:
        """Make no runs for intervals any more but for those that others complete."""
        self._agenda.stop_ticking()

    def play(self, until: Instant | None = None) -> None:
        """Let happen what happens by ``until``; None: all that ever will."""
        self._step()
        while (due := self._next_due()) is not None and (until is None or due <= until):
            self.now = max(self.now, due)
            self._step()

    def _dags(self) -> list[Dag]:
        return [
            Dag(part.dag.dag_id, version, part.compiled.file, scheduled_until=self.now)
            for version, part in self._parts.items()
        ]

    def _next_due(self) -> Instant | None:
        due = (
            self.board.next_due(),
            self._agenda.next_due(),
            self._performer.next_due(),
            self._prompter.next_due(),
        )
        return min((at for at in due if at is not None), default=None)

    def _step(self) -> None:
        now = self.now
        for report in self._performer.ended(now):
            self.board.finished(_AGENT, report, now)
        self._prompter.speak(now)
        while True:
            self.board.tick(now)
            step = self.board.take()
            self._agenda.tick(now, step.commit, self._known, self.board.is_going)
            self._agenda.succeeded(step.succeeded, now, step.commit, self._known)
            created = self.ledger.apply(step.commit)
            self._open(created)
            started = self._act(step)
            self._prompter.answer(step, now)
            if not (created or step.asks or started):
                break

    def _act(self, step: Step) -> bool:
        """Do what an agent is told. Whether any attempt has started, which only one says that outlives a beat."""
        started = False
        for dispatch in step.dispatches.values():
            self._performer.perform(dispatch, self.now)
            if self._performer.goes_on(dispatch.attempt, self.now + self._beat):
                self.board.started(_AGENT, Started(dispatch.attempt, self.now), self.now)
                started = True
        for attempts in step.cancel.values():
            for attempt in attempts:
                self._performer.stop(attempt, self.now)
        return started

    def _open(self, runs: Iterable[Run]) -> None:
        for run in runs:
            self.board.open_run(run, self._prompter.shape(run.version))
            self._prompter.opened(run, self.now)


def _pools(parts: Sequence[Part], sizes: Mapping[str, int]) -> list[Pool]:
    used = {task.pool for part in parts for task in part.spec.tasks}
    for name in sizes.keys() - used:
        raise NotRehearsable(f"no task uses the pool {name!r}", help=did_you_mean(name, used))
    return [Pool(name, sizes.get(name, UNBOUNDED)) for name in sorted(used)]
