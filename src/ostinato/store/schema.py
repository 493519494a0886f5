"""How a database comes to have the schema: made whole when it is new, migrated when it is old, refused when it is newer.

Making a new one and opening one that is up to date load no Alembic, which would cost more than everything else here.
"""

from typing import Final

from sqlalchemy import Connection, Engine, func, insert, inspect, select

from ostinato.model.errors import StoreDamaged, StoreTooNew
from ostinato.model.limits import Limits
from ostinato.model.time import stamp

from .database import begin_again, is_on_server, keeps_tables, making, place, reading
from .tables import meta, metadata, pool, revision

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
"""Every revision there has been, oldest first; the files in ``migrations/versions``, without loading them."""

HEAD: Final = REVISIONS[-1]


def bring_to_head(engine: Engine) -> None:
    """Make or migrate the schema if need be. Raises StoreTooNew, StoreDamaged, and what `writing` raises."""
    if _at_a_glance(engine) == HEAD:
        return
    with making(engine) as connection:
        if _is_unfinished(connection):
            metadata.drop_all(connection)
        present = _revision(connection)  # another process may have been faster
        if present is None:
            _create(connection)
        elif present != HEAD:
            from .migrate import upgrade  # noqa: PLC0415 - loads Alembic, which takes a second

            upgrade(connection)


def _at_a_glance(engine: Engine) -> str | None:
    """The revision a database is at. None: it is empty, or not whole where others see how it is made."""
    with reading(engine) as connection:
        try:
            return _revision(connection)
        except StoreDamaged:
            if not keeps_tables(engine):
                raise
            return None


def _is_unfinished(connection: Connection) -> bool:
    """Whether somebody died while making the database: see `Dialect.keeps_tables`. Then there is nothing in it."""
    tables = inspect(connection).get_table_names()
    if not keeps_tables(connection.engine) or revision.name not in tables:
        return False
    ours = (each for each in metadata.sorted_tables if each.name in tables)
    return all(connection.execute(select(func.count()).select_from(each)).scalar_one() == 0 for each in ours)


def refuse_backup(engine: Engine) -> None:
    """Raises StoreDamaged for a backup: used as it is, it would number attempts anew that have been made already."""
    if is_on_server(engine):
        return
    with reading(engine) as connection:
        taken_at = connection.execute(select(meta.c.taken_at)).scalar_one()
    if taken_at is not None:
        what = f"this is a backup, taken at {stamp(taken_at)}, and no state"
        raise StoreDamaged(what, where=place(engine), help="Move it away and restore it: `ostinato db restore FILE`.")


def _revision(connection: Connection) -> str | None:
    """The revision a database is at; None: it is empty. Raises for one that is not ours to touch."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return None
    where = place(connection.engine)
    if revision.name not in tables or meta.name not in tables:
        raise StoreDamaged("the database belongs to another program", where=where)
    present = connection.scalar(select(revision.c.version_num))
    if present is None:
        raise StoreDamaged("the state database does not say which version it is", where=where)
    if present not in REVISIONS:
        raise StoreTooNew(f"the state database is at revision {present}, this program knows {HEAD}", where=where)
    return present


def make_tables(connection: Connection) -> None:
    """Make the tables in an empty database; what is put into them is in one transaction, with the version if it is last."""
    revision.create(connection)
    metadata.create_all(connection)
    begin_again(connection)


def _create(connection: Connection) -> None:
    make_tables(connection)
    counted = ("epoch", "dags_revision", "backfills_revision", "beat", "last_attempt", "last_run", "attempt_set_back")
    connection.execute(insert(meta).values(one=1, leader="", **dict.fromkeys(counted, 0)))
    connection.execute(insert(pool).values(name="default", slots=Limits().default_pool_slots))
    connection.execute(insert(revision).values(version_num=HEAD))  # last: with it the database is whole
