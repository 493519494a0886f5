"""Being the scheduler until interrupted, and saying what happens: each run that begins or ends, each problem of a file.

It loads the whole scheduler, so it is imported where it is needed.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final, Never

from ostinato.app import start
from ostinato.clock import SystemClock
from ostinato.home import Home
from ostinato.model.errors import FencedOut, StoreUnavailable
from ostinato.model.record import DagProblem, Run
from ostinato.model.state import FINAL_RUN, RunState
from ostinato.model.time import Instant, moment
from ostinato.view.reading import Specs, between, schedule_text
from ostinato.view.when import duration, local, logical_date

from .follow import steps_of
from .problems import draw_problems, shown_path
from .terminal import Ink, next_step, plain, say
from .waiting import patiently

if TYPE_CHECKING:
    from ostinato.store import Store

_AWAY_S: Final = 1.0
_LOOK_MS: Final = 300
_RUNS_SEEN: Final = 200


def serve(
    home: Home,
    files: Sequence[Path],
    *,
    slots: int | None,
    own_agent: bool = True,
    stands_by: Callable[[str], None] | None = None,
) -> Never:
    """Be the scheduler of a home until interrupted, reloading dags when their files change. Raises what `start` raises."""
    with start(home, slots=slots, dag_paths=files, watch=True, own_agent=own_agent, stands_by=stands_by) as running:
        teller = _Teller(running.store)
        place = f"state in {shown_path(str(home.path))}"
        say(f"{place if home.address is None else running.store.place}; stop with Ctrl-C")
        teller.definitions()
        next_step("ostinato trigger DAG, in another terminal")
        step, clock = steps_of(running), SystemClock()
        while True:
            step(teller.look_at(clock.now()))
            patiently(lambda: teller.look(clock.now()), step, clock)


def serve_in_turn(home: Home, files: Sequence[Path], *, slots: int | None, own_agent: bool) -> Never:
    """As `serve`, but while another scheduler leads, stand by; also after losing the lead to one.

    A database that was there before and is away now is waited for.
    """
    was_there = False

    def told(leader: str) -> None:
        nonlocal was_there
        was_there = True
        say(f"{leader} leads; standing by to take over")

    pause = Event()
    while True:
        try:
            serve(home, files, slots=slots, own_agent=own_agent, stands_by=told)
        except FencedOut as lost:
            was_there = True
            say(lost.what)
        except StoreUnavailable:
            if not was_there:
                raise
            pause.wait(_AWAY_S)


class _Teller:
    """Says what is new. It looks only after something happened, and not too often: what is idle costs nothing."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._specs = Specs(store)
        self._ink = Ink(sys.stderr)
        self._states: dict[int, RunState] = {run.run_id: run.state for run in store.runs(limit=_RUNS_SEEN)}
        self._problems: list[DagProblem] = []
        self._dags: dict[str, str] = {}
        self._looked: Instant = 0
        self._revision = -1
        self._stale = False

    def look_at(self, now: Instant) -> Instant | None:
        """When to look again although nothing more happens: soon after something did, else never."""
        return max(self._looked + _LOOK_MS, now) if self._stale else None

    def look(self, now: Instant) -> None:
        """Say what happened since the last look, unless that was a moment ago."""
        self._stale = now - self._looked < _LOOK_MS
        if not self._stale:
            self._looked = now
            self.definitions()
            for run in reversed(self._store.runs(limit=_RUNS_SEEN)):
                if self._states.get(run.run_id) != run.state:
                    self._states[run.run_id] = run.state
                    self._say_run(run, now)

    def definitions(self) -> None:
        """Say which dags are new or changed, and what is wrong with files."""
        revision = self._store.dags_revision()
        if revision == self._revision:
            return
        problems = self._store.problems()
        if problems and problems != self._problems:
            say(draw_problems(problems, self._ink))
        self._problems = problems
        dags = {dag.dag_id: dag.version for dag in self._store.dags()}
        for dag_id in sorted(dags):
            if self._dags.get(dag_id) != dags[dag_id]:
                spec = self._specs.of(dags[dag_id])
                kind = "changed" if dag_id in self._dags else "deployed"
                rhythm = schedule_text(spec.schedule) or "on request"
                say(f"{self._ink(dag_id, 'bold')} {kind}: {len(spec.tasks):,} tasks, {rhythm}")
        for dag_id in sorted(self._dags.keys() - dags.keys()):
            say(f"{self._ink(dag_id, 'bold')} is gone from its file")
        self._dags = dags
        self._revision = revision

    def _say_run(self, run: Run, now: Instant) -> None:
        if run.state == RunState.QUEUED:
            return
        name = f"{run.dag_id} for {logical_date(run.interval, self._specs.of(run.version).schedule)}"
        took = f" in {duration(between(run.started_at, run.finished_at))}" if run.state in FINAL_RUN else ""
        at = self._ink(local(moment(now))[11:], "dim")
        say(f"{at} run {run.run_id} {plain(name)}: {self._ink.state(run.state)}{took}")
