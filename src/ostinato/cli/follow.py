"""Seeing work done: by being the scheduler for that time, or by waiting beside the one that already is.

It loads the whole scheduler, so it is imported where it is needed.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event
from typing import Final

from ostinato.app import Running, hint, start
from ostinato.clock import SystemClock
from ostinato.home import Home
from ostinato.model.errors import HomeInUse, StoreUnavailable
from ostinato.model.time import Instant
from ostinato.store import Store

from .session import scheduler_of
from .terminal import say
from .waiting import Wait

_LOOK_MS: Final = 100
_ALIVE_MS: Final = 2_000


@contextmanager
def progress(home: Home, store: Store, *, slots: int | None = None, run_only: int | None = None) -> Generator[Wait]:
    """While open, work goes on: this process is the scheduler, unless another one is. Raises what `start` raises."""
    try:
        running = start(home, slots=slots, dag_paths=[], watch=False, run_only=run_only)
    except HomeInUse:
        hint(home)
        yield _beside(home, store)
        return
    with running:
        yield steps_of(running)


def steps_of(running: Running) -> Callable[[Instant | None], None]:
    """What turns a scheduler, and says so when it cannot go on and when it can again."""
    told = False

    def step(until: Instant | None) -> None:
        nonlocal told
        running.step(until)
        trouble = running.scheduler.trouble
        if trouble is not None and not told:
            say(f"{trouble}\nNothing goes on until that has passed; it is tried again all the time.")
        if trouble is None and told:
            say("The state can be used again: it goes on.")
        told = trouble is not None

    return step


def _beside(home: Home, store: Store) -> Wait:
    """Waiting for another process's scheduler. Raises StoreUnavailable when it has gone."""
    clock, never = SystemClock(), Event()
    asked = clock.now()

    def wait(until: Instant) -> None:
        nonlocal asked
        now = clock.now()
        never.wait(max(min(until - now, _LOOK_MS), 0) / 1_000)
        if now - asked > _ALIVE_MS:
            asked = now
            if not _works(home, store):
                raise StoreUnavailable(
                    "the scheduler has gone while there was work to do",
                    where=str(home.path),
                    help="Start it again with `ostinato dev`: the work is kept and goes on.",
                )

    return wait


def _works(home: Home, store: Store) -> bool:
    """Whether there is a scheduler. While the database is away, nothing says that there is none."""
    try:
        return scheduler_of(home, store) is not None
    except StoreUnavailable:
        return True
