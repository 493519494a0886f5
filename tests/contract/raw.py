"""A database as another program would use it, behind the back of the store."""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pymysql
from sqlalchemy import make_url

from ostinato.store import mysql, postgres


def execute(place: Path | str, statement: str) -> None:
    """Execute a statement, whatever the keys of the database say."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place)) as connection, connection:
            connection.execute(statement)
    elif place.startswith("mysql"):
        with _mysql(place) as connection, connection.cursor() as cursor:
            cursor.execute("SET foreign_key_checks = 0")
            if "MariaDB" in connection.get_server_info():
                cursor.execute("SET check_constraint_checks = 0")
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


def session_id(session: Any) -> int:
    """The server's number for a session of a lease, which its own thread may be using."""
    if hasattr(session._connection, "thread_id"):
        return session._connection.thread_id()
    return session._connection.info.backend_pid


def end_session(address: str, number: int) -> None:
    """End a session, as if its process or its network had died; return when it has ended."""
    if address.startswith("mysql"):
        with suppress(pymysql.err.OperationalError):  # it has ended by itself
            execute(address, f"KILL {number}")
        while query(address, f"SELECT 1 FROM information_schema.processlist WHERE id = {number}"):
            pass
    else:
        query(address, f"SELECT pg_terminate_backend({number}, 5000)")


def end_sessions(address: str) -> None:
    """End every session of a database but this one, as an operator or a proxy would."""
    if address.startswith("mysql"):
        others = "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
    else:
        others = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for (number,) in query(address, others):
        end_session(address, number)


@contextmanager
def writing(address: str) -> Generator[None]:
    """Be the one who writes, as another process of ours; until the block ends, or the server ends it."""
    if address.startswith("mysql"):
        with _mysql(address) as connection, connection.cursor() as cursor:
            for statement in mysql.MySQL.begin["write"]:
                cursor.execute(statement)
            yield
            connection.rollback()
    else:
        with psycopg.connect(address, autocommit=True) as connection:
            for statement in postgres.Postgres.begin["write"]:
                connection.execute(statement.encode())
            yield
            connection.rollback()
