"""Following one run to its end: what has happened since the last look, drawn live or told line by line."""

import sys
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from ostinato.clock import SystemClock
from ostinato.home import Home
from ostinato.model.cause import Cause
from ostinato.model.record import UNMAPPED, Attempt, Instance, LoggedEvent, Run, instance_name
from ostinato.model.spec import DagSpec
from ostinato.model.state import FINAL_RUN, FINAL_TASK, TaskState
from ostinato.model.time import Instant
from ostinato.view.when import duration, logical_date

from .log_text import LogText
from .terminal import Ink, plain, say
from .waiting import Wait, WaitedTooLong, patiently, pause

if TYPE_CHECKING:
    from ostinato.store import Store

_BATCH: Final = 10_000
_QUOTED_LINES: Final = 20
_QUOTED_BYTES: Final = 8 << 10
_LOOK_MS: Final = 20
_LOOK_AT_MANY_MS: Final = 100
_LOOK_ANYWAY_MS: Final = 200
MANY_TASKS: Final = 200
"""A run with more tasks than this is told in numbers; only what goes wrong is told by name."""


class Watched:
    """A run as it was at the last look: the run, its tasks' states, and since when."""

    def __init__(self, store: "Store", run: Run) -> None:
        self._store = store
        self.run = run
        self.spec: DagSpec = store.compiled(run.version).spec
        self.states = {(task_no, UNMAPPED): TaskState.NONE for task_no in range(len(self.spec.tasks))}
        self.since: dict[Instance, Instant] = {}
        self._seq = -1

    def look(self) -> list[LoggedEvent]:
        """What happened since the last look."""
        self.run = self._store.run(self.run.run_id)  # before its events: a run that is over has no more of them
        found: list[LoggedEvent] = []
        seq = self._seq
        while events := self._store.events(self.run.run_id, seq, _BATCH):
            seq = events[-1].seq
            found += events
        self._seq = seq
        for event in found:
            if event.task_no is not None:
                instance = event.task_no, event.map_index
                self.states[instance] = TaskState(event.becomes)
                self.since[instance] = event.at
        return found

    def newest_try(self, instance: Instance) -> Attempt | None:
        """The newest attempt of a task instance, if there was one."""
        task_no, map_index = instance
        tries = [each for each in self._store.attempts(self.run.run_id, task_no) if each.map_index == map_index]
        return tries[-1] if tries else None

    def name_of(self, instance: Instance) -> str:
        """What people call a task instance."""
        return instance_name(self.spec, *instance)

    @property
    def many(self) -> bool:
        """Whether there are too many tasks to name each."""
        return len(self.states) > MANY_TASKS

    @property
    def name(self) -> str:
        """What the run is called in one line."""
        return f"{self.run.dag_id} for {logical_date(self.run.interval, self.spec.schedule)}"


class View(Protocol):
    """Something that shows a run while it goes on."""

    def show(self, watched: Watched, events: Sequence[LoggedEvent], now: Instant) -> None:
        """Draw what is new."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


def watch(store: "Store", run: Run, wait: Wait, view: View, give_up_at: Instant | None = None) -> Run:
    """Follow a run until it is over. Raises WaitedTooLong when that is not so by ``give_up_at``."""
    clock, watched = SystemClock(), Watched(store, run)
    try:
        while True:
            events = patiently(watched.look, wait, clock, give_up_at)
            now = clock.now()
            patiently(partial(view.show, watched, events, now), wait, clock, give_up_at)
            if watched.run.state in FINAL_RUN:
                return watched.run
            if give_up_at is not None and now >= give_up_at:
                advice = f"It goes on; see `ostinato show {run.run_id}`."
                raise WaitedTooLong(f"run {run.run_id} is still {watched.run.state}", help=advice)
            pause(wait, clock, now + (_LOOK_AT_MANY_MS if watched.many else _LOOK_MS), now + _LOOK_ANYWAY_MS)
    finally:
        view.close()


class Silence:
    """A view for those who only want the result."""

    def show(self, watched: Watched, events: Sequence[LoggedEvent], now: Instant) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Lines:
    """A line for each task that ends or is tried again, and below it what it wrote.

    Of a run with many tasks only what goes wrong is told.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._ink = Ink(sys.stderr)
        self._begun: dict[Instance, Instant] = {}

    def show(self, watched: Watched, events: Sequence[LoggedEvent], now: Instant) -> None:
        """Say what is new."""
        del now
        for event in events:
            if event.task_no is None:
                continue
            instance = event.task_no, event.map_index
            if event.becomes in (TaskState.QUEUED, TaskState.DEFERRED) or event.cause is Cause.EXPANDED:
                self._begun.setdefault(instance, event.at)
            if _worth_a_line(event, watched):
                self._say(event, watched.name_of(instance), self._begun.get(instance, event.at))
                if event.becomes in FINAL_TASK and not watched.many:
                    self._quote(watched.newest_try(instance))

    def _quote(self, attempt: Attempt | None) -> None:
        """The end of what a try wrote."""
        if attempt is None:
            return
        text, cut = LogText(self._home, attempt).last(_QUOTED_BYTES)
        lines = text.decode(errors="replace").splitlines()
        for line in lines[-_QUOTED_LINES:]:
            say(f"    {self._ink('|', 'dim')} {plain(line)}")
        if cut or len(lines) > _QUOTED_LINES:
            say(self._ink(f"    | more: ostinato logs {attempt.run_id}", "dim"))

    def _say(self, event: LoggedEvent, task_id: str, begun: Instant) -> None:
        took = duration(event.at - begun) if event.becomes in FINAL_TASK else ""
        line = f"  {task_id:24} {self._ink.state(event.becomes)}  {took}  {plain(remark(event))}"
        say(line.rstrip())

    def close(self) -> None:
        """Nothing is left open."""


_TAKEN_OVER: Final = frozenset({Cause.CARRIED_SUCCESS, Cause.CARRIED_SKIPPED})


def _worth_a_line(event: LoggedEvent, watched: Watched) -> bool:
    if event.cause in _TAKEN_OVER:
        return False
    if event.becomes == TaskState.UP_FOR_RETRY:
        return True
    if watched.many and event.becomes in (TaskState.SUCCESS, TaskState.SKIPPED):
        return False
    return event.becomes in FINAL_TASK or (event.becomes == TaskState.DEFERRED and event.was == TaskState.NONE)


def remark(event: LoggedEvent) -> str:
    """What else is to be said of a move: the class and rule of a failure, and when it is tried again."""
    facts = event.facts or {}
    if "class" not in facts:
        return ""
    kind = str(facts.get("error", "")).rpartition(".")[2]
    return f"{facts['class']} error {kind} ({facts.get('rule')}){_again(facts.get('delay_ms'))}"


def _again(delay_ms: object) -> str:
    if not isinstance(delay_ms, int):
        return ""
    return f", again in {duration(delay_ms)}" if delay_ms else ", again at once"


def view_for_people(home: Home) -> View:
    """A live picture on a terminal, lines elsewhere."""
    if sys.stderr.isatty():
        from .screen import RunScreen  # noqa: PLC0415 - loads the drawing library

        return RunScreen(home)
    return Lines(home)
