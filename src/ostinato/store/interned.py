"""Names that stand in very many rows, kept once: a row holds the name's number."""

from typing import Final

from sqlalchemy import Connection, Table, select

from . import database

_REMEMBERED: Final = 10_000


class Interned:
    """The names of one table (`agent`, `log_segment`) and their numbers, remembered between commits."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._numbers: dict[str, int] = {}

    def number(self, connection: Connection, name: str) -> int:
        """The number of a name, given to it now if it has none."""
        number = self._numbers.get(name)
        if number is None:
            if len(self._numbers) >= _REMEMBERED:
                self._numbers.clear()
            number = self._find(connection, name)
            self._numbers[name] = number
        return number

    def forget(self) -> None:
        """Remember nothing: the transaction in which numbers were given was rolled back."""
        self._numbers.clear()

    def _find(self, connection: Connection, name: str) -> int:
        table = self._table
        found = connection.scalar(select(table.c.number).where(table.c.name == name))
        if found is not None:
            return found
        return database.insert_row(connection, table, {"name": name})
