"""A further run of an interval that may have had runs before: they stay as they are, and it gets the next number."""

from msgspec import structs

from ostinato.model.change import NewRun
from ostinato.model.errors import Conflict
from ostinato.model.record import Run, nth_of, run_key
from ostinato.model.time import Instant
from ostinato.store import Store

_TRIES = 10


def create_next(store: Store, wanted: NewRun) -> Run:
    """Create a run as the next one of its interval, whatever its run key was. Raises Conflict if others keep doing so."""
    for _ in range(_TRIES):
        newest = newest_for(store, wanted.dag_id, wanted.start)
        key = run_key(wanted.start, 1 if newest is None else nth_of(newest) + 1)
        if created := store.create_runs([structs.replace(wanted, run_key=key)]):
            return created[0]
    raise Conflict(f"others keep creating runs of {wanted.dag_id} for this interval", help="Try again.")


def newest_for(store: Store, dag_id: str, start: Instant) -> Run | None:
    """The newest run for the interval that begins then; None: there is none."""
    return store.latest_by_interval(dag_id, start, start + 1).get(start)
