"""Waiting for what other processes do: how it is waited, and the error of having waited too long."""

from collections.abc import Callable

from ostinato.clock import Clock
from ostinato.model.errors import OstinatoError
from ostinato.model.time import Instant

Wait = Callable[[Instant], None]
"""Waits until something may have changed, at the latest until the given instant."""


class WaitedTooLong(OstinatoError):
    """What was waited for is not done yet. It goes on without the command that waited."""

    code = "OST-403"
    exit_code = 8


def pause(wait: Wait, clock: Clock, earliest: Instant, latest: Instant) -> None:
    """Wait until something may have changed, but not shorter than to ``earliest`` nor longer than to ``latest``."""
    wait(latest)
    while clock.now() < earliest:
        wait(earliest)
