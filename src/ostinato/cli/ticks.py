"""The next ticks of a schedule, as people and machines read them."""

import sys
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from ostinato.model import spec as model
from ostinato.model.errors import UsageError
from ostinato.model.spec import After, DagSpec, Foreseen
from ostinato.model.time import DataInterval, Instant, instant, moment
from ostinato.view.documents.dags import ClockChangeDocument, TickDocument, TicksDocument
from ostinato.view.reading import schedule_text
from ostinato.view.when import logical_date, parse_moment, zone_of

from .target import spec_of
from .terminal import Ink, next_step, out, say, table

if TYPE_CHECKING:
    from ostinato.decide.cron import Edge
    from ostinato.store import Store

_SAYS: Final = {
    "moved": "{wall} does not exist: right after the gap",
    "skipped": "{wall} does not exist: left out",
    "doubled": "{wall} comes twice: both times",
    "first": "{wall} comes twice: the first time",
    "second": "{wall} comes twice: the second time",
}


def ticks(store: "Store", dag_id: str, count: int, zone: str | None, begin: str | None, now: Instant) -> TicksDocument:
    """The next ticks of a dag's schedule. Raises NotFound, and UsageError where nobody knows them beforehand."""
    from ostinato.decide.timetable import upcoming  # noqa: PLC0415 - loads timetables
    from ostinato.decide.zone import ScheduleInvalid, local  # noqa: PLC0415

    spec = spec_of(store, dag_id)
    if not isinstance(spec.schedule, Foreseen):
        kind = "no schedule" if spec.schedule is None else "a continuous schedule"
        raise UsageError(
            f"{dag_id} has {kind}: nobody knows its ticks beforehand", help=f"Try `ostinato why {dag_id}`."
        )
    told_in = model.zone_of(spec.schedule) if zone is None else zone
    after = now if begin is None else instant(parse_moment(begin, zone_of(spec.schedule), "--from")) - 1
    try:
        local(told_in, now)
    except ScheduleInvalid as error:
        raise UsageError(f"--zone: {error.what}", help=error.help) from error
    found = list(islice(upcoming(spec, after), count))
    return TicksDocument(
        dag_id=dag_id,
        schedule=schedule_text(spec.schedule) or "",
        zone=told_in,
        paused=store.dag(dag_id).paused,
        ticks=[_tick(interval, spec, told_in) for interval in found],
        after=list(spec.schedule.dags) if isinstance(spec.schedule, After) else [],
        clock_changes=_changes(spec.schedule, found),
    )


def _tick(interval: DataInterval, spec: DagSpec, zone: str) -> TickDocument:
    return TickDocument(
        at=moment(interval.end),
        local=f"{moment(interval.end).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %z}",
        logical_date=logical_date(interval, spec.schedule),
        interval_start=moment(interval.start),
        interval_end=moment(interval.end),
    )


def _changes(schedule: Foreseen, intervals: list[DataInterval]) -> list[ClockChangeDocument]:
    """What clock changes do between the start of the first interval and the end of the last."""
    from ostinato.decide.tick import edges  # noqa: PLC0415
    from ostinato.decide.timetable import ticking_of  # noqa: PLC0415

    if not intervals:
        return []
    found = edges(ticking_of(schedule), intervals[0].start + 1, intervals[-1].end + 1)
    return [_change(edge) for edge in found]


def _change(edge: "Edge") -> ClockChangeDocument:
    return ClockChangeDocument(at=moment(edge.at), wall=f"{moment(edge.wall):%Y-%m-%d %H:%M}", kind=edge.kind)


def draw_ticks(document: TicksDocument) -> None:
    """One line for each tick, and one for each time that is left out where the clock changes."""
    ink = Ink(sys.stdout)
    notes: dict[datetime, list[str]] = {}
    for change in document.clock_changes:
        notes.setdefault(change.at, []).append(_SAYS[change.kind].format(wall=change.wall[11:]))
    rows = [
        (tick.at, (tick.local, tick.logical_date, ink("; ".join(notes.pop(tick.at, [])), "yellow")))
        for tick in document.ticks
    ]
    rows += [(at, ("-", "-", ink("; ".join(says), "yellow"))) for at, says in notes.items()]
    say(f"{document.dag_id}: {document.schedule}, times in {document.zone}")
    if document.after:
        say(
            f"each run is made once {' and '.join(document.after)} succeeded for all of its interval, which ends at the tick"
        )
    if document.paused:
        say("the schedule is paused")
    if not rows:
        say("there are no more ticks")
        return
    header = ("TICK", "FOR", "CLOCK CHANGE")
    out(table(header, [row for _, row in sorted(rows)], ink=ink))
    next_step(f"ostinato dags next {document.dag_id} -n 100 --zone UTC")
