"""Waiting for what other processes do: how it is waited, and the error of having waited too long."""

from collections.abc import Callable
from typing import Final, TypeVar

from ostinato.clock import Clock
from ostinato.model.errors import OstinatoError, StoreUnavailable
from ostinato.model.time import Instant

_AGAIN_MS: Final = 500

Seen = TypeVar("Seen")

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


def patiently(look: Callable[[], Seen], wait: Wait, clock: Clock, give_up_at: Instant | None = None) -> Seen:
    """What ``look`` gives. While the state cannot be used, look again and again, as the scheduler tries again.

    Raises StoreUnavailable if that is still so at ``give_up_at``.
    """
    while True:
        try:
            return look()
        except StoreUnavailable:
            now = clock.now()
            if give_up_at is not None and now >= give_up_at:
                raise
            pause(wait, clock, now + _AGAIN_MS, now + _AGAIN_MS)
