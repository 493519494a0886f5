"""A real MariaDB server on loopback, from the system's package ``mariadb-server``.

It runs as the user of the tests, or as ``nobody`` for root.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Final

import pymysql

from tests.postgres_server import PASSWORD, QUOTED, free_port, session_mark

_PATIENCE_S: Final = 60.0
_USER: Final = "tester"


class MariaDBServer:
    """A server with a user ``tester`` and as many empty databases as are asked for.

    What it commits survives its processes; the machine only if it is ``durable``, as users' servers are.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.folder = Path(tempfile.mkdtemp(prefix="ostinato-mariadb-"))
        self.port = free_port()
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._numbers = count(1)
        if self._owner:
            os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
        self._initialize()
        self._process = self._started()

    def _initialize(self) -> None:
        words = ("--auth-root-authentication-method=normal", "--skip-test-db", "--skip-log-bin")
        self._make_data("mariadb-install-db", *words)

    def _make_data(self, program: str, *words: str) -> None:
        # made by the user of the tests, who may be root; the server gets it afterwards
        user = [] if self._owner is None else [f"--user={self._owner.pw_name}"]
        said = subprocess.run(
            [program, "--no-defaults", *user, f"--datadir={self.folder / 'data'}", *words],
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if said.returncode:
            raise RuntimeError(f"{program} failed:\n{said.stdout}")

    def _options(self) -> dict[str, object]:
        return {
            "datadir": self.folder / "data",
            "socket": self.folder / "socket",
            "pid-file": self.folder / "pid",
            "port": self.port,
            "bind-address": "127.0.0.1",
            "max-connections": 60,
            "innodb-buffer-pool-size": "64M",
            "innodb-flush-log-at-trx-commit": 1 if self.durable else 2,
            "default-time-zone": "+05:45",  # the state has nothing to do with it
            "character-set-server": "latin1",  # nor with that
            "tmpdir": self.folder,
        }

    def _started(self) -> "subprocess.Popen[bytes]":
        words = [f"--{name}={value}" for name, value in self._options().items()]
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [self._program(), "--no-defaults", *words, "--skip-name-resolve"],
                env={"PATH": os.defpath, **session_mark()},
                cwd=self.folder,
                user=self._owner and self._owner.pw_uid,
                group=self._owner and self._owner.pw_gid,
                extra_groups=[] if self._owner else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        pause, deadline = Event(), monotonic() + _PATIENCE_S
        while process.poll() is None and monotonic() < deadline:
            if (self.folder / "socket").exists():  # it is there once it answers
                self._make_user()
                return process
            pause.wait(0.05)
        raise RuntimeError(f"{self._program()} did not start:\n{(self.folder / 'log').read_text()[-5_000:]}")

    def _program(self) -> str:
        return _mariadbd() or "mariadbd"

    def _make_user(self) -> None:
        with pymysql.connect(unix_socket=str(self.folder / "socket"), user="root") as root, root.cursor() as cursor:
            cursor.execute(f"CREATE USER IF NOT EXISTS {_USER}@'127.0.0.1' IDENTIFIED BY %s", (PASSWORD,))
            cursor.execute(f"GRANT ALL ON *.* TO {_USER}@'127.0.0.1' WITH GRANT OPTION")

    def start(self) -> None:
        """Start it again; return when it answers."""
        self._process = self._started()

    def stop(self, how: str = "fast") -> None:
        """Stop it, whoever is connected; ``immediate`` as a crash would."""
        if how == "immediate":
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(_PATIENCE_S)
        (self.folder / "socket").unlink(missing_ok=True)

    def remove(self) -> None:
        """Stop it for good."""
        self.stop("immediate")
        shutil.rmtree(self.folder)

    def address(self, database: str) -> str:
        """The address of one of its databases, as a user would write it."""
        return f"mysql://{_USER}:{QUOTED}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str | None = None) -> None:
        """Execute statements, each in a transaction of its own."""
        with self._connected(database) as connection, connection.cursor() as cursor:
            for each in statement.rstrip("\n;").split(";\n"):
                cursor.execute(each)

    def _connected(self, database: str | None) -> "pymysql.connections.Connection[Any]":
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user=_USER,
            password=PASSWORD.encode(),  # pyright: ignore[reportArgumentType] - as text it would be taken for Latin-1
            database=database,
            autocommit=True,
        )

    def schema(self, address: str) -> str:
        """What the server says of a database's schema."""
        database = address.rpartition("/")[2]
        with self._connected(database) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW TABLES")
            names = [name for (name,) in cursor.fetchall()]
            made: list[str] = []
            for name in names:
                cursor.execute(f"SHOW CREATE TABLE `{name}`")
                made += [statement for _, statement in cursor.fetchall()]
        # indexes come in any order
        return "\n".join(line.strip(" ,") for statement in made for line in sorted(statement.splitlines()))

    def new_database(self) -> str:
        """Make an empty database; its address."""
        name = f"state_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return self.address(name)


def is_installed() -> bool:
    """Whether there is a server to start."""
    return _mariadbd() is not None and shutil.which("mariadb-install-db") is not None


def _mariadbd() -> str | None:
    return shutil.which("mariadbd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
