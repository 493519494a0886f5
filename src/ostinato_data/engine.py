"""The embedded DuckDB: one in-memory database in each process, one thread, bounded memory, a session for each use.

A session is a cursor with its own temporary tables, gone when it closes. What does not fit in memory goes to a
temporary folder. Nothing is ever downloaded, and times are UTC whatever the machine's zone is.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from .errors import OutOfResources

BATCH_ROWS: Final = 100_000

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
def computed(engine: duckdb.DuckDBPyConnection, rows: duckdb.DuckDBPyRelation) -> Generator[str]:
    """The name of a table with the rows of a relation, computed now and once: failures show here, readers get the same."""
    name = f"__computed_{next(_numbers)}"  # relations cannot make temporary tables, so the name must be unique
    rows.create(name)
    try:
        yield name
    finally:
        engine.execute(f"DROP TABLE {name}").fetchall()


def ask(engine: duckdb.DuckDBPyConnection, table: str, aggregates: Sequence[str]) -> list[Any]:
    """What some aggregates, in SQL, are over all rows of a table."""
    statement = f"SELECT {', '.join(aggregates)} FROM {table}"  # noqa: S608 - the author's own expressions
    return list(engine.execute(statement).fetchall()[0])


def stream(engine: duckdb.DuckDBPyConnection, table: str) -> pa.RecordBatchReader:
    """All rows of a table, as an Arrow stream."""
    return engine.sql(f"FROM {table}").to_arrow_reader(BATCH_ROWS)


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
