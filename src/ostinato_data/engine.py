"""The embedded DuckDB: one in-memory database in each process, one thread, bounded memory, a session for each use.

A session is a cursor with its own temporary tables, gone when it closes. What does not fit in memory goes to a
temporary folder. Nothing is ever downloaded, and times are UTC whatever the machine's zone is.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

import duckdb

from .errors import OutOfResources

MEMORY: Final = "1GB"
"""What the engine may hold before it writes to disk; for all sessions of a process together."""

_numbers = count()
_databases: dict[int, duckdb.DuckDBPyConnection] = {}


@contextmanager
def session() -> Generator[duckdb.DuckDBPyConnection]:
    """A connection with temporary tables of its own. Raises OutOfResources if memory and disk do not suffice."""
    cursor = _database().cursor()
    try:
        yield cursor
    except duckdb.OutOfMemoryException as error:
        raise OutOfResources(f"the engine ran out of memory: {error}") from error
    except duckdb.IOException as error:
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise OutOfResources(f"the engine has no disk space left for what exceeds memory: {error}") from error
    finally:
        cursor.close()


@contextmanager
def computed(engine: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation) -> Generator[duckdb.DuckDBPyRelation]:
    """The rows of a relation, computed now and once, so that they can be read several times and failures show here."""
    name = f"__computed_{next(_numbers)}"  # relations cannot make temporary tables, so the name must be unique
    rows.create(name)
    try:
        yield engine.table(name)
    finally:
        with engine.cursor() as other:  # the engine itself may have a result open, if the reading of it failed
            other.execute(f"DROP TABLE {name}").fetchall()


def _database() -> duckdb.DuckDBPyConnection:
    """This process's database. One that came with a fork belongs to the parent, and is left alone."""
    process = os.getpid()
    if process not in _databases:
        overflow = Path(tempfile.gettempdir(), f"ostinato-data-{process}")
        shutil.rmtree(overflow, ignore_errors=True)  # of a dead process that had our number
        database = duckdb.connect(
            ":memory:",
            config={
                "threads": 1,
                "memory_limit": MEMORY,
                "temp_directory": str(overflow),
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        database.execute("SET GLOBAL TimeZone = 'UTC'").fetchall()
        _databases[process] = database
    return _databases[process]
