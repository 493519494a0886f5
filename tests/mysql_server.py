"""A real MySQL server on loopback, where there is one: Debian's releases have none. ``.ci/mysql`` brings its unstable's."""

import os
import shutil
import subprocess
from typing import Final

from tests.mariadb_server import MariaDBServer

PROGRAM: Final = "OSTINATO_TEST_MYSQLD"
"""The environment variable that names the server's program, where the one on the ``PATH`` is not meant."""


class MySQLServer(MariaDBServer):
    """As MariaDB's, with another program that begins in another way."""

    def _initialize(self) -> None:
        self._make_data(self._program(), "--initialize-insecure")

    def _options(self) -> dict[str, object]:
        options = {**super()._options(), "mysqlx": "OFF", "secure-file-priv": "NULL", "log-bin": "OFF"}
        return options if self.durable else {**options, "innodb-flush-method": "nosync", "innodb-doublewrite": "OFF"}

    def _program(self) -> str:
        return program() or "mysqld"


def program() -> str | None:
    """The server's program, if there is one. What MariaDB calls ``mysqld`` is its own."""
    named = os.environ.get(PROGRAM)
    if named:
        return named
    found = shutil.which("mysqld", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if found is None:
        return None
    said = subprocess.run([found, "--no-defaults", "--version"], capture_output=True, text=True, check=False).stdout
    return None if "MariaDB" in said else found
