"""The executors as the ledger knows them, and how much each is given ahead."""

from collections import deque
from typing import Final, Literal

from msgspec import Struct, field

from ostinato.model.message import Finished
from ostinato.model.time import Instant

from .waiting import SINGLE, Held

AHEAD_MS: Final = 2
"""An executor is given about this much work ahead, so that it need not wait for the agent between short tasks."""

MOST_AHEAD: Final = 32
LARGEST_AHEAD: Final = 2 << 10
"""Only calls of up to this many bytes are given ahead, so that all of them fit into a socket's buffer."""

LONG_MS: Final = 5
"""Who has been at one task for this long is given nothing ahead, and what it has is taken back if another is free."""

_SLOW_MS: Final = 8.0
_FASTEST_MS: Final = 0.05
_MEMORY: Final = 8

Stopping = Literal["", "timed_out", "cancelled", "interrupted"]
"""Why the agent ends an executor: its task took too long, is no longer wanted, or the agent itself stops."""


class Executor(Struct, eq=False):
    """A process that performs attempts. ``line`` is what it is there for; None: it has done nothing and can do anything.

    ``handed`` are the attempts it was given, the first of which it performs. ``leaving``: it gets no more of them.
    ``ending``: its first is to be stopped. ``untouched``: it may not have begun any but the first, so asking for the
    others back can help; ``recalled`` while that is being done. ``parting`` is the result of an attempt that counts once the process is gone. ``pace`` is how
    long recent tasks took, in milliseconds.
    """

    number: int
    segment: str
    log_end: int
    line: str | None = None
    handed: deque[Held] = field(default_factory=deque[Held])
    leaving: bool = False
    stopping: Stopping = ""
    ending: bool = False
    untouched: bool = False
    recalled: bool = False
    kill_at: Instant | None = None
    parting: Finished | None = None
    tasks: int = 0
    cpu_ms: int = 0
    used_at: Instant = 0
    pace: float = _SLOW_MS

    @property
    def busy(self) -> bool:
        """Whether it takes up a slot."""
        return bool(self.handed) or self.parting is not None

    @property
    def idle(self) -> bool:
        """Whether it could take something."""
        return not self.handed and not self.leaving

    def has_ahead_less_than(self, priority: int) -> bool:
        """Whether it was given something ahead that is less urgent. What it was given last is least urgent."""
        return len(self.handed) > 1 and self.handed[-1].assignment.priority < priority

    def learn(self, took_ms: int) -> None:
        """A task took this long, cut to whole milliseconds; the cuts even out."""
        self.pace += (took_ms - self.pace) / _MEMORY

    def room(self, now: Instant) -> int:
        """How many more it may be given ahead."""
        if self.leaving or self.ending or self.recalled or self.line == SINGLE or not self.handed:
            return 0
        if now - self.handed[0].begun >= LONG_MS:
            return 0
        depth = min(MOST_AHEAD, int(AHEAD_MS / max(self.pace, _FASTEST_MS)))
        return depth - len(self.handed)
