"""Backfills and their plans as people read them."""

import sys
from itertools import groupby

from ostinato.clock import SystemClock
from ostinato.view.documents.backfills import BackfillDocument, DatesDocument, PlanDocument, PlannedRunDocument
from ostinato.view.when import duration, local

from .backfill_view import Pace, numbers
from .terminal import Ink, next_step, out, table

_MOST_LINES = 40


def draw_one(document: BackfillDocument) -> None:
    """One backfill: how far it is, and how it is run."""
    ink = Ink(sys.stdout)
    name = ink(f"backfill {document.backfill_id}", "bold")
    out(f"{name} of {document.dag_id}: {numbers(document, Pace().told(document, SystemClock().now()))}")
    states = ", ".join(f"{count:,} {ink.state(name)}" for name, count in sorted(document.runs.items()))
    out(f"  {'runs':10} {states or 'none'}")
    if document.errors:
        tries = ", ".join(f"{count:,} {name}" for name, count in sorted(document.errors.items()))
        out(f"  {'errors':10} {tries}")
    out(f"  {'dates':10} {_dates(document.chosen)}")
    out(f"  {'how':10} {_manner(document)}")


def _dates(chosen: list[DatesDocument]) -> str:
    return ", ".join(each.first if each.first == each.last else f"{each.first} to {each.last}" for each in chosen)


def _manner(document: BackfillDocument) -> str:
    parts = [f"reprocess {document.reprocess}", "newest first" if document.newest_first else "oldest first"]
    if document.batch > 1:
        parts.append(f"up to {document.batch} intervals a run")
    if document.cascade:
        parts.append("with the dags that need them")
    return ", ".join([*parts, f"at most {document.max_active_runs:,} at once", f"share {document.share:g}"])


def draw_all(found: list[BackfillDocument]) -> None:
    """A table of backfills."""
    ink = Ink(sys.stdout)
    rows = [
        (
            str(each.backfill_id),
            each.dag_id,
            each.first,
            each.last,
            each.reprocess,
            each.state,
            f"{sum(each.runs.values()):,}",
            ", ".join(f"{count:,} {ink.state(name)}" for name, count in sorted(each.runs.items())),
            local(each.created_at),
        )
        for each in found
    ]
    header = ("ID", "DAG", "FROM", "TO", "REPROCESS", "STATE", "RUNS", "STATES", "CREATED")
    out(table(header, rows, right=(0, 6), ink=ink))


def draw_plan(document: PlanDocument) -> None:
    """What would be created, dag by dag in the order in which it would be, what is left alone, and how long it may take."""
    if not document.runs:
        out(f"no run of {document.dag_id} would be created")
    for dag_id, group in groupby(document.runs, key=lambda run: run.dag_id):
        _draw_runs(dag_id, list(group))
    for reason, count in document.left_alone.items():
        out(f"  {count:,} left alone: {reason}")
    if document.median_run_ms is not None:
        out(f"  a run took {duration(document.median_run_ms)} lately (median)")
    if document.estimated_ms is not None and document.runs:
        at_once = f"{document.max_active_runs:,} at once"
        out(f"  all of it takes about {duration(document.estimated_ms)}, {at_once}, if nothing else wants the slots")
    elif document.runs:
        out(
            f"  how long it takes cannot be said: too few runs of {document.too_little_history} like these have succeeded"
        )
    next_step("the same without --dry-run" if document.runs else "--reprocess failed or --reprocess all runs more")


def _draw_runs(dag_id: str, runs: list[PlannedRunDocument]) -> None:
    first, last = runs[0].logical_date, runs[-1].logical_date
    span = first if first == last else f"{first} to {last}, in this order"
    out(f"{len(runs):,} runs of {dag_id} would be created: {span}")
    parts = _unbroken(runs)
    if len(parts) == 1:
        return
    for part in parts[:_MOST_LINES]:
        begin, end = part[0].logical_date, part[-1].logical_date
        out(f"  {len(part):,} for {begin if begin == end else f'{begin} to {end}'}")
    if len(parts) > _MOST_LINES:
        out(f"  and {len(parts) - _MOST_LINES:,} stretches more: see them with --json")


def _unbroken(runs: list[PlannedRunDocument]) -> list[list[PlannedRunDocument]]:
    """The runs, split where one does not begin where its neighbour ends."""
    parts: list[list[PlannedRunDocument]] = []
    for run in runs:
        if parts and _touch(parts[-1][-1], run):
            parts[-1].append(run)
        else:
            parts.append([run])
    return parts


def _touch(one: PlannedRunDocument, other: PlannedRunDocument) -> bool:
    return one.interval_end == other.interval_start or other.interval_end == one.interval_start
