"""PostgreSQL, on this machine or another.

Writers take turns by an advisory lock that ends with their transaction, so a writer never has to give up halfway, as
on SQLite; readers see one state of the database and hold nobody up. A batch is one statement over arrays: what it costs
is the round trip and the rows.

What hangs is let go of by the server: a session that stops in the middle of a transaction after `_IDLE_S`, one that
does not answer on the network after `_SILENT_S`. So a scheduler that is suspended while it writes stops nobody for long.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final, cast

from psycopg import Connection as PostgresConnection
from psycopg import Cursor, Error
from psycopg.sql import SQL, Identifier
from sqlalchemy import URL, Connection, Engine, Table, UpdateBase, create_engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine.interfaces import DBAPICursor

from ostinato.model.errors import InvariantBroken, OstinatoError, StoreDamaged, StoreFull, StoreUnavailable

from .dialect import MAKE, READ, WRITE, Rows, Session
from .hot import Batch, positional, waves

BUSY_S: Final = 10
"""How long to wait for another process's short write before giving up."""
_IDLE_S: Final = 1.5
_SILENT_S: Final = 5
_CONNECT_S: Final = 5

_LOCK: Final = 0x057
"""The first half of the number of our locks; the second is made of the schema, so that each has its own."""

_WRITE: Final = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK}, hashtext(current_schema()))"

_NUMBER: Final = f"hashtextextended(current_schema() || ' ' || :name, {_LOCK})"
"""The number of a lock that has a name."""

_CHANNEL: Final = "ostinato"

_TYPES: Final = {
    **dict.fromkeys(("failure", "facts", "run_key", "created_by"), "text"),
    **dict.fromkeys(("value", "params"), "bytea"),
}
"""What is no bigint among the names of batches."""

_FULL: Final = ("53100",)
_DAMAGED: Final = ("XX001", "XX002")
# connections, resources, locks, the operator, authorization, a missing database, a server that only reads, the system
_UNAVAILABLE: Final = ("08", "53", "55P03", "57", "28", "3D000", "42501", "25006", "25P03", "58", "40")


class Postgres:
    """See `Dialect`. Errors go by the codes of the SQL standard and PostgreSQL's manual, appendix A."""

    begin: Mapping[str, Sequence[str]] = {
        READ: ("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",),
        WRITE: (_WRITE,),
        MAKE: (_WRITE,),
    }
    errors: tuple[type[Exception], ...] = (Error,)
    keeps_tables = False
    remote = True
    hint: str | None = f"SELECT pg_notify('{_CHANNEL}', current_schema())"

    def translate(self, error: BaseException | None, where: str) -> OstinatoError:  # noqa: D102 - as the protocol says
        code = getattr(error, "sqlstate", None)
        said = " ".join(str(error).split())
        if code is None or code.startswith(_UNAVAILABLE):  # without a code, there is no server that could have said one
            kind = StoreFull if code in _FULL else StoreUnavailable
            return kind(f"the state database cannot be used now: {said}", where=where)
        if code in _DAMAGED:
            return StoreDamaged(f"the state database cannot be read: {said}", where=where)
        return InvariantBroken(f"the state database refused a statement: {said}", where=where)

    def write(self, cursor: DBAPICursor, batch: Batch, rows: Rows) -> int:  # noqa: D102
        statement = _over_arrays(batch)
        written = 0
        for wave in waves(batch, rows):
            cursor.execute(statement, [list(column) for column in zip(*wave, strict=True)])
            written += cursor.rowcount
        return written

    def query(self, cursor: DBAPICursor, statement: str, row: tuple[object, ...]) -> list[Any]:  # noqa: D102
        cursor.execute(positional(statement, "%s"), row)
        return list(cursor.fetchall())

    def insert_free(self, table: Table) -> UpdateBase:  # noqa: D102
        return insert(table).on_conflict_do_nothing()

    def upsert(self, table: Table, key: Sequence[str], changed: Sequence[str]) -> UpdateBase:  # noqa: D102
        put = insert(table)
        return put.on_conflict_do_update(index_elements=key, set_={name: put.excluded[name] for name in changed})

    def load(self, cursor: DBAPICursor, table: Table, rows: Rows) -> None:  # noqa: D102
        with cast("Cursor[Any]", cursor).copy(SQL("COPY {} FROM STDIN").format(Identifier(table.name))) as copy:
            for row in rows:
                copy.write_row(row)
        key = table.autoincrement_column
        if key is not None:
            cursor.execute(
                SQL("SELECT setval(pg_get_serial_sequence(%s, %s), max({})) FROM {}").format(
                    Identifier(key.name), Identifier(table.name)
                ),
                (table.name, key.name),
            )

    def session(self, engine: Engine) -> Session:  # noqa: D102
        return _Session(engine)

    def size(self, connection: Connection) -> int:  # noqa: D102
        tables = "SELECT sum(pg_total_relation_size(oid)) FROM pg_class"
        (size,) = connection.exec_driver_sql(
            f"{tables} WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
        ).one()
        return int(size)

    def damage(self, connection: Connection) -> list[str]:
        """PostgreSQL guards keys as they are written, and its pages itself (`data_checksums`, `pg_amcheck`)."""
        return []


dialect: Final = Postgres()


class _Session:
    """See `Session`."""

    def __init__(self, engine: Engine) -> None:
        made = engine.raw_connection()
        self._connection = cast("PostgresConnection[Any]", made.driver_connection)
        made.detach()
        self._connection.execute("SET synchronous_commit = off")  # a beat need not survive anything

    def query(self, statement: str, *row: object) -> list[Any]:
        return list(self._connection.execute(positional(statement, "%s").encode(), row))

    def execute(self, statement: str, *row: object) -> int:
        return self._connection.execute(positional(statement, "%s").encode(), row).rowcount

    def lock(self, name: str) -> bool:
        [(taken,)] = self.query(f"SELECT pg_try_advisory_lock({_NUMBER})", name)
        return bool(taken)

    def is_free(self, name: str) -> bool:
        [(taken,)] = self.query(f"SELECT pg_try_advisory_lock_shared({_NUMBER})", name)
        if taken:
            self.query(f"SELECT pg_advisory_unlock_shared({_NUMBER})", name)
        return bool(taken)

    def listen(self) -> None:
        self._connection.execute(f"LISTEN {_CHANNEL}".encode())

    def heard(self) -> bool:
        return bool(list(self._connection.notifies(timeout=0)))

    def fileno(self) -> int:
        return self._connection.fileno()

    def close(self) -> None:
        with suppress(Error):  # a session that is gone has no locks
            self.query("SELECT pg_advisory_unlock_all()")  # the server takes its time to see that we hang up
        self._connection.close()


def engine_for(url: URL) -> Engine:
    """An engine on a database of a server; the first use connects."""
    settings = {
        "lock_timeout": BUSY_S * 1000,
        "idle_in_transaction_session_timeout": _IDLE_S * 1000,
        "tcp_keepalives_idle": _SILENT_S,
        "tcp_keepalives_interval": 1,
        "tcp_keepalives_count": _SILENT_S,
        "tcp_user_timeout": _SILENT_S * 1000,
        "client_min_messages": "warning",
    }
    arguments = {
        "autocommit": True,  # the driver begins nothing by itself
        "application_name": "ostinato",
        "connect_timeout": _CONNECT_S,
        "keepalives_idle": _SILENT_S,
        "keepalives_interval": 1,
        "keepalives_count": _SILENT_S,
        "tcp_user_timeout": _SILENT_S * 1000,
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }
    return create_engine(url.set(drivername="postgresql+psycopg"), connect_args=arguments)


@lru_cache(maxsize=64)
def _over_arrays(batch: Batch) -> str:
    """A batch as one statement: its rows come as an array for each name, and ``:name`` becomes a column of theirs."""
    columns = ", ".join(f"_{name}" for name in batch.names)
    arrays = ", ".join(f"%s::{_TYPES.get(name, 'bigint')}[]" for name in batch.names)
    rows = f"unnest({arrays}) AS given({columns})"
    statement = positional(batch.text, r"given._\1")
    if statement.startswith("UPDATE"):
        return statement.replace("WHERE", f"FROM {rows} WHERE", 1)
    if " FROM " in statement:
        return statement.replace(" FROM ", f" FROM {rows}, ", 1)
    made, _, values = statement.partition("VALUES (")
    return f"{made} SELECT {values.rstrip(')')} FROM {rows}"  # noqa: S608 - made of our own statements
