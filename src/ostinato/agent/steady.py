"""A clock for time limits: it reads like the system's, and never jumps while work is held."""

import time
from typing import Final

from ostinato.clock import SystemClock
from ostinato.model.time import Instant

_SYSTEM: Final = SystemClock()


class SteadyClock:
    """The system clock's reading at the last `set`, carried on by the monotonic clock."""

    def __init__(self) -> None:
        self._offset = 0
        self.set()

    def set(self) -> None:
        """Take the system clock's reading anew."""
        self._offset = _SYSTEM.now() - _monotonic()

    def now(self) -> Instant:
        """The present instant, milliseconds since the Unix epoch."""
        return self._offset + _monotonic()


def _monotonic() -> int:
    return time.monotonic_ns() // 1_000_000
