"""Places for databases, of each kind that the state can be kept in."""

from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from ostinato.home import STATE_VARIABLE, Home
from tests.mariadb_server import MariaDBServer
from tests.postgres_server import PostgresServer

SERVERS: Final = {"postgres": "postgres_server", "mariadb": "mariadb_server", "mysql": "mysql_server"}
"""The fixtures of servers, by the kind of database."""

Server = PostgresServer | MariaDBServer
"""A server of any kind; MySQL's is one of MariaDB's."""

Place = Path | str | None
"""What `open_store` takes."""


def places(request: pytest.FixtureRequest, folder: Path) -> Callable[[], Place]:
    """What makes places for new databases, of the kind that is the parameter of a fixture."""
    if request.param == "sqlite-memory":
        return lambda: None
    if request.param in SERVERS:
        return request.getfixturevalue(SERVERS[request.param]).new_database
    numbers = count(1)
    return lambda: folder / f"{next(numbers)}.db"


def put_state_on(server: Server, home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home as the environment names it from now on: its state in an empty database of a server."""
    address = server.new_database()
    monkeypatch.setenv(STATE_VARIABLE, address)
    return Home(home.path, address)
