"""All rows of one database on their way into another one, of whichever kind."""

from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, column, func, select, table

from .database import dialect_of, translated
from .schema import make_tables
from .tables import metadata

_PORTION: Final = 5_000


def copy_all(source: Connection, target: Connection) -> None:
    """Make the tables in an empty database and fill them. Both have, and get, the newest schema.

    Raises what ``translate`` says of the target's errors; those of the source are its caller's.
    """
    with translated(target.engine):
        make_tables(target)
    for each in metadata.sorted_tables:
        # without their types: a code stays a code
        columns: list[ColumnElement[Any]] = [column(name) for name in each.columns.keys()]  # noqa: SIM118 - not a dict
        query = select(*columns).select_from(table(each.name)).order_by(*(column(key.name) for key in each.primary_key))
        with source.execute(query, execution_options={"yield_per": _PORTION}) as found:
            for rows in found.partitions():
                with translated(target.engine):
                    dialect_of(target).load(target.connection.cursor(), each, [tuple(row) for row in rows])


def counts(connection: Connection) -> dict[str, int]:
    """How many rows there are, by table."""
    return {
        each.name: connection.execute(select(func.count()).select_from(each)).scalar_one()
        for each in metadata.sorted_tables
    }
