"""From what people ask for (a dag, a date, parameters) to the run to create."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ostinato.authoring.params import from_text
from ostinato.decide.timetable import interval_at, interval_starting, intervals_between, latest_complete
from ostinato.model.change import NewRun
from ostinato.model.errors import Conflict, UsageError
from ostinato.model.record import Run, nth_of, run_key
from ostinato.model.spec import DagSpec, Schedule, Ticking
from ostinato.model.time import DataInterval, Instant, instant
from ostinato.model.value import encode

from .when import day_bounds, logical_date, parse_date, parse_moment, zone_of

if TYPE_CHECKING:
    from ostinato.store import Store

_TRIES = 10


def interval_for(schedule: Schedule | None, date: str | None, now: Instant) -> DataInterval:
    """The data interval that a date names; without one the last that is complete, or today where none is known beforehand.

    A day means the first interval that starts on it. Raises UsageError where none does, naming those around it.
    """
    if date is None:
        return latest_complete(schedule, now) if isinstance(schedule, Ticking) else interval_at(None, now)
    zone = zone_of(schedule)
    if "T" in date:
        start = instant(parse_moment(date, zone, "--date"))
        found = interval_starting(schedule, start)
    else:
        start, after = day_bounds(parse_date(date, "--date"), zone)
        found = next(intervals_between(schedule, start, after - 1), None)
    if found is None:
        earlier = interval_at(schedule, start)
        later = interval_at(schedule, earlier.end)
        around = f"{logical_date(earlier, schedule)} and {logical_date(later, schedule)}"
        raise UsageError(f"--date: no interval of the schedule starts at {date}", help=f"Around it are {around}.")
    return found


def new_run(store: "Store", spec: DagSpec, interval: DataInterval, params: Sequence[str], by: str, now: Instant) -> Run:
    """Create a run by hand; the interval's earlier runs stay as they are. Raises UsageError for parameters that misfit."""
    version = store.dag(spec.dag_id).version
    values = encode(from_text(spec.params, pairs(params)))
    for _ in range(_TRIES):
        key = run_key(interval.start, _next_nth(store, spec.dag_id, interval))
        wanted = NewRun(spec.dag_id, version, key, "manual", interval.start, interval.end, values, now, by=by)
        if created := store.create_runs([wanted]):
            return created[0]
    raise Conflict(f"others keep creating runs of {spec.dag_id} for this interval", help="Try again.")


def _next_nth(store: "Store", dag_id: str, interval: DataInterval) -> int:
    """How many-eth run of its interval the next one is."""
    newest = store.latest_by_interval(dag_id, interval.start, interval.start + 1).get(interval.start)
    return 1 if newest is None else nth_of(newest) + 1


def pairs(params: Sequence[str]) -> dict[str, str]:
    """``name=value`` words as a dict. Raises UsageError for a word without ``=`` and for a name given twice."""
    found: dict[str, str] = {}
    for word in params:
        name, equals, text = word.partition("=")
        if not equals or not name:
            raise UsageError(f'--param: "{word}" is not NAME=VALUE', help="Write it as --param region=eu.")
        if name in found:
            raise UsageError(f'--param: "{name}" is given twice')
        found[name] = text
    return found
