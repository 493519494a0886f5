"""The composition root: which store, agent, channels and clock the scheduler of one home gets."""

import fcntl
import os
import random
import socket
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from ostinato.clock import SystemClock
from ostinato.connectors.channels import channels_from_environment
from ostinato.control.answers import Answers
from ostinato.control.deploy import Reloader, deploy
from ostinato.control.hint import HintListener, hint
from ostinato.control.loop import Alarm, Loop
from ostinato.control.need_history import NeedHistory
from ostinato.control.outbox import ThreadedCourier
from ostinato.control.prepare import Preparer
from ostinato.control.probe import FileProber
from ostinato.control.scheduler import Scheduler
from ostinato.control.sources import SourceShelf
from ostinato.executors.local import LocalAgent
from ostinato.home import Home, scheduler_alive
from ostinato.model.errors import HomeInUse
from ostinato.model.limits import Limits
from ostinato.model.time import Instant
from ostinato.store import open_store

__all__ = ["Running", "deploy", "hint", "start"]

_STOP_GRACE_S: Final = 2.0
_STOP_PATIENCE_MS: Final = 10_000


class Running:
    """A scheduler with its agent, alive in this process. Use it in a ``with`` statement; leaving it stops both in order.

    ``problems`` is what was wrong with the given dag files at the start.
    """

    def __init__(
        self, home: Home, *, slots: int | None, dag_paths: Sequence[Path], watch: bool, run_only: int | None
    ) -> None:
        limits = Limits()
        clock = self._clock = SystemClock()
        self.home = home.create()
        with ExitStack() as parts:
            parts.enter_context(closing(_Lock(home)))
            self.store = parts.enter_context(closing(open_store(home.state)))
            known = deploy(self.store, dag_paths, clock, limits)
            self.problems = known.problems
            self._agent = parts.enter_context(closing(LocalAgent(home, slots or os.cpu_count() or 1)))
            alarm = parts.enter_context(closing(Alarm()))
            hints = parts.enter_context(closing(HintListener(home)))
            courier = ThreadedCourier(channels_from_environment(home), clock, limits, alarm.ring)
            parts.enter_context(closing(courier))
            reloader = None
            if watch:
                reloader = parts.enter_context(closing(Reloader(self.store, dag_paths, known, clock, limits)))
                reloader.start(alarm.ring)
            compiled = lru_cache(maxsize=1024)(self.store.compiled)
            self.scheduler = Scheduler(
                self.store,
                self._agent,
                Preparer(self.store, SourceShelf(self.store, home), compiled),
                Answers(self.store, compiled, NeedHistory(self.store, compiled)),
                FileProber(compiled),
                courier,
                limits=limits,
                owner=f"{socket.gethostname()}:{os.getpid()}",
                spread=random.SystemRandom().random,
                only_run=run_only,
            )
            loop = Loop(self.scheduler, self._agent, hints, alarm, reloader, clock, limits)
            self._loop = parts.enter_context(closing(loop))
            self._parts = parts.pop_all()

    def step(self, until: Instant | None = None) -> None:
        """Wait until there is something to do, at the latest ``until``, and do it."""
        self._loop.turn(until)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop in order: the agent takes its attempts down, what they came to is written, then everything is closed."""
        with self._parts:
            self.scheduler.start_nothing_more()
            self._agent.stop(_STOP_GRACE_S)
            patience = self._clock.now() + _STOP_PATIENCE_MS
            while self._agent.connected() and self._clock.now() < patience:
                self._loop.turn(patience)


def start(
    home: Home,
    *,
    slots: int | None = None,
    dag_paths: Sequence[Path] = (),
    watch: bool = False,
    run_only: int | None = None,
) -> Running:
    """Become the scheduler of a home, with an agent of ``slots`` executors (default: one for each processor).

    ``dag_paths`` are deployed first, and again whenever they change if ``watch``. With ``run_only`` nothing but that
    run is attended to. Raises HomeInUse, HomeUnusable, AgentFailed, and what opening the store raises.
    """
    return Running(home, slots=slots, dag_paths=dag_paths, watch=watch, run_only=run_only)


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
