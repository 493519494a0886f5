"""A database as another program would use it, behind the back of the store."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg


def execute(place: Path | str, statement: str) -> None:
    """Execute a statement, whatever the keys of the database say."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            connection.execute(statement)
    else:
        with psycopg.connect(place) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(statement.encode())


def query(place: Path | str, statement: str) -> list[Any]:
    """What a query gives."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            return connection.execute(statement).fetchall()
    with psycopg.connect(place) as connection:
        return connection.execute(statement.encode()).fetchall()
