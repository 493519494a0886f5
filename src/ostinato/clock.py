"""The only module that asks what time it is."""

import time
from typing import Protocol

from .model.time import Instant


class Clock(Protocol):
    """Where "now" comes from: the machine's clock, or a simulator's."""

    def now(self) -> Instant:
        """The present instant, milliseconds since the Unix epoch."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> Instant:
        """The present instant, milliseconds since the Unix epoch."""
        return time.time_ns() // 1_000_000
