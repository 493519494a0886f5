"""History that is old enough is forgotten, portion by portion, while everything goes on."""

from ostinato.model.record import Run
from ostinato.model.state import FINAL_RUN
from ostinato.store import Store

from .timeline import Timeline
from .trace import Trace, demand
from .witness import Witness

AGE_MS = 3_000
PORTION_MS = 5


class Forgetting:
    """`ostinato db prune`, once: what ended some seconds ago goes."""

    def __init__(self, store: Store, timeline: Timeline, witness: Witness, trace: Trace) -> None:
        self._store = store
        self._timeline = timeline
        self._witness = witness
        self._trace = trace
        self._before = timeline.wall() - AGE_MS
        witness.has_forgotten = True
        self._wanted = self._left()
        self._portions = store.prune(self._before)
        self._next()

    def _next(self) -> None:
        removed = next(self._portions, None)
        if removed is None:
            left = sorted({*self._wanted}.intersection(self._left()))  # by a slow clock more may have ended since
            demand(not left, f"it is over, and there is more to forget: {left}")
            return
        self._trace.note("forgotten are", removed, "rows")
        for run_id in self._left():
            if not self._store.events(run_id, limit=1):
                self._witness.forgotten.add(run_id)
        self._timeline.after(PORTION_MS, self._next)

    def _left(self) -> list[int]:
        """The runs that ended long enough ago and have a story."""
        witness = self._witness
        return [
            run_id
            for run_id, seen in witness.runs.items()
            if run_id not in witness.forgotten and self._is_old(seen.run)
        ]

    def _is_old(self, run: Run) -> bool:
        return run.state in FINAL_RUN and self._witness.ended_at[run.run_id] < self._before
