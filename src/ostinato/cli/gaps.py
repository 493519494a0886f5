"""``ostinato gaps``: what is missing, failed or stale in a dag's past."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ostinato.clock import SystemClock
from ostinato.model.errors import NotFound
from ostinato.model.spec import DagSpec
from ostinato.model.time import DataInterval, Instant, moment
from ostinato.view.documents.backfills import GapDocument, GapsDocument
from ostinato.view.when import day_bounds, day_of, logical_date, parse_date, zone_of

from .session import present_state
from .target import spec_of
from .terminal import Ink, next_step, out, out_json, table
from .words import AsJson, DagId, declaration

if TYPE_CHECKING:
    from ostinato.decide.gaps import Stretch
    from ostinato.store import Store

app = declaration()


@app.command(epilog="ostinato gaps sales\nostinato gaps sales --from 2025-01-01 --to 2025-06-30 --json")
def gaps(
    dag: DagId,
    first: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="the first logical date (default: the dag's start or first run)"),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="the last logical date, included (default: the last that is over)"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the dates of a dag that are not as they should be.

    Missing: never run. Failed: the newest run failed or was cancelled. Stale: it succeeded, with another version of the
    dag than today's. Running: queued or running.
    """
    with present_state() as store:
        document = _gaps(store, dag, first, last, SystemClock().now())
    if as_json:
        out_json(document)
        return
    _draw(document)


def _gaps(store: "Store", dag_id: str, first: str | None, last: str | None, now: Instant) -> GapsDocument:
    from ostinato.decide.gaps import gaps as gaps_among  # noqa: PLC0415 - loads timetables
    from ostinato.decide.interval_state import fold  # noqa: PLC0415

    spec, version = spec_of(store, dag_id), store.dag(dag_id).version
    begin, intervals = _range(store, spec, first, last, now)
    runs = store.runs_over(dag_id, intervals[0].start, intervals[-1].end) if intervals else []
    found = gaps_among(intervals, fold(runs), version)
    schedule = spec.schedule
    return GapsDocument(
        dag_id=dag_id,
        version=version,
        first=logical_date(intervals[0], schedule) if intervals else day_of(begin, schedule),
        last=logical_date(intervals[-1], schedule) if intervals else day_of(begin, schedule),
        intervals=len(intervals),
        counts={gap: sum(each.count for each in parts) for gap, parts in found.items()},
        gaps=[_gap_document(gap, each, spec) for gap, parts in found.items() for each in parts],
    )


def _range(
    store: "Store", spec: DagSpec, first: str | None, last: str | None, now: Instant
) -> tuple[Instant, tuple[DataInterval, ...]]:
    """Where to begin, and the intervals from there on that are over. Raises NotFound where there is no past."""
    from ostinato.decide.timetable import intervals_between  # noqa: PLC0415

    from .backfill_plan import bounded  # noqa: PLC0415

    zone = zone_of(spec.schedule)
    begin = spec.start if spec.start is not None else store.first_interval(spec.dag_id)
    if first is not None:
        begin = day_bounds(parse_date(first, "--from"), zone)[0]
    if begin is None:
        raise NotFound(f"{spec.dag_id} has not run yet, and has no start", help="Say from when on with --from.")
    until = now if last is None else min(now, day_bounds(parse_date(last, "--to"), zone)[1] - 1)
    if spec.end is not None:
        until = min(until, spec.end)
    possible = bounded(intervals_between(spec.schedule, begin, until))
    return begin, tuple(interval for interval in possible if interval.end <= now)


def _gap_document(gap: str, stretch: "Stretch", spec: DagSpec) -> GapDocument:
    return GapDocument(
        gap=gap,
        first=logical_date(stretch.first, spec.schedule),
        last=logical_date(stretch.last, spec.schedule),
        interval_start=moment(stretch.first.start),
        interval_end=moment(stretch.last.end),
        intervals=stretch.count,
    )


def _draw(document: GapsDocument) -> None:
    total = f"{document.intervals:,} intervals from {document.first} to {document.last}"
    if not document.gaps:
        out(f"{document.dag_id}: no gap in {total}")
        return
    told = ", ".join(f"{count:,} {gap}" for gap, count in document.counts.items() if count)
    out(f"{document.dag_id}: {told}, of {total}")
    rows = [(each.gap, each.first, each.last, f"{each.intervals:,}") for each in document.gaps]
    out(table(("GAP", "FROM", "TO", "INTERVALS"), rows, right=(3,), ink=Ink(sys.stdout)))
    mend = _mend(document)
    if mend:
        next_step(mend)


def _mend(document: GapsDocument) -> str:
    """The backfill that fills what is missing and failed; if nothing is, the one that renews what is stale."""
    for kinds, reprocess in (({"missing", "failed"}, "failed"), ({"stale"}, "all")):
        dates = sorted(each.first[:10] for each in document.gaps if each.gap in kinds)
        ends = sorted(each.last[:10] for each in document.gaps if each.gap in kinds)
        if dates:
            return f"ostinato backfill {document.dag_id} --from {dates[0]} --to {ends[-1]} --reprocess {reprocess}"
    return ""
