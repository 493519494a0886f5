"""Which queued runs may begin: no dag ever has more running runs than its ``max_active_runs``."""

from heapq import heappop, heappush

from ostinato.model.time import Instant

from .live import LiveRun

Place = tuple[bool, Instant, int]
"""Order of admission: backfills last, then the oldest interval, then the oldest run."""


class Admission:
    """Queued runs by dag, and how many runs of each dag are running. Only dags where something changed are looked at."""

    def __init__(self) -> None:
        self._queues: dict[str, list[Place]] = {}
        self._waiting: dict[int, LiveRun] = {}
        self._running: dict[str, set[int]] = {}
        self._changed: dict[str, None] = {}  # a set that keeps its order, or equal facts could give unequal decisions

    def __contains__(self, run_id: int) -> bool:
        return run_id in self._waiting

    def __len__(self) -> int:
        return len(self._waiting)

    def waiting(self) -> list[LiveRun]:
        """The queued runs, in the order in which they came."""
        return list(self._waiting.values())

    def wait(self, live: LiveRun) -> None:
        """A queued run takes its place in its dag's queue."""
        run = live.run
        self._waiting[run.run_id] = live
        place = (run.kind == "backfill", run.interval.start, run.run_id)
        heappush(self._queues.setdefault(run.dag_id, []), place)
        self._changed[run.dag_id] = None

    def withdraw(self, run_id: int) -> LiveRun | None:
        """A queued run leaves the queue without running; None if it is not in it."""
        live = self._waiting.pop(run_id, None)
        if live is not None:
            self._changed[live.run.dag_id] = None  # an older version's smaller limit may have held up those behind it
        return live

    def enter(self, live: LiveRun) -> None:
        """A run is running."""
        self._running.setdefault(live.run.dag_id, set()).add(live.run.run_id)

    def leave(self, live: LiveRun) -> None:
        """A run has ended."""
        self._running.get(live.run.dag_id, set()).discard(live.run.run_id)
        self._changed[live.run.dag_id] = None

    def next(self) -> LiveRun | None:
        """The next run that may begin now, which thereby counts as running; None when there is none."""
        while self._changed:
            dag_id = next(iter(self._changed))
            live = self._next_of(dag_id)
            if live is not None:
                return live
            del self._changed[dag_id]
        return None

    def _next_of(self, dag_id: str) -> LiveRun | None:
        queue = self._queues.get(dag_id, [])
        running = self._running.setdefault(dag_id, set())
        while queue:
            live = self._waiting.get(queue[0][2])
            if live is None:
                heappop(queue)
                continue
            if len(running) >= live.shape.spec.max_active_runs:
                return None
            heappop(queue)
            del self._waiting[live.run.run_id]
            self.enter(live)
            return live
        return None
