"""The composition root: which store, agent, channels and clock the scheduler of one home gets."""

import fcntl
import os
import random
import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ostinato.asker import asker, seat
from ostinato.clock import SystemClock
from ostinato.connectors.channels import channels_from_environment
from ostinato.control.answers import Answers
from ostinato.control.compilation import Compilation
from ostinato.control.deploy import Reloader, compile_all, dag_files, deploy
from ostinato.control.hint import HintListener, hint
from ostinato.control.loop import Alarm, Loop
from ostinato.control.need_history import NeedHistory
from ostinato.control.outbox import ThreadedCourier
from ostinato.control.prepare import Preparer
from ostinato.control.probe import FileProber
from ostinato.control.retention import Retention, keep_from_environment
from ostinato.control.scheduler import Scheduler
from ostinato.control.sources import SourceShelf
from ostinato.control.standby import end_former_agent, wait_for_lead
from ostinato.executors.local import LocalAgent
from ostinato.home import Home, scheduler_alive
from ostinato.model.errors import FencedOut, HomeInUse
from ostinato.model.limits import Limits
from ostinato.model.time import Instant
from ostinato.store import open_store

__all__ = ["Running", "deploy", "hint", "start"]

_STOP_GRACE_S: Final = 2.0
_STOP_PATIENCE_MS: Final = 10_000


class Running:
    """A scheduler with its agent, alive in this process. Use it in a ``with`` statement; leaving it stops both in order.

    One that has lost the lead, or that only joined an agent, leaves the agent to its work. ``problems`` is what was wrong
    with the given dag files at the start.
    """

    def __init__(
        self,
        home: Home,
        *,
        slots: int | None,
        dag_paths: Sequence[Path],
        watch: bool,
        run_only: int | None,
        own_agent: bool,
        stands_by: Callable[[str], None] | None,
    ) -> None:
        limits, by, keep = Limits(), asker(), keep_from_environment()
        clock = self._clock = SystemClock()
        owner = f"{socket.gethostname()}:{os.getpid()}"
        self.home = home.create()
        self._own_agent = own_agent
        with ExitStack() as parts:
            if home.address is None:
                parts.enter_context(closing(_Lock(home)))
            self.store = parts.enter_context(closing(open_store(home.state, seat("scheduler"))))
            lead = partial(self.store.take_lead, owner)
            self._lease = self.store.lease(owner, partial(hint, home))
            ahead: list[Compilation] = []
            if self._lease is not None:
                parts.enter_context(closing(self._lease))
                ahead = compile_all(dag_files(dag_paths), limits)  # so that it goes on at once when it is its turn
                try:
                    wait_for_lead(self._lease, self.store, home, stands_by)
                except KeyboardInterrupt:
                    if own_agent:
                        end_former_agent(home)
                    raise
                lead = self._lease.take
            known = deploy(self.store, dag_paths, clock, limits, by, ahead)
            self.problems = known.problems
            self._agent = parts.enter_context(
                closing(LocalAgent(home, (slots or os.cpu_count() or 1) if own_agent else None))
            )
            alarm = parts.enter_context(closing(Alarm()))
            hints = parts.enter_context(closing(HintListener(home)))
            courier = ThreadedCourier(channels_from_environment(home), clock, limits, alarm.ring)
            parts.enter_context(closing(courier))
            reloader = None
            if watch:
                reloader = parts.enter_context(closing(Reloader(self.store, dag_paths, known, clock, limits, by)))
                reloader.start(alarm.ring)
            if run_only is None:
                parts.enter_context(closing(Retention(self.store, home, keep, clock)))
            compiled = lru_cache(maxsize=1024)(self.store.compiled)
            self.scheduler = Scheduler(
                self.store,
                self._agent,
                Preparer(self.store, SourceShelf(self.store, home), compiled),
                Answers(self.store, compiled, NeedHistory(self.store, compiled)),
                FileProber(compiled),
                courier,
                limits=limits,
                lead=lead,
                spread=random.SystemRandom().random,
                only_run=run_only,
            )
            loop = Loop(self.scheduler, self._agent, hints, alarm, reloader, clock, limits)
            self._loop = parts.enter_context(closing(loop))
            self._parts = parts.pop_all()

    def step(self, until: Instant | None = None) -> None:
        """Wait until there is something to do, at the latest ``until``, and do it. Raises FencedOut once the lead is lost."""
        self._loop.turn(until)
        if self._lease is not None:
            self._lease.turned()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._parts:
            if self._own_agent and not isinstance(error, FencedOut):
                self._stop_agent()

    def _stop_agent(self) -> None:
        """In order: the agent takes its attempts down, and what they came to is written."""
        try:
            self.scheduler.start_nothing_more()
            self._agent.stop(_STOP_GRACE_S)
            patience = self._clock.now() + _STOP_PATIENCE_MS
            while self._agent.connected() and self._clock.now() < patience:
                self._loop.turn(patience)
        except FencedOut:
            return  # another one leads, and the agent with what it does is its own


def start(
    home: Home,
    *,
    slots: int | None = None,
    dag_paths: Sequence[Path] = (),
    watch: bool = False,
    run_only: int | None = None,
    own_agent: bool = True,
    stands_by: Callable[[str], None] | None = None,
) -> Running:
    """Become the scheduler of a home, with an agent of ``slots`` executors (default: one for each processor).

    ``dag_paths`` are deployed first, and again whenever they change if ``watch``. With ``run_only`` nothing but that
    run is attended to. Without ``own_agent`` the agent is one that somebody else starts and stops. If the state is on a
    server and another scheduler leads there, this one waits for its place, having called ``stands_by`` with its name, or
    without that raises HomeInUse. With OSTINATO_KEEP, older history is forgotten.
    Raises HomeUnusable, AgentFailed, UsageError, and what opening the store raises.
    """
    return Running(
        home,
        slots=slots,
        dag_paths=dag_paths,
        watch=watch,
        run_only=run_only,
        own_agent=own_agent,
        stands_by=stands_by,
    )


class _Lock:
    """One scheduler works on a home. The lock is the kernel's: it goes with the process, however that ends."""

    def __init__(self, home: Home) -> None:
        self._file = home.scheduler_lock.open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = scheduler_alive(home)
            self._file.close()
            raise HomeInUse(f"another scheduler (process {pid}) works on this state", where=str(home.path)) from error

    def close(self) -> None:
        """Let another scheduler have the home."""
        self._file.close()
