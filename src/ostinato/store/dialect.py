"""Everything databases disagree on: how to connect, begin, upsert, check, and what their errors mean.

SQLite: one file, one writer at a time. Write-ahead log, ``synchronous=FULL`` (what is committed survives a loss of
power), every writing transaction takes the write lock as it begins, so that it never has to give up halfway.
"""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from ostinato.model.errors import InvariantBroken, OstinatoError, StoreDamaged, StoreFull, StoreUnavailable

BUSY_S: Final = 10.0
"""How long to wait for another process's short write before giving up."""

_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16384",
    "PRAGMA journal_size_limit = 67108864",
)
_BEGIN: Final = "ostinato_begin"

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_UNAVAILABLE: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_AUTH,
    }
)


def engine_for(path: Path | None) -> Engine:
    """An engine on a database file, made if need be and open to its owner only; None: in memory, for one thread."""
    if path is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    else:
        _create_file(path)
        url = URL.create("sqlite", database=str(path))
        engine = create_engine(url, connect_args={"timeout": BUSY_S})
        event.listen(engine, "connect", _write_ahead)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _create_file(path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        kind = StoreFull if error.errno in {errno.ENOSPC, errno.EDQUOT} else StoreUnavailable
        raise kind(f"the state database cannot be made: {error.strerror}", where=str(path)) from error
    try:
        os.fchmod(descriptor, 0o600)  # whatever the umask took away
    finally:
        os.close(descriptor)


def _configure(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _write_ahead(connection: Any, _record: object) -> None:
    """Use a write-ahead log. SQLite refuses that while others open a new file too, so they take turns."""
    if connection.execute("PRAGMA journal_mode").fetchone() == ("wal",):
        return
    (_, _, path) = connection.execute("PRAGMA database_list").fetchone()
    turn = os.open(Path(path).parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(turn, fcntl.LOCK_EX)
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        os.close(turn)


def _begin(connection: Connection) -> None:
    connection.connection.cursor().execute(connection.get_execution_options().get(_BEGIN, "BEGIN"))


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """A connection that sees one state of the database from its first query on. Raises what ``translate`` says."""
    try:
        with engine.connect() as connection:
            yield connection
    except (DBAPIError, sqlite3.Error) as error:
        raise translate(error, engine) from error


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """A transaction that is the only writer; all of it or nothing. Raises what ``translate`` says."""
    try:
        with engine.connect() as connection:
            connection.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
            with connection.begin():
                yield connection
    except (DBAPIError, sqlite3.Error) as error:
        raise translate(error, engine) from error


def translate(error: DBAPIError | sqlite3.Error, engine: Engine) -> OstinatoError:
    """What a driver's error means to us. The numbers are SQLite's, the text is only quoted."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    where = engine.url.database or "in memory"
    if code == sqlite3.SQLITE_FULL:
        return StoreFull(f"the disk that holds the state is full: {cause}", where=where)
    if code in _UNAVAILABLE:
        return StoreUnavailable(f"the state database cannot be used now: {cause}", where=where)
    if code in _DAMAGED:
        return StoreDamaged(f"the state database cannot be read: {cause}", where=where)
    return InvariantBroken(f"the state database refused a statement: {cause}", where=where)


def upsert(table: Table) -> Insert:
    """An INSERT that can say what to do when the key is taken."""
    return insert(table)


def insert_row(connection: Connection, table: Table, row: Mapping[str, object]) -> int:
    """Insert a row whose integer key the database chooses; return that key."""
    key = connection.execute(insert(table).values(**row)).inserted_primary_key
    if key is None:
        raise InvariantBroken(f"the database gave no key to a row of {table.name}")
    return int(key[0])


def integrity_errors(connection: Connection) -> list[str]:
    """What the database itself finds wrong with its pages, indexes and foreign keys; at most a hundred findings."""
    found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(100)")]
    orphans = [
        f"{row[0]} row {row[1]} refers to a missing {row[2]}"
        for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
    ]
    return [finding for finding in found if finding != "ok"] + orphans[:100]
