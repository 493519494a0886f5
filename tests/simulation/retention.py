"""History is kept in order, portion by portion, while everything goes on: what is old is forgotten, what is over packed."""

from ostinato.model.record import LoggedEvent, Run
from ostinato.model.state import FINAL_RUN
from ostinato.store import Store

from .timeline import Timeline
from .trace import Trace, demand
from .witness import Witness

OLD_MS = 3_000
OVER_MS = 500
PORTION_MS = 5


class Retention:
    """What the thread of a scheduler does every hour, once: what ended some seconds ago goes, the rest takes less room."""

    def __init__(self, store: Store, timeline: Timeline, witness: Witness, trace: Trace) -> None:
        self._store = store
        self._timeline = timeline
        self._set_backs = witness.set_backs
        self.over = False
        self._witness = witness
        self._trace = trace
        now = timeline.wall()
        self._before = now - OLD_MS
        self._over_before = now - OVER_MS
        witness.has_forgotten = True
        self._wanted = self._left()
        self._portions = store.prune(self._before)
        self._forget()

    def _forget(self) -> None:
        if self._is_gone():
            return
        removed = next(self._portions, None)
        if removed is None:
            left = sorted({*self._wanted}.intersection(self._left()))  # by a slow clock more may have ended since
            demand(not left, f"it is over, and there is more to forget: {left}")
            self._portions = self._store.pack(self._over_before)
            self._timeline.after(PORTION_MS, self._pack)
            return
        self._trace.note("forgotten are", removed, "rows")
        for run_id in self._left():
            if not self._store.events(run_id, limit=1):
                self._witness.forgotten.add(run_id)
        self._timeline.after(PORTION_MS, self._forget)

    def _pack(self) -> None:
        if self._is_gone():
            return
        before = self._stories()
        packed = next(self._portions, None)
        demand(self._stories() == before, "a story is not what it was before it was packed")
        if packed is not None:
            self._trace.note("packed are", packed, "lines")
            self._timeline.after(PORTION_MS, self._pack)
        else:
            self.over = True

    def _is_gone(self) -> bool:
        """Whether the state is another one than that which it was about."""
        self.over = self.over or self._set_backs != self._witness.set_backs
        return self.over

    def _stories(self) -> list[list[LoggedEvent]]:
        return [self._store.events(run_id, limit=100_000) for run_id in self._witness.runs]

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
