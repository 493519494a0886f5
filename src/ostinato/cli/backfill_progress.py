"""How far a backfill is, counted from its rows each time; followed to its end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Protocol

from ostinato.clock import SystemClock
from ostinato.model.record import UNMAPPED
from ostinato.model.state import FINAL_RUN, RunState
from ostinato.model.time import Instant, moment
from ostinato.model.value import decode
from ostinato.view.documents.backfills import BackfillDocument, DatesDocument
from ostinato.view.reading import plain_params, when
from ostinato.view.when import day_of

from .target import spec_of
from .waiting import Wait, WaitedTooLong, patiently, pause

if TYPE_CHECKING:
    from ostinato.model.record import Backfill, OutputKey, Run
    from ostinato.store import Store

_MOST_RUNS: Final = 100_000
_LOOK_MS: Final = 150
_LOOK_ANYWAY_MS: Final = 350
_COST_SHARE: Final = 20
"""Looking may take a twentieth of the time at most."""

ROWS: Final = "rows"
"""A task that returns a dict with this key and a whole number says how many rows it wrote."""


class BackfillWatched:
    """A backfill as it was at the last look."""

    def __init__(self, store: "Store", backfill_id: int) -> None:
        self._store = store
        self._id = backfill_id
        self._rows: dict[int, int] = {}

    def look(self) -> BackfillDocument:
        """How far it is now. Raises NotFound."""
        found = self._store.backfill(self._id)
        totals = self._store.totals(self._id)
        self._count_rows()
        chosen = self._dates(found)
        return BackfillDocument(
            backfill_id=found.backfill_id,
            dag_id=found.dag_id,
            state=_state(found),
            first=chosen[0].first,
            last=chosen[-1].last,
            chosen=chosen,
            reprocess=found.reprocess,
            newest_first=found.newest_first,
            batch=found.batch,
            cascade=found.cascade,
            params=plain_params(found.params),
            max_active_runs=found.max_active_runs,
            share=found.share,
            by=found.by,
            created_at=moment(found.created_at),
            runs=found.runs or {},
            tasks=totals.tasks,
            errors=totals.failures,
            rows=sum(self._rows.values()),
            rejected=totals.rejected,
            started_at=when(totals.started_at),
            finished_at=when(totals.finished_at) if is_over(found.runs or {}) else None,
        )

    def _dates(self, found: "Backfill") -> list[DatesDocument]:
        schedule = spec_of(self._store, found.dag_id).schedule
        return [
            DatesDocument(first=day_of(each.start, schedule), last=day_of(each.end - 1, schedule))
            for each in found.chosen
        ]

    def _count_rows(self) -> None:
        """Add the rows of runs that have succeeded since the last look: what has succeeded stays as it is."""
        done = self._store.runs(backfill_id=self._id, states=[RunState.SUCCESS], limit=_MOST_RUNS)
        fresh = [run for run in done if run.run_id not in self._rows]
        self._rows |= rows_of(self._store, fresh)


def _state(found: "Backfill") -> str:
    return "finished" if found.state != "cancelled" and is_over(found.runs or {}) else found.state


def rows_of(store: "Store", runs: "Sequence[Run]") -> dict[int, int]:
    """How many rows each run says it wrote."""
    specs = {version: store.compiled(version).spec for version in {run.version for run in runs}}
    found = {run.run_id: 0 for run in runs}
    wanted: list[OutputKey] = []
    for run in runs:
        for task_no, task in enumerate(specs[run.version].tasks):
            if task.scope is None:
                wanted.append((run.run_id, task_no, UNMAPPED))
            else:
                outputs = store.outputs_of_all(run.run_id, task_no)
                found[run.run_id] += sum(_rows_in(output) for output in outputs if output is not None)
    for (run_id, _, _), output in store.outputs(wanted).items():
        found[run_id] += _rows_in(output)
    return found


def _rows_in(output: bytes) -> int:
    value: object = decode(output)
    rows: object = value.get(ROWS) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return rows if isinstance(rows, int) else 0


def over(runs: dict[str, int]) -> int:
    """How many runs are over."""
    return sum(count for state, count in runs.items() if RunState(state) in FINAL_RUN)


def is_over(runs: dict[str, int]) -> bool:
    """Whether all runs are over."""
    return over(runs) == sum(runs.values())


class BackfillView(Protocol):
    """Something that shows a backfill while it goes on."""

    def show(self, document: BackfillDocument, now: Instant) -> None:
        """Draw what is new."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


def follow_backfill(
    store: "Store", backfill_id: int, wait: Wait, view: BackfillView, give_up_at: Instant | None = None
) -> BackfillDocument:
    """Follow a backfill until all its runs are over. Raises WaitedTooLong when that is not so by ``give_up_at``."""
    clock, watched = SystemClock(), BackfillWatched(store, backfill_id)
    try:
        while True:
            begun = clock.now()
            document = patiently(watched.look, wait, clock, give_up_at)
            now = clock.now()
            view.show(document, now)
            if is_over(document.runs):
                return document
            if give_up_at is not None and now >= give_up_at:
                advice = f"It goes on; see `ostinato backfill show {backfill_id}`."
                raise WaitedTooLong(f"backfill {backfill_id} is not done yet", help=advice)
            least = max(_LOOK_MS, _COST_SHARE * (now - begun))
            pause(wait, clock, now + least, now + least + _LOOK_ANYWAY_MS)
    finally:
        view.close()
