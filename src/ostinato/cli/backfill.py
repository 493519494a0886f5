"""``ostinato backfill``: run a range of dates; see how far it is; stop it."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.home import Home, scheduler_alive
from ostinato.model.errors import Conflict, UsageError
from ostinato.model.state import RunState

from .cancel import asker
from .documents import BackfillDocument, BackfillsDocument, OneBackfillDocument, PlanDocument
from .errors import did_you_mean
from .session import present_home, present_state, state
from .target import spec_of
from .terminal import Ink, next_step, out, out_json, say, table
from .when import duration, local
from .words import AsJson, DagId, Params, Timeout, declaration

if TYPE_CHECKING:
    from ostinato.store import Store

app = declaration()

BackfillId = Annotated[int, typer.Argument(metavar="ID", help="the backfill's number")]
Wait = Annotated[
    bool, typer.Option("--wait", help="wait until it is done, with a progress bar; exit 1 if a run failed")
]
Reprocess = Literal["missing", "failed", "all"]


@app.command(
    "start",
    epilog="ostinato backfill sales --from 2025-01-01 --to 2025-12-31 --wait\n"
    "ostinato backfill sales --from 2025-05-01 --to 2025-05-31 --reprocess failed\n"
    "ostinato backfill sales --from 2025-05-01 --to 2025-05-31 --reprocess all --dry-run",
)
def start(
    dag: DagId,
    first: Annotated[str, typer.Option("--from", metavar="DATE", help="the first logical date")],
    last: Annotated[str, typer.Option("--to", metavar="DATE", help="the last logical date, included")],
    reprocess: Annotated[
        str,
        typer.Option(metavar="WHICH", help="missing: dates without a run; failed: also failed ones; all: all of them"),
    ] = "missing",
    param: Params = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="newest date first")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be done")] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> int:
    """Run a dag for a range of dates.

    A date that is running or queued is never run twice at once. Runs by the clock go before those of a backfill.
    """
    from .backfill_plan import asked, new_runs, plan_document, planned  # noqa: PLC0415 - loads timetables

    home, now = present_home(), SystemClock().now()
    with state(home) as store:
        spec = spec_of(store, dag)
        wish = asked(spec, first, last, _reprocess(reprocess), reverse=reverse)
        found = planned(store, spec, wish, now)
        runs = new_runs(store, spec, found, param or [], asker(), now)
        if dry_run or not runs:
            _tell_plan(plan_document(spec, wish, found, store.runs(dag_id=dag, limit=50)), as_json=as_json)
            return 0
        begun, _ = store.create_backfill(dag, wish.first, wish.last, wish.reprocess, runs, asker(), now)
        hint(home)
        return _tell(store, home, begun.backfill_id, wait=wait, timeout=timeout, as_json=as_json)


@app.command("ls", epilog="ostinato backfill ls\nostinato backfill ls sales --json")
def ls(
    dag: Annotated[str | None, typer.Argument(metavar="DAG", help="only of this dag")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, metavar="N", help="at most so many")] = 20,
    as_json: AsJson = False,
) -> None:
    """List backfills, newest first."""
    from .backfill_progress import BackfillWatched  # noqa: PLC0415

    with present_state() as store:
        if dag is not None:
            store.dag(dag)
        found = [BackfillWatched(store, each.backfill_id).look() for each in store.backfills(dag, limit)]
    if as_json:
        out_json(BackfillsDocument(backfills=found))
        return
    if not found:
        say("there are no backfills")
        return
    _draw(found)
    next_step(f"ostinato backfill show {found[0].backfill_id}")


@app.command("show", epilog="ostinato backfill show 3\nostinato backfill show 3 --wait")
def show(backfill: BackfillId, wait: Wait = False, timeout: Timeout = None, as_json: AsJson = False) -> int:
    """Show how far a backfill is; with --wait go on until it is done."""
    home = present_home()
    with state(home) as store:
        return _tell(store, home, backfill, wait=wait, timeout=timeout, as_json=as_json)


@app.command("cancel", epilog="ostinato backfill cancel 3")
def cancel(backfill: BackfillId, as_json: AsJson = False) -> None:
    """Stop a backfill: runs that have not ended are cancelled, what is done stays."""
    from .backfill_progress import BackfillWatched  # noqa: PLC0415

    home, now = present_home(), SystemClock().now()
    with state(home) as store:
        document = BackfillWatched(store, backfill).look()
        still_open = store.runs(backfill_id=backfill, states=[RunState.QUEUED, RunState.RUNNING], limit=100_000)
        if not still_open:
            raise Conflict(f"backfill {backfill} is over", help="There is nothing left to stop.")
        for run in still_open:
            store.request_cancel(run.run_id, asker(), now)
    hint(home)
    if as_json:
        out_json(OneBackfillDocument(backfill=document))
        return
    out(f"{len(still_open):,} runs of backfill {backfill} are asked to stop")
    next_step(f"ostinato backfill show {backfill}")


def _reprocess(text: str) -> Reprocess:
    match text:
        case "missing" | "failed" | "all":
            return text
        case _:
            words = ("missing", "failed", "all")
            advice = did_you_mean(text, words) or f"It is one of {', '.join(words)}."
            raise UsageError(f'--reprocess: "{text}" is not known', help=advice)


def _tell(store: "Store", home: Home, backfill_id: int, *, wait: bool, timeout: float | None, as_json: bool) -> int:
    """Say how far a backfill is, after having followed it to its end if that is asked for; return the exit code."""
    from .backfill_progress import BackfillWatched  # noqa: PLC0415

    document = BackfillWatched(store, backfill_id).look()
    if wait:
        document = _followed(store, home, backfill_id, timeout, as_json=as_json)
    if as_json:
        out_json(OneBackfillDocument(backfill=document))
    else:
        _draw_one(document)
        _next(document, home)
    bad = sum(document.runs.get(name, 0) for name in ("failed", "cancelled"))
    return 1 if wait and bad else 0


def _followed(
    store: "Store", home: Home, backfill_id: int, timeout: float | None, *, as_json: bool
) -> BackfillDocument:
    from .backfill_progress import follow_backfill  # noqa: PLC0415
    from .backfill_view import BackfillLines, view_for_people  # noqa: PLC0415
    from .follow import progress  # noqa: PLC0415

    give_up_at = None if timeout is None else SystemClock().now() + round(timeout * 1_000)
    view = BackfillLines() if as_json else view_for_people()
    try:
        with progress(home) as pause:
            return follow_backfill(store, backfill_id, pause, view, give_up_at)
    except KeyboardInterrupt:
        say(f"backfill {backfill_id} is kept; go on with `ostinato backfill show {backfill_id} --wait`")
        raise


def _next(document: BackfillDocument, home: Home) -> None:

    from .backfill_progress import is_over  # noqa: PLC0415

    if not is_over(document.runs) and scheduler_alive(home) is None:
        say("no scheduler runs here: start one with `ostinato dev`, or do it here and now:")
        next_step(f"ostinato backfill show {document.backfill_id} --wait")
    elif document.runs.get("failed"):
        next_step(f"ostinato runs --backfill {document.backfill_id} --state failed")
    elif is_over(document.runs):
        next_step(f"ostinato runs --backfill {document.backfill_id}")
    else:
        next_step(f"ostinato backfill show {document.backfill_id} --wait")


def _draw_one(document: BackfillDocument) -> None:
    from .backfill_view import Pace, numbers  # noqa: PLC0415

    ink = Ink(sys.stdout)
    out(
        f"{ink(f'backfill {document.backfill_id}', 'bold')} of {document.dag_id}: {numbers(document, Pace().told(document, SystemClock().now()))}"
    )
    states = ", ".join(f"{count:,} {ink.state(name)}" for name, count in sorted(document.runs.items()))
    out(f"  {'runs':10} {states or 'none'}")
    if document.errors:
        tries = ", ".join(f"{count:,} {name}" for name, count in sorted(document.errors.items()))
        out(f"  {'errors':10} {tries}")


def _draw(found: list[BackfillDocument]) -> None:
    ink = Ink(sys.stdout)
    rows = [
        (
            str(each.backfill_id),
            each.dag_id,
            each.first,
            each.last,
            each.reprocess,
            f"{sum(each.runs.values()):,}",
            ", ".join(f"{count:,} {ink.state(name)}" for name, count in sorted(each.runs.items())),
            local(each.created_at),
        )
        for each in found
    ]
    header = ("ID", "DAG", "FROM", "TO", "REPROCESS", "RUNS", "STATES", "CREATED")
    out(table(header, rows, right=(0, 5), ink=ink))


def _tell_plan(document: PlanDocument, *, as_json: bool) -> None:
    if as_json:
        out_json(document)
        return
    if document.runs:
        first, last = document.runs[0].logical_date, document.runs[-1].logical_date
        span = first if first == last else f"{first} to {last}, in this order"
        out(f"{len(document.runs):,} runs of {document.dag_id} would be created: {span}")
    else:
        out(f"no run of {document.dag_id} would be created")
    for reason, count in document.left_alone.items():
        out(f"  {count:,} left alone: {reason}")
    if document.median_run_ms is not None:
        out(f"  a run took {duration(document.median_run_ms)} lately (median)")
    next_step("the same without --dry-run" if document.runs else "--reprocess failed or --reprocess all runs more")
