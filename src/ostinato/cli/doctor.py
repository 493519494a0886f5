"""``ostinato doctor``: look at everything that has to be right for work to go on, and say what to do about the rest."""

import os
import platform
import resource
import shutil
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ostinato.home import Home, agent_alive, scheduler_alive
from ostinato.model.errors import OstinatoError
from ostinato.view.documents.state import CheckResult, DoctorDocument

from .session import state
from .terminal import Ink, next_step, out, out_json, plain
from .version import installed_version
from .words import AsJson, declaration

if TYPE_CHECKING:
    from ostinato.store import Store

app = declaration()

_LITTLE_SPACE: Final = 1 << 30
_NO_SPACE: Final = 100 << 20
_FILES_NEEDED: Final = 1_024
_MARKS: Final = {"ok": ("✓", "green"), "note": ("·", "dim"), "warning": ("!", "yellow"), "error": ("✗", "red")}


@app.command(epilog="ostinato doctor\nostinato doctor --json")
def doctor(as_json: AsJson = False) -> int:
    """Check versions, limits, the state folder, disk space, the database, the processes and undelivered alerts."""
    home = Home.from_environment()
    document = DoctorDocument(home=str(home.path), checks=[result for check in CHECKS for result in check(home)])
    failed = any(result.state == "error" for result in document.checks)
    if as_json:
        out_json(document)
    else:
        _draw(document)
        next_step("mend what is marked ✗" if failed else "ostinato dags")
    return 3 if failed else 0


def versions(_: Home) -> Iterator[CheckResult]:
    """Which programs work together here."""
    what = f"ostinato {installed_version()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    yield CheckResult(name="versions", state="ok", what=what)


def limits(_: Home) -> Iterator[CheckResult]:
    """How many files a process may open: executors and logs need some."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = soft >= _FILES_NEEDED or soft == resource.RLIM_INFINITY
    yield CheckResult(
        name="limits",
        state="ok" if enough else "warning",
        what=f"{soft:,} open files (at most {hard:,}), {os.cpu_count()} processors",
        help="" if enough else f"Raise it with `ulimit -n {_FILES_NEEDED}`.",
    )


def folder(home: Home) -> Iterator[CheckResult]:
    """Whether the state folder can be written, and only by its owner."""
    if not home.path.exists():
        yield CheckResult(
            name="home",
            state="note",
            what=f"{home.path} does not exist yet",
            help="It is made when something runs.",
        )
        return
    try:
        with tempfile.TemporaryFile(dir=home.path):
            pass
    except OSError as error:
        advice = "Set OSTINATO_HOME to a folder you can write."
        yield CheckResult(name="home", state="error", what=f"{home.path}: {error.strerror}", help=advice)
        return
    mode = stat.S_IMODE(home.path.stat().st_mode)
    if mode & 0o077:
        yield CheckResult(
            name="home",
            state="warning",
            what=f"{home.path} can be read by others (mode {mode:o})",
            help=f"Close it with `chmod 700 {home.path}`: parameters and results lie in it.",
        )
        return
    yield CheckResult(name="home", state="ok", what=f"{home.path} is writable, by its owner only")


def space(home: Home) -> Iterator[CheckResult]:
    """Whether the disk of the state has room."""
    place = next(path for path in (home.path, *home.path.parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    state_name = "error" if free < _NO_SPACE else "warning" if free < _LITTLE_SPACE else "ok"
    used = sum(file.stat().st_size for file in _files(home.path))
    yield CheckResult(
        name="disk",
        state=state_name,
        what=f"{free / (1 << 30):,.1f} GiB free, {used / (1 << 20):,.1f} MiB used by the state",
        help="" if state_name == "ok" else "Free some space: without it no result can be recorded.",
    )


def _files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in path.rglob("*") if file.is_file())


def processes(home: Home) -> Iterator[CheckResult]:
    """Whether a scheduler and an agent work on this home."""
    scheduler = scheduler_alive(home) if home.path.is_dir() else None
    if home.address is None:  # else the database says who leads
        yield _scheduler(None if scheduler is None else f"runs as process {scheduler}")
    agent = agent_alive(home)
    if agent is not None:
        yield CheckResult(name="agent", state="ok", what=f"runs as process {agent}")
    else:
        what = "none runs here" if scheduler is None else "none runs here, although there is a scheduler"
        state_name = "note" if scheduler is None else "warning"
        advice = "A scheduler starts one by itself; see agent/agent.log in the state folder."
        yield CheckResult(name="agent", state=state_name, what=what, help=advice)


def _scheduler(what: str | None) -> CheckResult:
    if what is not None:
        return CheckResult(name="scheduler", state="ok", what=what)
    advice = "Start one with `ostinato up`, or `ostinato dev`; `ostinato run` needs none."
    return CheckResult(name="scheduler", state="note", what="none runs here", help=advice)


def database(home: Home) -> Iterator[CheckResult]:
    """Whether the state database is whole, and what waits in it for people."""
    try:
        if home.address is None and not home.database.exists():
            return
        with state(home) as store:
            store.check()
            yield CheckResult(name="database", state="ok", what=f"{store.place} is whole")
            if home.address is not None:
                leader = store.leader()
                yield _scheduler(None if leader is None else f"{leader} leads")
            yield from _waiting(store)
    except OstinatoError as error:
        what = f"{error.code}: {error.what}"
        yield CheckResult(name="database", state="error", what=what, help=error.help)
    except OSError as error:
        yield CheckResult(name="database", state="error", what=f"{home.database}: {error.strerror}")


def _waiting(store: "Store") -> Iterator[CheckResult]:
    problems = store.problems()
    if problems:
        files = len({problem.file for problem in problems})
        what = f"{len(problems)} problems in {files} files; the versions before them stay in force"
        yield CheckResult(name="dag files", state="warning", what=what, help="See `ostinato dags`.")
    stuck = [alert for alert in store.alerts(limit=1_000) if alert.delivered_at is None and alert.tries]
    if stuck:
        what = f"{len(stuck)} not delivered; the newest: {stuck[0].error}"
        yield CheckResult(name="alerts", state="warning", what=what, help="See alerts.jsonl in the state folder.")
    else:
        yield CheckResult(name="alerts", state="ok", what="all delivered")


CHECKS: Final[tuple[Callable[[Home], Iterator[CheckResult]], ...]] = (
    versions,
    limits,
    folder,
    space,
    database,
    processes,
)


def _draw(document: DoctorDocument) -> None:
    ink = Ink(sys.stdout)
    for result in document.checks:
        mark, style = _MARKS[result.state]
        out(f"{ink(mark, style)} {result.name:10} {plain(result.what)}")
        if result.help:
            out(f"  {'':10} {ink(plain(result.help), 'dim')}")
