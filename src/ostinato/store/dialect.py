"""What one kind of database does in its own way. `store.database` asks the one at hand; nothing else does."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from sqlalchemy import Connection, Engine, Table, UpdateBase
from sqlalchemy.engine.interfaces import DBAPICursor

from ostinato.model.errors import OstinatoError

from .hot import Batch

Rows = Sequence[tuple[object, ...]]

MODE: Final = "ostinato_mode"
"""The option of a connection that says which transactions it is for."""
READ: Final = "read"
WRITE: Final = "write"
MAKE: Final = "make"


class Session(Protocol):
    """A connection of its own to a server, outside of transactions: for locks that go with it, and for hints."""

    def query(self, statement: str, *row: object) -> list[Any]:
        """Execute a statement of `hot`; what it gives."""
        ...

    def execute(self, statement: str, *row: object) -> int:
        """Execute a statement of `hot`; how many rows it changed."""
        ...

    def lock(self, name: str) -> bool:
        """Take a lock, unless another session has it; it is kept until the session ends."""
        ...

    def is_free(self, name: str) -> bool:
        """Whether no session has a lock."""
        ...

    def listen(self) -> None:
        """From now on be told when people have changed something."""
        ...

    def heard(self) -> bool:
        """Whether that has happened since the last call."""
        ...

    def fileno(self) -> int:
        """For a selector: readable when something was heard."""
        ...

    def close(self) -> None:
        """End it, with its locks."""
        ...


class Dialect(Protocol):
    """One kind of database.

    ``begin`` is what begins a transaction that only reads (`READ`), that is the only one to write (`WRITE`), or that is the
    only one to make tables, in a database that may have none (`MAKE`).
    ``errors`` are the exceptions of the driver. ``remote``: it is a server, and connections to it can die. ``hint`` tells
    the leader, in a transaction that people asked for, to look around once it is committed. ``keeps_tables``: a table that was
    made stays, even if the transaction that made it comes to nothing.
    """

    begin: Mapping[str, Sequence[str]]
    keeps_tables: bool
    errors: tuple[type[Exception], ...]
    remote: bool
    hint: str | None

    def translate(self, error: BaseException | None, where: str) -> OstinatoError:
        """What an error of the driver means to us; ``where`` is the database's name."""
        ...

    def write(self, cursor: DBAPICursor, batch: Batch, rows: Rows) -> int:
        """Execute a statement for each row, in their order; how many rows of the table it made or changed."""
        ...

    def query(self, cursor: DBAPICursor, statement: str, row: tuple[object, ...]) -> list[Any]:
        """Execute a statement with its ``:names`` bound, in the order in which they stand there; what it gives."""
        ...

    def insert_free(self, table: Table) -> UpdateBase:
        """An INSERT that leaves out the rows whose key is taken."""
        ...

    def upsert(self, table: Table, key: Sequence[str], changed: Sequence[str]) -> UpdateBase:
        """An INSERT that, where the key is taken, changes those columns of the row that has it."""
        ...

    def load(self, cursor: DBAPICursor, table: Table, rows: Rows) -> None:
        """Put rows with a value for each column, as another database keeps it, into a table that nobody else uses."""
        ...

    def session(self, engine: Engine) -> Session:
        """A new session. Raises what the driver raises; only for a server."""
        ...

    def size(self, connection: Connection) -> int:
        """How many bytes the database takes."""
        ...

    def damage(self, connection: Connection) -> list[str]:
        """What the database itself finds wrong with its pages, indexes and foreign keys; at most a hundred findings."""
        ...
