"""``ostinato backfill``: run dates of the past; see how far that is; hold it, let it go on, stop it."""

from typing import TYPE_CHECKING, Annotated

import typer

from ostinato.asker import asker
from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.home import Home
from ostinato.model.change import Reprocess
from ostinato.model.errors import BackfillOver, UsageError
from ostinato.model.spec import DagSpec
from ostinato.view.documents.backfills import BackfillDocument, BackfillsDocument, OneBackfillDocument

from .confirm import Yes, confirm
from .errors import did_you_mean
from .session import present_home, present_state, scheduler_of, state
from .target import spec_of
from .terminal import next_step, out, out_json, say
from .words import AsJson, DagId, Params, Timeout, declaration

if TYPE_CHECKING:
    from ostinato.store import Store

    from .backfill_plan import Chosen

app = declaration()

BackfillId = Annotated[int, typer.Argument(metavar="ID", help="the backfill's number")]
Wait = Annotated[
    bool, typer.Option("--wait", help="wait until it is done, with a progress bar; exit 1 if a run failed")
]


@app.command(
    "start",
    epilog="ostinato backfill sales --from 2025-01-01 --to 2025-12-31 --wait\n"
    "ostinato backfill sales --from 2025-05-01 --to 2025-05-31 --reprocess failed\n"
    "ostinato backfill sales --intervals 2025-05-03,2025-05-07 --reprocess all --cascade --dry-run",
)
def start(
    dag: DagId,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="the first logical date")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="the last logical date, included")] = None,
    intervals: Annotated[
        str | None, typer.Option(metavar="DATES", help="in place of --from and --to: dates, with commas between them")
    ] = None,
    reprocess: Annotated[
        str,
        typer.Option(metavar="WHICH", help="missing: dates without a run; failed: also failed ones; all: all of them"),
    ] = "missing",
    newest_first: Annotated[bool, typer.Option("--newest-first", "--reverse", help="newest date first")] = False,
    batch: Annotated[
        int, typer.Option(min=1, max=100_000, metavar="N", help="one run for up to N intervals in a row")
    ] = 1,
    max_active: Annotated[
        int | None,
        typer.Option(min=1, max=100_000, metavar="N", help="so many of its runs at once (default: as the dag says)"),
    ] = None,
    share: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="the part of the slots that is its own")
    ] = 0.1,
    cascade: Annotated[
        bool, typer.Option("--cascade", help="then also what other dags made of these dates, however it stands")
    ] = False,
    param: Params = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="only say what would be done, and how long it takes")
    ] = False,
    wait: Wait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> int:
    """Run a dag for a range or a list of dates.

    A date that is running or queued is never run twice at once. Runs by the clock go before those of a backfill.
    """
    from ostinato.decide.backfill import Wish  # noqa: PLC0415 - loads timetables

    from .backfill_plan import Manner, ordered, plan_document, planned  # noqa: PLC0415
    from .backfill_text import draw_plan  # noqa: PLC0415

    home, now = present_home(), SystemClock().now()
    with state(home) as store:
        chosen = _chosen(spec_of(store, dag), first, last, intervals)
        wish = Wish(dag, chosen.intervals, _reprocess(reprocess), newest_first, batch, cascade)
        found = planned(store, wish, now)
        new, runs = ordered(store, wish, chosen, found, Manner(param or [], max_active, share), asker(), now)
        if dry_run or not runs:
            document = plan_document(store, wish, chosen, found, new.max_active_runs)
            out_json(document) if as_json else draw_plan(document)
            return 0
        begun, _ = store.create_backfill(new, runs)
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
    from .backfill_text import draw_all  # noqa: PLC0415

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
    draw_all(found)
    next_step(f"ostinato backfill show {found[0].backfill_id}")


@app.command("show", epilog="ostinato backfill show 3\nostinato backfill show 3 --wait")
def show(backfill: BackfillId, wait: Wait = False, timeout: Timeout = None, as_json: AsJson = False) -> int:
    """Show how far a backfill is; with --wait go on until it is done."""
    home = present_home()
    with state(home) as store:
        return _tell(store, home, backfill, wait=wait, timeout=timeout, as_json=as_json)


@app.command("pause", epilog="ostinato backfill pause 3")
def pause(backfill: BackfillId, as_json: AsJson = False) -> int:
    """Hold a backfill: none of its runs begins any more; those that have begun go on."""
    home = present_home()
    with state(home) as store:
        if not store.pause_backfill(backfill, asker(), SystemClock().now()) and _over(store, backfill):
            raise BackfillOver(f"backfill {backfill} is over", help="There is nothing to hold.")
        hint(home)
        return _tell(store, home, backfill, as_json=as_json)


@app.command("resume", epilog="ostinato backfill resume 3\nostinato backfill resume 3 --wait")
def resume(backfill: BackfillId, wait: Wait = False, timeout: Timeout = None, as_json: AsJson = False) -> int:
    """Let a paused backfill go on."""
    home = present_home()
    with state(home) as store:
        if not store.resume_backfill(backfill, asker(), SystemClock().now()) and _over(store, backfill):
            raise BackfillOver(f"backfill {backfill} is over", help="Start another one.")
        hint(home)
        return _tell(store, home, backfill, wait=wait, timeout=timeout, as_json=as_json)


@app.command("cancel", epilog="ostinato backfill cancel 3\nostinato backfill cancel 3 --yes")
def cancel(backfill: BackfillId, yes: Yes = False, as_json: AsJson = False) -> None:
    """Stop a backfill: runs that have not ended are cancelled, what is done stays."""
    from .backfill_progress import BackfillWatched  # noqa: PLC0415

    home, now = present_home(), SystemClock().now()
    with state(home) as store:
        if not _over(store, backfill):
            confirm(f"Stop backfill {backfill} and all its runs that have not ended?", yes=yes)
        asked = store.cancel_backfill(backfill, asker(), now)
        if not asked and _over(store, backfill):
            raise BackfillOver(f"backfill {backfill} is over", help="There is nothing left to stop.")
        hint(home)
        if as_json:
            out_json(OneBackfillDocument(backfill=BackfillWatched(store, backfill).look()))
            return
    out(f"{asked:,} runs of backfill {backfill} are asked to stop")
    next_step(f"ostinato backfill show {backfill}")


def _over(store: "Store", backfill_id: int) -> bool:
    """Whether a backfill is cancelled, or all its runs have ended."""
    from .backfill_progress import is_over  # noqa: PLC0415

    found = store.backfill(backfill_id)
    return found.state == "cancelled" or is_over(found.runs or {})


def _chosen(spec: DagSpec, first: str | None, last: str | None, words: str | None) -> "Chosen":
    """The intervals that either a range or a list asks for. Raises UsageError."""
    from .backfill_plan import between, listed  # noqa: PLC0415

    if words is not None and first is None and last is None:
        return listed(spec, words)
    if words is None and first is not None and last is not None:
        return between(spec, first, last)
    raise UsageError("which dates?", help="Give --from and --to, or --intervals.")


def _reprocess(text: str) -> Reprocess:
    match text:
        case "missing" | "failed" | "all":
            return text
        case _:
            words = ("missing", "failed", "all")
            advice = did_you_mean(text, words) or f"It is one of {', '.join(words)}."
            raise UsageError(f'--reprocess: "{text}" is not known', help=advice)


def _tell(
    store: "Store",
    home: Home,
    backfill_id: int,
    *,
    wait: bool = False,
    timeout: float | None = None,
    as_json: bool,
) -> int:
    """Say how far a backfill is, after having followed it to its end if that is asked for; return the exit code."""
    from .backfill_progress import BackfillWatched  # noqa: PLC0415
    from .backfill_text import draw_one  # noqa: PLC0415

    document = BackfillWatched(store, backfill_id).look()
    if wait:
        document = _followed(store, home, backfill_id, timeout, as_json=as_json)
    if as_json:
        out_json(OneBackfillDocument(backfill=document))
    else:
        draw_one(document)
        _next(document, home, store)
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
        with progress(home, store) as pause:
            return follow_backfill(store, backfill_id, pause, view, give_up_at)
    except KeyboardInterrupt:
        say(f"backfill {backfill_id} is kept; go on with `ostinato backfill show {backfill_id} --wait`")
        raise


def _next(document: BackfillDocument, home: Home, store: "Store") -> None:

    from .backfill_progress import is_over  # noqa: PLC0415

    if document.state == "paused":
        next_step(f"ostinato backfill resume {document.backfill_id}")
    elif not is_over(document.runs) and scheduler_of(home, store) is None:
        say("no scheduler runs here: start one with `ostinato dev`, or do it here and now:")
        next_step(f"ostinato backfill show {document.backfill_id} --wait")
    elif document.runs.get("failed"):
        next_step(f"ostinato runs --backfill {document.backfill_id} --state failed")
    elif is_over(document.runs):
        next_step(f"ostinato runs --backfill {document.backfill_id}")
    else:
        next_step(f"ostinato backfill show {document.backfill_id} --wait")
