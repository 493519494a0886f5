"""Who leads, as schedulers on several machines see it: by a lock that goes with a session, and a beat that goes with life.

A model of `store.lease`, which has its own tests on real servers. Here it decides only when others look; what keeps one that
was given up from writing is the epoch, and that is real.
"""

from collections.abc import Callable
from typing import Final, Protocol

from ostinato.model.time import Instant

from .timeline import Timeline

HUNG_MS: Final = 1_500
"""A beat that stands still for so long is given up."""


class Holder(Protocol):
    """A scheduler that took the lead."""

    def beats(self) -> bool:
        """Whether it lives, goes on, and reaches the database."""
        ...


class Lead:
    """See the module. ``changed`` is called when it may have become free, and when it was taken."""

    def __init__(self, timeline: Timeline, changed: Callable[[], None]) -> None:
        self._timeline = timeline
        self._changed = changed
        self._holder: Holder | None = None
        self._stands_still: Instant | None = None

    def taken(self, holder: Holder) -> None:
        """Somebody leads now."""
        self._holder, self._stands_still = holder, None
        self._changed()

    def is_held_by(self, somebody: Holder) -> bool:
        """Whether nobody else has taken it since."""
        return self._holder is somebody

    def let_go(self, holder: Holder) -> None:
        """The session of somebody who led is gone."""
        if self._holder is holder:
            self._holder = None
            self._changed()

    def regained(self, holder: Holder) -> None:
        """Somebody who led has a new session, and takes the lock again if nobody else has."""
        if self._holder is None:
            self._holder, self._stands_still = holder, None

    def look(self) -> int | None:
        """For how long to wait before it may be free, in milliseconds; 0: it is, None: whoever leads lives."""
        if self._holder is None:
            return 0
        if self._holder.beats():
            self._stands_still = None
            return None
        if self._stands_still is None:
            self._stands_still = self._timeline.now
        return max(0, self._stands_still + HUNG_MS - self._timeline.now)

    def stands_still(self) -> None:
        """Something happened to somebody by which a beat may stand still."""
        self.look()
        self._changed()
