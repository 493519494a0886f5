"""How long history is kept, and the thread that sees to it while work goes on."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Final

from ostinato.authoring.durations import LONGEST, in_seconds
from ostinato.clock import Clock
from ostinato.home import Home
from ostinato.model.errors import OstinatoError, StoreUnavailable, UsageError
from ostinato.model.time import Instant
from ostinato.store import Store

KEEP_VARIABLE: Final = "OSTINATO_KEEP"
_LEAST_MS: Final = 86_400_000
_EVERY_S: Final = 3_600.0
_SETTLED_MS: Final = 3_600_000
"""So long ago a run has ended whose events are packed: those that people look at now are left in peace."""

_PAUSE_S: Final = 0.05
"""Between two portions, so that the scheduler's own commits need not wait for more than one."""


def keep_ms(text: str, name: str) -> int:
    """How long history is kept, in milliseconds, as somebody wrote it: ``90d``. Raises UsageError."""
    seconds = in_seconds(text)
    if seconds is None or not _LEAST_MS <= seconds * 1_000 <= LONGEST * 1_000:
        raise UsageError(f"{name} is {text!r}", help="Say how many days, from one to ten years: 90d.")
    return round(seconds * 1_000)


def keep_from_environment() -> int | None:
    """How long history is kept, in milliseconds; None: for ever. Raises UsageError."""
    text = os.environ.get(KEEP_VARIABLE, "").strip()
    return keep_ms(text, KEEP_VARIABLE) if text else None


def forget(store: Store, home: Home, before: Instant) -> Iterator[int]:
    """Forget the history of runs that ended before an instant, and what their tasks wrote; see `Store.prune`."""
    yield from store.prune(before)
    for log in _closed_logs(home):
        if log.stat().st_mtime * 1_000 < before:
            log.unlink(missing_ok=True)
            yield 0


def _closed_logs(home: Home) -> Iterator[Path]:
    """The log segments of agents that are gone: as long as one may live, it has a journal."""
    living = {journal.stem for journal in home.agent.glob("*.journal")}
    return (log for log in home.logs.glob("*.log") if log.stem.rpartition("-")[0] not in living)


class Retention:
    """Keeps history in order, once when it begins and then every hour, in a thread.

    Events of runs that are over are put into little room. What is older than ``keep`` milliseconds is forgotten; None:
    nothing is.
    """

    def __init__(self, store: Store, home: Home, keep: int | None, clock: Clock) -> None:
        self._store = store
        self._home = home
        self._keep = keep
        self._clock = clock
        self._over = Event()
        self._thread = Thread(target=self._run, name="ostinato-retention", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after the portion that is being worked on."""
        self._over.set()
        self._thread.join()

    def _portions(self) -> Iterator[int]:
        now = self._clock.now()
        if self._keep is not None:
            yield from forget(self._store, self._home, now - self._keep)
        yield from self._store.pack(now - _SETTLED_MS)

    def _run(self) -> None:
        while True:
            try:
                for _ in self._portions():
                    if self._over.wait(_PAUSE_S):
                        return
            except StoreUnavailable:
                pass  # the scheduler says so, and in an hour it is tried again
            except (OstinatoError, OSError) as error:
                sys.stderr.write(f"history cannot be kept in order: {error}\n")
            if self._over.wait(_EVERY_S):
                return
