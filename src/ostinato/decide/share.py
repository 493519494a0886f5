"""What backfills are owed. Work by the clock goes before theirs, but not for ever.

Each time that other work gets slots while a backfill waits, the backfill is credited with its share of them; once that
pays for its next task, it is due and goes first. So of all slots that are given out while it waits, it gets its share.
It is owed no more than its next task, and the turns that it gets because nobody else wants them cost it nothing.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

WHOLE: Final = 1_000
"""Shares are counted in thousandths, so that equal facts give equal sums."""
UNNUMBERED: Final = -1
"""Stands for the backfill of a run that belongs to none that has a number."""
MOST_TOGETHER: Final = 500
"""All backfills together are guaranteed no more than half; beyond that their shares shrink alike."""


class Terms(Struct, frozen=True):
    """What people granted a backfill: runs at once, its share of slots (0 to 1), and whether it is to rest for now."""

    max_active_runs: int
    share: float = 0.1
    paused: bool = False


class Shares:
    """What each backfill is granted and owed, by its number. One that nobody told of has the usual share."""

    def __init__(self) -> None:
        self._terms: Mapping[int, Terms] = {}
        self._owed: dict[int, int] = {}

    def grant(self, terms: Mapping[int, Terms]) -> None:
        """The terms of all backfills that are not over."""
        self._terms = terms
        self._owed = {backfill: owed for backfill, owed in self._owed.items() if backfill in terms}

    def is_due(self, backfill: int, slots: int) -> bool:
        """Whether what a backfill is owed pays for these slots."""
        return self._owed.get(backfill, 0) >= slots * WHOLE > 0

    def lacks(self, backfill: int, used: int, whole: int) -> bool:
        """Whether a backfill that has ``used`` slots of a pool of ``whole`` has less than its share of it."""
        return used * WHOLE < self._share(backfill) * whole

    def charge(self, backfill: int, slots: int) -> None:
        """A backfill had the turn that was due to it."""
        self._owed[backfill] -= slots * WHOLE

    def credit(self, waiting: Mapping[int, int], slots: int) -> None:
        """Others got ``slots`` while these backfills waited, each for a task of so many."""
        shares = {backfill: self._share(backfill) for backfill in waiting}
        asked = sum(shares.values())
        together = min(asked, MOST_TOGETHER)
        for backfill, needs in waiting.items():
            owed = self._owed.get(backfill, 0)
            if owed < needs * WHOLE and asked:
                share = slots * WHOLE * shares[backfill] * together
                self._owed[backfill] = owed - -share // (asked * (WHOLE - together))

    def _share(self, backfill: int) -> int:
        terms = self._terms.get(backfill)
        return _USUAL if terms is None else round(terms.share * WHOLE)


_USUAL: Final = round(Terms(max_active_runs=1).share * WHOLE)
