"""A database as another program would use it, behind the back of the store."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from sqlalchemy import make_url


def execute(place: Path | str, statement: str) -> None:
    """Execute a statement, whatever the keys of the database say."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            connection.execute(statement)
    elif place.startswith("mysql"):
        with _mysql(place) as connection, connection.cursor() as cursor:
            cursor.execute("SET foreign_key_checks = 0, check_constraint_checks = 0")
            cursor.execute(statement)
    else:
        with psycopg.connect(place) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(statement.encode())


def query(place: Path | str, statement: str) -> list[Any]:
    """What a query gives."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            return connection.execute(statement).fetchall()
    if place.startswith("mysql"):
        with _mysql(place) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())
    with psycopg.connect(place) as connection:
        return connection.execute(statement.encode()).fetchall()


def _mysql(address: str) -> "pymysql.connections.Connection[Any]":
    url = make_url(address)
    assert url.host
    assert url.password
    return pymysql.connect(
        host=url.host,
        port=url.port or 0,
        user=url.username,
        password=url.password.encode(),  # pyright: ignore[reportArgumentType] - as text it would be taken for Latin-1
        database=url.database,
        autocommit=True,
    )
