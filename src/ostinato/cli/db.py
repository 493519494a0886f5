"""``ostinato db``: the database of the state: what is in it, copies of it, and the way back from one."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ostinato.asker import asker, seat
from ostinato.clock import SystemClock
from ostinato.control.hint import hint
from ostinato.control.retention import forget, keep_ms
from ostinato.home import Home, scheduler_alive
from ostinato.model.errors import BackupInvalid, HomeInUse
from ostinato.model.time import moment
from ostinato.view.documents.state import BackupDocument, DrillDocument, PruneDocument, RestoreDocument, StateDocument
from ostinato.view.when import duration, local

from .confirm import Yes, confirm
from .session import present_home, state
from .terminal import Ink, next_step, out, out_json, say, table
from .words import AsJson, declaration

if TYPE_CHECKING:
    from ostinato.store import Contents, SetBack

app = declaration()

File = Annotated[Path, typer.Argument(metavar="FILE", help="the backup")]
Again = Annotated[
    bool,
    typer.Option(
        "--again",
        help="go on from where it was: what has been done since is done once more. For a move, or where that does no harm",
    ),
]

_SHOWN: Final = {"dag": "dags", "run": "runs", "attempt": "attempts", "audit": "deeds of people"}


@app.command("show", epilog="ostinato db\nostinato db show --json")
def show(as_json: AsJson = False) -> None:
    """Show which database the state is in, how large it is, and how many rows it has."""
    with state(present_home()) as store:
        size, rows = store.size()
        document = StateDocument(place=store.place, bytes=size, rows=rows)
    if as_json:
        out_json(document)
        return
    out(f"{document.place}, {_megabytes(size)}")
    filled = [(name, f"{count:,}") for name, count in sorted(rows.items()) if count]
    out(table(("TABLE", "ROWS"), filled, right=(1,), ink=Ink(sys.stdout)))
    next_step("ostinato db backup FILE")


@app.command("backup", epilog="ostinato db backup monday.db\nostinato db backup /backups/")
def backup(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="where to; in a folder, it is named by the moment. Never overwritten")
    ],
    as_json: AsJson = False,
) -> None:
    """Copy the state, as it is at this moment, into a file, while work goes on; and look through what was written.

    The file is the same whichever database the state is in. Logs are not in it.
    """
    now = SystemClock().now()
    if file.is_dir():
        file /= f"ostinato-{moment(now):%Y%m%dT%H%M%SZ}.db"
    with state(present_home()) as store:
        document = _document(file, store.back_up(file, now))
    _tell(document, f"ostinato db drill {file}", as_json=as_json)


@app.command("verify", epilog="ostinato db verify monday.db")
def verify(file: File, as_json: AsJson = False) -> None:
    """Look through a backup: that it is what was written, and that nothing in it contradicts itself."""
    from ostinato.store import verify_backup  # noqa: PLC0415 - loads the database library

    document = _document(file, verify_backup(file))
    _tell(document, f"ostinato db restore {file}, where there is no state yet", as_json=as_json)


@app.command("restore", epilog="ostinato db restore monday.db\nostinato db restore monday.db --again")
def restore(file: File, again: Again = False, as_json: AsJson = False) -> None:
    """Make a backup the state, where there is none: in OSTINATO_HOME, or in the empty database of OSTINATO_STATE.

    What was done since the backup was taken is not known then. So runs that were open are asked to stop, and schedules go
    on from now: see `ostinato gaps`. With --again all goes on from where it was.
    """
    from ostinato.store import restore_backup  # noqa: PLC0415 - loads the database library

    home = Home.from_environment().create()
    pid = scheduler_alive(home)
    if pid is not None:
        raise HomeInUse(f"a scheduler (process {pid}) works on this state", where=str(home.path), help="Stop it first.")
    now = SystemClock().now()
    done = restore_backup(file, home.state, home.path, asker(), seat("command line"), now, again=again)
    with state(home) as store:
        document = _restored(store.place, done, again=again)
    _answer(document, as_json=as_json)


@app.command("reconcile", epilog="ostinato db reconcile --yes")
def reconcile(again: Again = False, yes: Yes = False, as_json: AsJson = False) -> None:
    """Say that the database was set back to an earlier moment by other means: a snapshot, pg_restore, a replica.

    What `ostinato db restore` does after a restore is done then. Until it is, numbers of attempts could be given again that
    tables know already, and tasks would be refused by them. A scheduler that leads loses the lead.
    """
    home = present_home()
    confirm("Open runs are asked to stop, and schedules go on from now. Go on?", yes=yes or again)
    with state(home) as store:
        document = _restored(store.place, store.set_back(asker(), SystemClock().now(), again=again), again=again)
    hint(home)
    _answer(document, as_json=as_json)


@app.command("drill", epilog="ostinato db drill\nostinato db drill /backups/monday.db")
def drill(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="the backup (default: one that is taken now)")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try whether a restore would work: do it in a folder that is removed again, look it through, and say how long it took.

    The state is not touched. Room for two copies is needed where temporary files are (TMPDIR).
    """
    with TemporaryDirectory(prefix="ostinato-") as folder:
        document = _drilled(file, Path(folder))
    if as_json:
        out_json(document)
        return
    _draw(document.backup)
    took = "" if document.backup_ms is None else f"taken in {duration(document.backup_ms)}, "
    out(f"  {took}restored and looked through in {duration(document.restore_ms)}")
    out(f"  {_consequences(document.stopped, document.schedules)}")
    next_step("ostinato db backup FILE, on another disk")


@app.command("prune", epilog="ostinato db prune --older-than 90d --dry-run\nostinato db prune --older-than 400d --yes")
def prune(
    older_than: Annotated[str, typer.Option("--older-than", metavar="DAYS", help="what ended longer ago, as 90d")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be forgotten")] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Forget the history of runs that ended long ago: their tasks, attempts, results, events, logs. While work goes on.

    The runs themselves stay, with the intervals they were for and how they ended; so do backups, and what people did. With
    OSTINATO_KEEP=90d in its environment, a scheduler does the same every hour.
    """
    home, now = present_home(), SystemClock().now()
    before = now - keep_ms(older_than, "--older-than")
    with state(home) as store:
        runs, tasks = store.prunable(before)
        removed = 0
        if not dry_run:
            confirm(f"The history of {runs:,} runs ({tasks:,} tasks) is to be forgotten. Go on?", yes=yes or not runs)
            removed = sum(forget(store, home, before))
            store.note_pruned(asker(), before, now, runs)
    document = PruneDocument(before=moment(before), runs=runs, tasks=tasks, removed=removed)
    if as_json:
        out_json(document)
        return
    done = "would be forgotten" if dry_run else f"is forgotten, {removed:,} rows"
    out(f"what ended before {local(document.before)}: the history of {runs:,} runs with {tasks:,} tasks {done}")
    next_step("ostinato db")


def _drilled(file: Path | None, folder: Path) -> DrillDocument:
    from ostinato.store import drill  # noqa: PLC0415 - loads the database library

    now, backup_ms, written = SystemClock().now(), None, None
    if file is None:
        begun = perf_counter()
        file = folder / "state.db"
        with state(present_home()) as store:
            written = store.back_up(file, now)
        backup_ms = _since(begun)
    begun = perf_counter()
    contents, done = drill(file, now)
    if written not in (None, contents):
        raise BackupInvalid("what was restored is not what was backed up", where=str(file))
    return DrillDocument(
        backup=_document(file, contents),
        backup_ms=backup_ms,
        restore_ms=_since(begun),
        stopped=done.stopped,
        schedules=done.moved,
    )


def _document(file: Path, contents: "Contents") -> BackupDocument:
    return BackupDocument(
        file=str(file),
        bytes=file.stat().st_size,
        taken_at=moment(contents.taken_at),
        rows=contents.rows,
        head=contents.chain.head,
    )


def _restored(place: str, done: "SetBack", *, again: bool) -> RestoreDocument:
    return RestoreDocument(
        place=place,
        taken_at=None if done.taken_at is None else moment(done.taken_at),
        stopped=done.stopped,
        schedules=done.moved,
        again=again,
    )


def _tell(document: BackupDocument, then: str, *, as_json: bool) -> None:
    if as_json:
        out_json(document)
        return
    _draw(document)
    next_step(then)


def _draw(document: BackupDocument) -> None:
    out(f"{document.file}: the state as of {local(document.taken_at)}, {_megabytes(document.bytes)}")
    out("  " + ", ".join(f"{words} {document.rows[name]:,}" for name, words in _SHOWN.items()))
    out("  it is what was written, and nothing in it contradicts itself")


def _answer(document: RestoreDocument, *, as_json: bool) -> None:
    if as_json:
        out_json(document)
        return
    out(
        f"{document.place}: the state is as of {'an earlier moment' if document.taken_at is None else local(document.taken_at)}"
    )
    if document.again:
        out("all goes on from where it was then")
        next_step("ostinato up")
        return
    out(_consequences(document.stopped, document.schedules))
    say(
        "What was done since then is not known: `ostinato gaps DAG` shows what is missing, `ostinato backfill` runs it."
    )
    next_step("ostinato up")


def _consequences(stopped: int, schedules: int) -> str:
    return f"open runs that are asked to stop: {stopped:,}; schedules that go on from now: {schedules:,}"


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MiB"


def _since(begun: float) -> int:
    return round((perf_counter() - begun) * 1_000)
