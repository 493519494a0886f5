"""Which queued runs may begin.

A dag never has more running runs than its ``max_active_runs``; the runs of a backfill are counted by themselves, against
what the backfill was granted. So a backfill takes none of the daily run's places, and waits for none of them.
"""

from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Final

from ostinato.model.record import Run
from ostinato.model.time import Instant

from .live import LiveRun
from .share import UNNUMBERED, Terms

Place = tuple[Instant, int]
"""Order of admission: the oldest interval, then the oldest run. In a backfill, the oldest run: they are made in its order."""

Queue = tuple[str, int]
"""A dag and 0; or a backfill, which may be of several dags: nothing and its number."""

_NONE_YET: Final[Mapping[int, Terms]] = {}


class Admission:
    """Queued runs by dag or backfill, and which runs of each are running. Only those where something changed are looked at."""

    def __init__(self) -> None:
        self._queues: dict[Queue, list[Place]] = {}
        self._waiting: dict[int, LiveRun] = {}
        self._running: dict[Queue, set[int]] = {}
        self._terms = _NONE_YET
        self._changed: dict[Queue, None] = {}  # a set that keeps its order, or equal facts could give unequal decisions

    def __contains__(self, run_id: int) -> bool:
        return run_id in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    def waiting(self) -> list[LiveRun]:
        """The queued runs, in the order in which they came."""
        return list(self._waiting.values())

    def set_backfills(self, terms: Mapping[int, Terms]) -> None:
        """What each backfill that is not over was granted, by its number."""
        if terms != self._terms:
            self._terms = terms
            self._changed |= dict.fromkeys(queue for queue in self._queues if queue[1])

    def wait(self, live: LiveRun) -> None:
        """A queued run takes its place in the queue of its dag or its backfill."""
        run, queue = live.run, queue_of(live.run)
        self._waiting[run.run_id] = live
        heappush(self._queues.setdefault(queue, []), (0 if queue[1] else run.interval.start, run.run_id))
        self._changed[queue] = None

    def withdraw(self, run_id: int) -> LiveRun | None:
        """A queued run leaves the queue without running; None if it is not in it."""
        live = self._waiting.pop(run_id, None)
        if live is not None:
            self._changed[queue_of(live.run)] = (
                None  # an older version's smaller limit may have held up those behind it
            )
        return live

    def enter(self, live: LiveRun) -> None:
        """A run is running."""
        self._running.setdefault(queue_of(live.run), set()).add(live.run.run_id)

    def leave(self, live: LiveRun) -> None:
        """A run has ended."""
        queue = queue_of(live.run)
        running = self._running.get(queue, set())
        running.discard(live.run.run_id)
        if not running:
            self._running.pop(queue, None)
        self._changed[queue] = None

    def next(self) -> LiveRun | None:
        """The next run that may begin now, which thereby counts as running; None when there is none."""
        while self._changed:
            queue = next(iter(self._changed))
            live = self._next_of(queue)
            if live is not None:
                return live
            del self._changed[queue]
        return None

    def _next_of(self, queue: Queue) -> LiveRun | None:
        places = self._queues.get(queue, [])
        while places:
            live = self._waiting.get(places[0][1])
            if live is None:
                heappop(places)
            elif len(self._running.get(queue, ())) >= self._most(queue, live):
                return None
            else:
                heappop(places)
                del self._waiting[live.run.run_id]
                self.enter(live)
                return live
        self._queues.pop(queue, None)
        return None

    def _most(self, queue: Queue, live: LiveRun) -> int:
        """How many runs of a queue may run at once, if the next is this one."""
        terms = self._terms.get(queue[1]) if queue[1] else None
        if terms is None:
            return live.shape.spec.max_active_runs
        return 0 if terms.paused else terms.max_active_runs


def queue_of(run: Run) -> Queue:
    """Which queue a run waits in, and in which it counts while it runs."""
    if run.kind == "backfill":
        return "", run.backfill_id or UNNUMBERED
    return run.dag_id, 0
