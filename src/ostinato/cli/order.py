"""From what people ask for (a dag, a date, parameters) to the run to create."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ostinato.authoring.params import from_text
from ostinato.control.next_run import create_next
from ostinato.decide.timetable import interval_at, interval_starting, intervals_between, latest_complete
from ostinato.model.change import NewRun
from ostinato.model.errors import UsageError
from ostinato.model.record import Run
from ostinato.model.spec import DagSpec, Foreseen, Schedule
from ostinato.model.time import DataInterval, Instant, instant
from ostinato.model.value import encode
from ostinato.view.when import day_bounds, logical_date, parse_date, parse_moment, zone_of

if TYPE_CHECKING:
    from ostinato.store import Store


def interval_for(schedule: Schedule | None, date: str | None, now: Instant) -> DataInterval:
    """The data interval that a date names; without one the last that is complete, or today where none is known beforehand.

    A day means the first interval that starts on it. Raises UsageError where none does, naming those around it.
    """
    if date is None:
        return latest_complete(schedule, now) if isinstance(schedule, Foreseen) else interval_at(None, now)
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
    wanted = NewRun(spec.dag_id, version, "", "manual", interval.start, interval.end, values, now, by=by)
    return create_next(store, wanted)


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
