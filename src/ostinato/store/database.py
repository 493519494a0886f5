"""Transactions and statements, whichever kind of database it is."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, Table, event, insert, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from ostinato.model.errors import DriverMissing, InvariantBroken, StateAddressInvalid, StoreUnavailable

from . import sqlite
from .dialect import MAKE, MODE, READ, WRITE, Dialect, Rows, Session
from .hot import Batch

_SERVERS: Final = {"postgresql": "postgres", "postgres": "postgres", "mysql": "mysql", "mariadb": "mysql"}
"""The modules of this package that talk to servers, by how addresses begin."""
_DIALECTS: Final[dict[str, Dialect]] = {"sqlite": sqlite.SQLite()}


def engine_for(place: Path | str | None) -> Engine:
    """An engine on a database file, on the server that an address names, or (None) in memory, for one thread.

    Raises StateAddressInvalid for an address that is none, DriverMissing if what talks to that server is not installed,
    and what making a file raises.
    """
    engine = _server_engine(place) if isinstance(place, str) else sqlite.engine_for(place)
    event.listen(engine, "begin", _begin)
    return engine


def scratch(path: Path) -> Engine:
    """An engine on a file that is there, that nobody else uses, and that is worth nothing before it is finished."""
    engine = sqlite.scratch(path)
    event.listen(engine, "begin", _begin)
    return engine


def copy_pages(source: Connection, target: Engine) -> None:
    """Copy a file of a database as the source's transaction sees it; others go on writing meanwhile."""
    with translated(target):
        sqlite.copy_pages(source, target)


def _server_engine(address: str) -> Engine:
    url = parse(address)
    module = _SERVERS[url.get_backend_name()]
    try:
        server = import_module(f".{module}", __package__)  # its driver is an extra
    except ModuleNotFoundError as error:
        advice = f"Install it with `pip install 'ostinato[{module}]'`."
        raise DriverMissing(f"the package {error.name} is not installed", where=name_of(url), help=advice) from error
    engine = server.engine_for(url)
    _DIALECTS[engine.dialect.name] = server.dialect
    return engine


def parse(address: str) -> URL:
    """The address of a server's database. Raises StateAddressInvalid, which does not repeat what may hold a password."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise StateAddressInvalid("it is not of the form postgresql://user:password@host:port/database") from error
    if url.get_backend_name() not in _SERVERS:
        raise StateAddressInvalid(f"there is no way to keep state in {url.get_backend_name()}")
    if not url.database:
        raise StateAddressInvalid("it names no database", where=name_of(url))
    return url


def name_of(url: URL) -> str:
    """A database as people may read it: without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


def place(engine: Engine) -> str:
    """Which database an engine is on, for messages."""
    return name_of(engine.url)


def dialect_of(connection: Connection) -> Dialect:
    """What is particular to the database of a connection."""
    return _DIALECTS[connection.dialect.name]


def session(engine: Engine) -> Session:
    """A new session on a server, for locks and hints. Raises errors of the driver: see `translated`."""
    return _DIALECTS[engine.dialect.name].session(engine)


def is_on_server(engine: Engine) -> bool:
    """Whether several machines may use the database."""
    return _DIALECTS[engine.dialect.name].remote


def _begin(connection: Connection) -> None:
    mode = connection.get_execution_options().get(MODE, READ)
    cursor = connection.connection.cursor()
    for statement in dialect_of(connection).begin[mode]:
        cursor.execute(statement)


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """A connection that sees one state of the database from its first query on. Raises what ``translate`` says."""
    with _connected(engine) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """A transaction that is the only writer; all of it or nothing. Raises what ``translate`` says."""
    with _alone(engine, WRITE) as connection:
        yield connection


@contextmanager
def making(engine: Engine) -> Generator[Connection]:
    """As `writing`, in a database that may have no tables. See `Dialect.keeps_tables`."""
    with _alone(engine, MAKE) as connection:
        try:
            yield connection
        finally:
            if is_on_server(engine) and not connection.invalidated:
                connection.detach()  # it is not used again: what it has locked goes with it


def begin_again(connection: Connection) -> None:
    """Tables were made: where that ended the transaction, begin one for what comes into them."""
    if keeps_tables(connection.engine):
        connection.connection.cursor().execute("START TRANSACTION")


@contextmanager
def _alone(engine: Engine, mode: str) -> Generator[Connection]:
    with _connected(engine) as connection:
        connection.execution_options(**{MODE: mode})
        with connection.begin():
            yield connection


@contextmanager
def _connected(engine: Engine) -> Generator[Connection]:
    with translated(engine), engine.connect() as connection:
        try:
            yield connection
        except KeyboardInterrupt:
            if is_on_server(engine):
                connection.invalidate()  # an answer may be under way that the next query would take for its own
            raise


def keeps_tables(engine: Engine) -> bool:
    """See `Dialect.keeps_tables`."""
    return _DIALECTS[engine.dialect.name].keeps_tables


@contextmanager
def asking(engine: Engine) -> Generator[Connection]:
    """A transaction as of `writing` in which people ask for something; the leader is told to look once it is committed."""
    with writing(engine) as connection:
        yield connection
        hint = dialect_of(connection).hint
        if hint is not None:
            connection.exec_driver_sql(hint)


@contextmanager
def translated(engine: Engine) -> Generator[None]:
    """In the block, errors of the driver become ours."""
    dialect = _DIALECTS[engine.dialect.name]
    try:
        yield
    except (DBAPIError, *dialect.errors) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if not isinstance(cause, dialect.errors):
            raise  # another database's, which this one is read from or written to
        translated = dialect.translate(cause, place(engine))
        if dialect.remote and isinstance(translated, StoreUnavailable):
            engine.dispose()  # connections may be dead: the next try makes new ones
        raise translated from error


def write(connection: Connection, batch: Batch, rows: Rows, what: str) -> None:
    """Write a batch on the driver's own cursor. Raises InvariantBroken if not every row found its place."""
    if not rows:
        return
    stale = len(rows) - write_some(connection, batch, rows)
    if stale:
        raise InvariantBroken(f"{stale} of {len(rows)} {what} found another state than the one they move from")


def write_some(connection: Connection, batch: Batch, rows: Rows) -> int:
    """Write a batch on the driver's own cursor; how many rows of the table it made or changed."""
    if not rows:
        return 0
    return dialect_of(connection).write(connection.connection.cursor(), batch, rows)


def query(connection: Connection, statement: str, row: tuple[object, ...] = ()) -> list[Any]:
    """What a statement of `hot` gives, by the driver's own cursor."""
    return dialect_of(connection).query(connection.connection.cursor(), statement, row)


def insert_free(connection: Connection, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert the rows whose key is free; leave out the others."""
    connection.execute(dialect_of(connection).insert_free(table), rows)


def upsert(
    connection: Connection,
    table: Table,
    key: Sequence[str],
    changed: Sequence[str],
    rows: Sequence[Mapping[str, object]],
) -> None:
    """Insert rows; where the key is taken, change those columns of the row that has it."""
    connection.execute(dialect_of(connection).upsert(table, key, changed), rows)


def insert_row(connection: Connection, table: Table, row: Mapping[str, object]) -> int:
    """Insert a row whose integer key the database chooses; return that key."""
    key = connection.execute(insert(table).values(**row)).inserted_primary_key
    if key is None:
        raise InvariantBroken(f"the database gave no key to a row of {table.name}")
    return int(key[0])


def size(connection: Connection) -> int:
    """How many bytes the database takes."""
    return dialect_of(connection).size(connection)


def damage(connection: Connection) -> list[str]:
    """What the database itself finds wrong; at most a hundred findings."""
    return dialect_of(connection).damage(connection)
