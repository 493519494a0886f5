"""SQLite: one file, one writer at a time.

Write-ahead log, ``synchronous=FULL`` (what is committed survives a loss of power), every writing transaction takes the
write lock as it begins, so that it never has to give up halfway.
"""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import URL, Connection, Engine, Table, UpdateBase, create_engine, event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.pool import StaticPool

from ostinato.model.errors import InvariantBroken, OstinatoError, StoreDamaged, StoreFull, StoreUnavailable

from .dialect import MAKE, READ, WRITE, Rows, Session
from .hot import Batch, positional

BUSY_S: Final = 10.0
"""How long to wait for another process's short write before giving up."""

_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -16384",
    "PRAGMA journal_size_limit = 67108864",
)

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


class SQLite:
    """See `Dialect`. The numbers of its errors are SQLite's, their text is only quoted."""

    begin: Mapping[str, Sequence[str]] = {READ: ("BEGIN",), WRITE: ("BEGIN IMMEDIATE",), MAKE: ("BEGIN IMMEDIATE",)}
    errors: tuple[type[Exception], ...] = (sqlite3.Error,)
    keeps_tables = False
    remote = False
    hint: str | None = None  # the scheduler of a file is on this machine: it is told by a socket

    def translate(self, error: BaseException | None, where: str) -> OstinatoError:  # noqa: D102 - as the protocol says
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            return StoreFull(f"the disk is full: {error}", where=where)
        if code in _UNAVAILABLE:
            return StoreUnavailable(f"the state database cannot be used now: {error}", where=where)
        if code in _DAMAGED:
            return StoreDamaged(f"the state database cannot be read: {error}", where=where)
        return InvariantBroken(f"the state database refused a statement: {error}", where=where)

    def write(self, cursor: DBAPICursor, batch: Batch, rows: Rows) -> int:  # noqa: D102
        cursor.executemany(positional(batch.text, "?"), rows)
        return cursor.rowcount

    def query(self, cursor: DBAPICursor, statement: str, row: tuple[object, ...]) -> list[Any]:  # noqa: D102
        cursor.execute(positional(statement, "?"), row)
        return list(cursor.fetchall())

    def insert_free(self, table: Table) -> UpdateBase:  # noqa: D102
        return insert(table).on_conflict_do_nothing()

    def upsert(self, table: Table, key: Sequence[str], changed: Sequence[str]) -> UpdateBase:  # noqa: D102
        put = insert(table)
        return put.on_conflict_do_update(index_elements=key, set_={name: put.excluded[name] for name in changed})

    def load(self, cursor: DBAPICursor, table: Table, rows: Rows) -> None:  # noqa: D102
        marks = ", ".join("?" for _ in table.columns)
        cursor.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', rows)  # noqa: S608 - a table of ours

    def session(self, engine: Engine) -> Session:  # noqa: D102
        raise InvariantBroken(f"a file has no sessions ({engine.url.database})")

    def size(self, connection: Connection) -> int:  # noqa: D102
        (pages,) = connection.exec_driver_sql("PRAGMA page_count").one()
        (bytes_each,) = connection.exec_driver_sql("PRAGMA page_size").one()
        return int(pages) * int(bytes_each)

    def damage(self, connection: Connection) -> list[str]:  # noqa: D102
        found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(100)")]
        orphans = [
            f"{row[0]} row {row[1]} refers to a missing {row[2]}"
            for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
        ]
        return [finding for finding in found if finding != "ok"] + orphans[:100]


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
    return engine


def scratch(path: Path) -> Engine:
    """An engine on a file that is there, that nobody else uses, and that is worth nothing before it is finished."""
    engine = create_engine(URL.create("sqlite", database=str(path)))
    event.listen(engine, "connect", _without_care)
    return engine


def copy_pages(source: Connection, target: Engine) -> None:
    """Copy a database as the source's transaction sees it; others go on writing meanwhile. Raises errors of the driver."""
    copy = target.raw_connection()
    try:
        cast("sqlite3.Connection", source.connection.driver_connection).backup(
            cast("sqlite3.Connection", copy.driver_connection)
        )
        copy.cursor().execute("PRAGMA journal_mode = MEMORY")  # the source's came with the pages
    finally:
        copy.close()


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


def _without_care(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    for pragma in ("PRAGMA journal_mode = MEMORY", "PRAGMA synchronous = OFF", "PRAGMA foreign_keys = ON"):
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
