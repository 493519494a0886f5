"""Waiting for work to be done: by being the scheduler for that time, or beside the one that already is."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Event
from typing import Final

from ostinato.clock import Clock, SystemClock
from ostinato.home import Home
from ostinato.model.errors import HomeInUse, OstinatoError, StoreUnavailable
from ostinato.model.time import Instant

Wait = Callable[[Instant], None]
"""Waits until something may have changed, at the latest until the given instant."""

_LOOK_MS: Final = 100
_ALIVE_MS: Final = 2_000


def pause(wait: Wait, clock: Clock, earliest: Instant, latest: Instant) -> None:
    """Wait until something may have changed, but not shorter than to ``earliest`` nor longer than to ``latest``."""
    wait(latest)
    while clock.now() < earliest:
        wait(earliest)


class WaitedTooLong(OstinatoError):
    """What was waited for is not done yet. It goes on without the command that waited."""

    code = "OST-403"
    exit_code = 8


@contextmanager
def progress(home: Home, *, slots: int | None = None, run_only: int | None = None) -> Generator[Wait]:
    """While open, work goes on: this process is the scheduler, unless another one is. Raises what `start` raises."""
    from ostinato.app import hint, start  # noqa: PLC0415 - loads the whole scheduler

    try:
        running = start(home, slots=slots, dag_paths=[], watch=False, run_only=run_only)
    except HomeInUse:
        hint(home)
        yield _beside(home)
        return
    with running:
        yield running.step


def _beside(home: Home) -> Wait:
    """Waiting for another process's scheduler. Raises StoreUnavailable when it has gone."""
    from ostinato.app import scheduler_alive  # noqa: PLC0415

    clock, never = SystemClock(), Event()
    asked = clock.now()

    def wait(until: Instant) -> None:
        nonlocal asked
        now = clock.now()
        never.wait(max(min(until - now, _LOOK_MS), 0) / 1_000)
        if now - asked > _ALIVE_MS:
            asked = now
            if scheduler_alive(home) is None:
                raise StoreUnavailable(
                    "the scheduler has gone while there was work to do",
                    where=str(home.path),
                    help="Start it again with `ostinato dev`: the work is kept and goes on.",
                )

    return wait
