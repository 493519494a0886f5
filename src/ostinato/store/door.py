"""What all parts of the door to the state have in common: the database, and the record of what people do to it."""

from collections.abc import Mapping

from sqlalchemy import Connection, Engine

from ostinato.model.time import Instant

from . import audit, database


class Door:
    """A database, and by way of what people come to it."""

    def __init__(self, engine: Engine, via: str) -> None:
        self._engine = engine
        self._via = via

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def place(self) -> str:
        """Which database it is, for people: a path or an address without its password."""
        return database.place(self._engine)

    def _note(
        self,
        connection: Connection,
        by: str,
        action: str,
        subject: str,
        now: Instant,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        audit.record(connection, by, self._via, action, subject, now, facts)
