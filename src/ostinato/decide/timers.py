"""When a task instance is to be looked at again: the one queue of due times inside of runs."""

from collections.abc import Iterator
from heapq import heappop, heappush

from ostinato.model.time import Instant


class Timers:
    """A timer is never taken back: who is woken looks whether there is anything to do."""

    def __init__(self) -> None:
        self._due: list[tuple[Instant, int, int]] = []

    def set(self, at: Instant, run_id: int, no: int) -> None:
        """Wake a task instance, by its number in its run."""
        heappush(self._due, (at, run_id, no))

    def due(self, now: Instant) -> Iterator[tuple[int, int]]:
        """The run and number of each that is due by ``now``, which thereby is done."""
        while self._due and self._due[0][0] <= now:
            _, run_id, no = heappop(self._due)
            yield run_id, no

    def next(self) -> Instant | None:
        """The earliest due time; None: there is none."""
        return self._due[0][0] if self._due else None
