"""Virtual time. What is going to happen stands in one queue; nothing else moves the clock."""

from collections.abc import Callable
from heapq import heappop, heappush

from ostinato.model.time import Instant

BEGIN = 1_700_000_000_000
"""Every simulation begins at this instant, 2023-11-14T22:13:20Z."""


class Timeline:
    """True time never goes back. Clocks, which are all that schedulers see, are set forward and back, each by itself.

    ``errors`` is by how much they are wrong, by machine; people have one of their own.
    """

    def __init__(self) -> None:
        self.now: Instant = BEGIN
        self.errors: dict[str, int] = {}
        self.latest: Instant = BEGIN
        self._queue: list[tuple[Instant, int, Callable[[], None]]] = []
        self._count = 0

    def wall(self, machine: str = "people") -> Instant:
        """What a machine's clock shows. ``latest`` is the latest time that anybody has seen on any."""
        shown = self.now + self.errors.get(machine, 0)
        self.latest = max(self.latest, shown)
        return shown

    def after(self, delay: int, action: Callable[[], None]) -> None:
        """Let something happen in ``delay`` milliseconds; what is put first happens first."""
        self._count += 1
        heappush(self._queue, (self.now + delay, self._count, action))

    def advance(self, until: Instant) -> bool:
        """Let the next thing happen, if it does so by ``until``; whether there was one."""
        if not self._queue or self._queue[0][0] > until:
            return False
        self.now, _, action = heappop(self._queue)
        action()
        return True
