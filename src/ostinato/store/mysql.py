"""MariaDB and MySQL, on this machine or another.

Writers take turns by a lock on the one row of `meta`, which ends with their transaction; readers see one state of the
database and hold nobody up. New rows are one INSERT with many values, changes one UPDATE that is joined with a table made
of JSON: what a batch costs is the round trip and the rows.

Making a table ends a transaction here, so the tables of a new database are made under a lock of its own, and its version
is written last. What hangs in the middle of a transaction is let go of by the server after `_IDLE_S`: MariaDB has a limit for
that, MySQL one for all silence, which is therefore set for each transaction that writes.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from json import dumps
from typing import Any, Final, cast

from pymysql.connections import Connection as MySQLConnection
from pymysql.err import Error, MySQLError
from sqlalchemy import URL, CheckConstraint, Connection, Engine, Table, UpdateBase, create_engine, event
from sqlalchemy.dialects.mysql import insert
from sqlalchemy.dialects.mysql.base import MySQLDialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.compiler import compiles

from ostinato.model.errors import InvariantBroken, OstinatoError, StoreDamaged, StoreFull, StoreUnavailable

from .dialect import MAKE, MODE, READ, WRITE, Rows, Session
from .hot import Batch, positional, waves

BUSY_S: Final = 10
"""How long to wait for another process's short write before giving up."""
_IDLE_S: Final = 2
_HURRIES: Final = "ostinato_hurries"
"""The mark of a connection whose silence is limited."""
_SILENT_S: Final = 60
_CONNECT_S: Final = 5

_NUMBER: Final = "CONCAT('ostinato ', LEFT(SHA2(CONCAT(DATABASE(), ' ', :name), 256), 32))"
"""The name of a lock for the server, where all databases share them."""

_MAKE: Final = f"SELECT IF(GET_LOCK({positional(_NUMBER, repr('make'))}, {BUSY_S}), 1, (SELECT 1 UNION SELECT 2))"
"""Takes the lock, or fails with `_NOT_ONE_ROW`."""
_NOT_ONE_ROW: Final = 1242

_NEWEST: Final = "SELECT max(seq) FROM audit"
"""Whatever people ask for is recorded."""

_MOST_BYTES: Final = 4 << 20
"""So much in one statement, unless a single row is larger: servers take 16 MiB or more."""

_TEXTS: Final = ("failure", "facts", "run_key", "created_by")

# numbers of the manuals: https://mariadb.com/kb/en/mariadb-error-codes/
_FULL: Final = {1021, 1114}
_DAMAGED: Final = {126, 127, 144, 145, 1034, 1035, 1194, 1195, 1712, 1877}
_UNAVAILABLE: Final = {
    *(1040, 1043, 1044, 1045, 1046, 1049, 1053, 1077, 1079, 1129, 1130, 1142, 1152, 1153, 1158, 1159, 1160, 1161, 1203),
    *(1205, 1206, 1213, 1226, 1227, 1290, 1317, 1836, 1927, 1969, 3024, 3100, 4031),
    *range(2000, 2100),  # the driver's own: there is no server, or it has gone
    _NOT_ONE_ROW,
}


class MySQL:
    """See `Dialect`."""

    begin: Mapping[str, Sequence[str]] = {
        READ: ("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",),
        WRITE: ("START TRANSACTION", "SELECT one FROM meta FOR UPDATE"),
        MAKE: (_MAKE, "START TRANSACTION"),
    }
    errors: tuple[type[Exception], ...] = (MySQLError,)
    keeps_tables = True
    remote = True
    hint: str | None = None  # nothing is told; who leads looks whether people have done anything

    def translate(self, error: BaseException | None, where: str) -> OstinatoError:  # noqa: D102 - as the protocol says
        code, said = (*getattr(error, "args", ()), 0, "")[:2]
        text = " ".join(str(said or error).split())
        if code in _FULL:
            return StoreFull(f"the state database cannot be used now: {text}", where=where)
        if code in _DAMAGED:
            return StoreDamaged(f"the state database cannot be read: {text}", where=where)
        if code in _UNAVAILABLE or not isinstance(code, int) or code == 0:
            return StoreUnavailable(f"the state database cannot be used now: {text}", where=where)
        return InvariantBroken(f"the state database refused a statement: {text}", where=where)

    def write(self, cursor: DBAPICursor, batch: Batch, rows: Rows) -> int:  # noqa: D102
        if batch.text.startswith("UPDATE"):
            statement = _over_json(batch)
            return sum(cursor.execute(statement, (dumps(wave),)) or 0 for wave in waves(batch, rows))
        made, values, one = batch.text.partition("VALUES ")
        if not values:
            cursor.executemany(positional(batch.text, "%s"), rows)
            return cursor.rowcount
        return sum(_insert(cursor, made, positional(one, "%s"), part) for part in _parts(rows))

    def query(self, cursor: DBAPICursor, statement: str, row: tuple[object, ...]) -> list[Any]:  # noqa: D102
        cursor.execute(positional(statement, "%s"), row)
        return list(cursor.fetchall())

    def insert_free(self, table: Table) -> UpdateBase:  # noqa: D102
        [key, *_] = table.primary_key
        return insert(table).on_duplicate_key_update({key.name: key})

    def upsert(self, table: Table, key: Sequence[str], changed: Sequence[str]) -> UpdateBase:  # noqa: D102
        put = insert(table)
        return put.on_duplicate_key_update({name: put.inserted[name] for name in changed})

    def load(self, cursor: DBAPICursor, table: Table, rows: Rows) -> None:  # noqa: D102
        one = f"({', '.join('%s' for _ in table.columns)})"
        for part in _parts(rows):
            _insert(cursor, f"INSERT INTO `{table.name}` ", one, part)

    def session(self, engine: Engine) -> Session:  # noqa: D102
        return _Session(engine)

    def size(self, connection: Connection) -> int:  # noqa: D102
        tables = "SELECT sum(data_length + index_length) FROM information_schema.tables"
        (size,) = connection.exec_driver_sql(f"{tables} WHERE table_schema = DATABASE()").one()
        return int(size)

    def damage(self, connection: Connection) -> list[str]:
        """InnoDB guards keys as they are written, and its pages by checksums as they are read."""
        return []


dialect: Final = MySQL()


class _Session:
    """See `Session`. Nothing is told by a server, so it is looked whether people have done anything."""

    def __init__(self, engine: Engine) -> None:
        made = engine.raw_connection()
        self._connection = cast("MySQLConnection[Any]", made.driver_connection)
        made.detach()
        self._newest: object = None

    def query(self, statement: str, *row: object) -> list[Any]:
        with self._connection.cursor() as cursor:
            cursor.execute(positional(statement, "%s"), row)
            return list(cursor.fetchall())

    def execute(self, statement: str, *row: object) -> int:
        with self._connection.cursor() as cursor:
            return cursor.execute(positional(statement, "%s"), row)

    def lock(self, name: str) -> bool:
        [(taken,)] = self.query(f"SELECT GET_LOCK({_NUMBER}, 0)", name)
        return bool(taken)

    def is_free(self, name: str) -> bool:
        [(free,)] = self.query(f"SELECT IS_FREE_LOCK({_NUMBER})", name)
        return bool(free)

    def listen(self) -> None:
        [(self._newest,)] = self.query(_NEWEST)

    def heard(self) -> bool:
        [(newest,)] = self.query(_NEWEST)
        before, self._newest = self._newest, newest
        return newest != before

    def fileno(self) -> int:
        return cast("Any", self._connection)._sock.fileno()  # noqa: SLF001 - the driver shows it nowhere else

    def close(self) -> None:
        with suppress(Error, OSError):  # a session that is gone has no locks
            self._connection.close()


def engine_for(url: URL) -> Engine:
    """An engine on a database of a server; the first use connects."""
    arguments: dict[str, object] = {
        "charset": "utf8mb4",
        "autocommit": True,  # the driver begins nothing by itself
        "connect_timeout": _CONNECT_S,
        "read_timeout": _SILENT_S,
        "write_timeout": _SILENT_S,
    }
    if url.password is not None:
        arguments["password"] = url.password.encode()  # the driver would take it for Latin-1
    engine = create_engine(url.set(drivername="mysql+pymysql"), connect_args=arguments)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _hurry)
    event.listen(engine, "reset", _take_time)
    return engine


def _configure(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute(f"SET SESSION sql_mode = 'STRICT_ALL_TABLES', innodb_lock_wait_timeout = {BUSY_S}")
        if "MariaDB" in connection.get_server_info():
            cursor.execute(f"SET SESSION idle_transaction_timeout = {_IDLE_S}")


def _hurry(connection: Connection) -> None:
    """Let MySQL end a session that falls silent before its transaction is over."""
    writes = connection.get_execution_options().get(MODE) == WRITE
    if writes and not cast("MySQLDialect", connection.dialect).is_mariadb:
        connection.connection.cursor().execute(f"SET SESSION wait_timeout = {_IDLE_S}")
        connection.info[_HURRIES] = True


def _take_time(connection: Any, record: Any, _state: object) -> None:
    """Afterwards a session may be silent for as long as others."""
    if record is not None and record.info.pop(_HURRIES, None):  # None: it is not used again
        with connection.cursor() as cursor:
            cursor.execute("SET SESSION wait_timeout = DEFAULT")


@compiles(CheckConstraint, "mysql")  # pyright: ignore[reportUntypedFunctionDecorator]
def _column_check(constraint: Any, compiler: Any, **_: object) -> str:
    """A condition on one column has no name here."""
    if isinstance(constraint.parent, Table):
        return compiler.visit_check_constraint(constraint)
    return compiler.visit_column_check_constraint(constraint).partition(" ")[2].partition(" ")[2]


@lru_cache(maxsize=64)
def _over_json(batch: Batch) -> str:
    """An UPDATE for many rows: they come as JSON, and ``:name`` becomes a column of the table that is made of it."""
    kinds = ("LONGTEXT CHARACTER SET utf8mb4" if name in _TEXTS else "BIGINT" for name in batch.names)
    columns = ", ".join(
        f"_{name} {kind} PATH '$[{n}]'" for n, (name, kind) in enumerate(zip(batch.names, kinds, strict=True))
    )
    update, _, condition = positional(batch.text, r"given._\1").partition("WHERE")
    table, _, changes = update.removeprefix("UPDATE ").partition(" SET ")
    given = f"JSON_TABLE(%s, '$[*]' COLUMNS ({columns})) AS given"
    return f"UPDATE {given} STRAIGHT_JOIN {table} ON {condition} SET {changes}"  # noqa: S608 - our own statements


def _insert(cursor: DBAPICursor, made: str, one: str, rows: Rows) -> int:
    values = ", ".join([one] * len(rows))
    cursor.execute(f"{made} VALUES {values}", [value for row in rows for value in row])
    return cursor.rowcount


def _parts(rows: Rows) -> Iterator[Rows]:
    """The rows in parts that a server takes in one statement."""
    part: list[tuple[object, ...]] = []
    size = 0
    for row in rows:
        more = sum(2 * len(value) if isinstance(value, str | bytes) else 8 for value in row)
        if part and size + more > _MOST_BYTES:
            yield part
            part, size = [], 0
        part.append(row)
        size += more
    yield part
