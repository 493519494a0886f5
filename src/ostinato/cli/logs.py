"""``ostinato logs``: what the tasks of a run wrote, also while they are writing."""

import sys
from collections.abc import Sequence
from threading import Event
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ostinato.home import Home
from ostinato.model.errors import NotFound, UsageError
from ostinato.model.record import UNMAPPED, Attempt, Instance, Run
from ostinato.model.state import FINAL_RUN
from ostinato.view.documents.runs import LogDocument, LogsDocument
from ostinato.view.reading import mapped

from .log_text import LogText
from .session import present_home, state
from .target import instance_named, run_named
from .terminal import Ink, next_step, out_json, plain, say
from .words import AsJson, RunName, declaration

if TYPE_CHECKING:
    from ostinato.store import Store

app = declaration()

_LOOK_S: Final = 0.2
_MOST_BYTES: Final = 1 << 20


@app.command(epilog="ostinato logs 12\nostinato logs 12 load --attempt 1\nostinato logs sales -f   (its newest run)")
def logs(
    run: RunName,
    task: Annotated[
        str | None, typer.Argument(metavar="TASK", help="only what this task wrote; load[3]: this instance of it")
    ] = None,
    attempt: Annotated[int | None, typer.Option(min=1, metavar="N", help="only the task's Nth try")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on until the run is over")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what tasks wrote, by task and try. With several tasks each line begins with its task."""
    if follow and as_json:
        raise UsageError("--follow and --json do not go together", help="Leave one of them out.")
    home = present_home()
    with state(home) as store:
        found = run_named(store, run, newest=True)
        spec = store.compiled(found.version).spec
        ids = [each.task_id for each in spec.tasks]
        several = (task is None and len(ids) > 1) or bool(spec.scopes)
        wanted = _Wanted(store, found, instance_named(spec, task) if task else None, attempt)
        if as_json:
            out_json(_document(home, found, ids, wanted.attempts()))
            return
        printer = _Printer(home, ids, several=several)
        _print(store, found, wanted, printer, follow=follow)
    if not printer.any:
        say("nothing was written")
    next_step(f"ostinato show {found.run_id}")


class _Wanted:
    """Which attempts are asked for."""

    def __init__(self, store: "Store", run: Run, instance: Instance | None, number: int | None) -> None:
        self._store = store
        self._run = run
        self._instance = instance
        self._number = number

    def attempts(self) -> list[Attempt]:
        """Those there are now. Raises NotFound for a try that was not made."""
        task_no, map_index = self._instance or (None, UNMAPPED)
        found = self._store.attempts(self._run.run_id, task_no)
        if map_index != UNMAPPED:
            found = [attempt for attempt in found if attempt.map_index == map_index]
        if self._number is None:
            return found
        tries = [attempt for attempt in found if attempt.number == self._number]
        if not tries:
            most = max((attempt.number for attempt in found), default=0)
            raise NotFound(f"there is no try {self._number}", help=f"So far there were {most}.")
        return tries


class _Printer:
    """Writes output as it came to stdout; what it belongs to goes to stderr, or before each line if there are several."""

    def __init__(self, home: Home, ids: Sequence[str], *, several: bool) -> None:
        self._home = home
        self._ids = ids
        self._several = several
        self._texts: dict[int, LogText] = {}
        self._ink = Ink(sys.stdout)
        self._width = max(map(len, ids), default=0)
        self.any = False

    def show(self, attempts: Sequence[Attempt]) -> None:
        """Print what is new of these attempts."""
        for attempt in attempts:
            text = self._texts.setdefault(attempt.attempt, LogText(self._home, attempt))
            for piece in text.more(attempt):
                self.any = True
                name = self._ids[attempt.task_no]
                if attempt.map_index != UNMAPPED:
                    name += f"[{attempt.map_index}]"
                self._write(piece.decode(errors="replace"), name)
        sys.stdout.flush()

    def _write(self, text: str, task_id: str) -> None:
        if sys.stdout.isatty():
            text = plain(text)
        if not self._several:
            sys.stdout.write(text)
            return
        mark = self._ink(f"{task_id:{self._width}} | ", "dim")
        for line in text.splitlines():
            sys.stdout.write(f"{mark}{line}\n")


def _print(store: "Store", run: Run, wanted: _Wanted, printer: _Printer, *, follow: bool) -> None:
    never = Event()
    while True:
        over = store.run(run.run_id).state in FINAL_RUN  # before its output: who is over writes no more
        printer.show(wanted.attempts())
        if over or not follow:
            return
        never.wait(_LOOK_S)


def _document(home: Home, run: Run, ids: Sequence[str], attempts: Sequence[Attempt]) -> LogsDocument:
    logs: list[LogDocument] = []
    for attempt in attempts:
        text, cut = LogText(home, attempt).last(_MOST_BYTES)
        logs.append(
            LogDocument(
                task_id=ids[attempt.task_no],
                map_index=mapped(attempt.map_index),
                attempt=attempt.attempt,
                number=attempt.number,
                state=attempt.state,
                text=text.decode(errors="replace"),
                cut=cut,
            )
        )
    return LogsDocument(run_id=run.run_id, logs=logs)
