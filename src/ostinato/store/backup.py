"""Backups: a copy of the state as of one moment, in a file by itself, and the way back.

A backup is a SQLite database with a checksum, whatever database the state is in. It is taken while work goes on, looked
through before it gets its name, and never opened again in place: who reads one unpacks a copy of it.
"""

import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

from sqlalchemy import Connection, Engine, inspect, select, update

from ostinato.model.errors import (
    BackupInvalid,
    BackupNotWritten,
    NotFound,
    PlaceTaken,
    StoreDamaged,
    StoreTooNew,
    StoreUnavailable,
)
from ostinato.model.record import Chain
from ostinato.model.time import Instant

from . import audit, check, database, recovery, transfer
from .new_file import give_name, part_of, said
from .schema import bring_to_head
from .seal import is_whole, seal
from .setback import SetBack, set_back
from .tables import meta


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: the state as it was at ``taken_at``, so many rows of each table, and the record of deeds."""

    taken_at: Instant
    rows: dict[str, int]
    chain: Chain


def back_up(engine: Engine, file: Path, now: Instant) -> Contents:
    """Write a backup. See `Store.back_up`."""
    if file.exists():
        raise PlaceTaken("there is such a file already", where=str(file), help="Choose another name.")
    with part_of(file, file.parent) as part, _scratch(part, file) as target:
        with database.reading(engine) as source:
            _copy(source, target)
        with database.writing(target) as connection:
            connection.execute(update(meta).values(taken_at=now))
            found = check.findings(connection)
            if found:
                raise StoreDamaged("; ".join(found[:5]), where=database.place(engine))
            contents = _contents(connection)
        target.dispose()
        with said(file):
            seal(part)
            give_name(part, file)
    return contents


def _copy(source: Connection, target: Engine) -> None:
    if database.is_on_server(source.engine):
        with database.writing(target) as connection:
            transfer.copy_all(source, connection)
    else:
        database.copy_pages(source, target)


def verify_backup(file: Path) -> Contents:
    """Look through a backup, which is not touched. Raises BackupInvalid, BackupNotWritten, StoreTooNew."""
    with _unpacked(file, Path(gettempdir())) as (_, contents):
        return contents


def drill(file: Path, now: Instant) -> tuple[Contents, SetBack]:
    """Restore a backup into a file that is removed again, and look through what came of it. Raises as `verify_backup`."""
    with _unpacked(file, Path(gettempdir())) as (engine, contents):
        with database.writing(engine) as connection:
            done = set_back(connection, "drill", "", now, contents.taken_at, again=False)
        with database.reading(engine) as connection:
            _refuse(file, check.findings(connection))
            recovery.open_work(connection)
        return contents, done


def restore_backup(
    file: Path, place: Path | str, folder: Path, by: str, via: str, now: Instant, *, again: bool
) -> SetBack:
    """Make a backup the state: in a file that is not there yet, or in an empty database on a server. All or nothing.

    It is unpacked in ``folder``. ``by``, ``via`` and ``again`` are as for `Store.set_back`. Raises PlaceTaken,
    BackupInvalid, BackupNotWritten, StoreTooNew, and what `open_store` raises.
    """
    if isinstance(place, str):
        return _restore_on_server(file, place, folder, by, via, now, again=again)
    for path in (place, *(place.with_name(place.name + more) for more in ("-wal", "-shm", "-journal"))):
        if path.exists():
            raise PlaceTaken(
                "there is a state already", where=str(path), help="Move it away first, and what lies beside it."
            )
    with _unpacked(file, folder) as (engine, contents):
        with database.writing(engine) as connection:
            done = set_back(connection, by, via, now, contents.taken_at, again=again)
        engine.dispose()
        with said(file):
            give_name(Path(database.place(engine)), place)
    return done


def _restore_on_server(
    file: Path, place: str, folder: Path, by: str, via: str, now: Instant, *, again: bool
) -> SetBack:
    server = database.engine_for(place)
    try:
        with (
            _unpacked(file, folder) as (engine, contents),
            database.reading(engine) as source,
            database.making(server) as target,
        ):
            if inspect(target).get_table_names():
                advice = "Name an empty database."
                raise PlaceTaken("the database has tables already", where=database.place(server), help=advice)
            transfer.copy_all(source, target)
            return set_back(target, by, via, now, contents.taken_at, again=again)
    finally:
        server.dispose()


@contextmanager
def _unpacked(file: Path, folder: Path) -> Generator[tuple[Engine, Contents]]:
    """A copy of a backup with the newest schema, in a file in a folder, and what is in it. It is removed afterwards."""
    if not file.exists():
        raise NotFound(
            "there is no such file", where=str(file), help="Name a file that `ostinato db backup` has written."
        )
    with said(file):
        whole = is_whole(file)
    if not whole:
        raise BackupInvalid("it is not what was written, or never was a backup", where=str(file))
    with part_of(file, folder) as part, _scratch(part, file) as engine:
        with said(file):
            shutil.copyfile(file, part)
        try:
            bring_to_head(engine)
        except StoreTooNew as error:
            raise StoreTooNew(error.what, where=str(file)) from error
        with database.reading(engine) as connection:
            _refuse(file, check.findings(connection))
            contents = _contents(connection)
        yield engine, contents


@contextmanager
def _scratch(part: Path, file: Path) -> Generator[Engine]:
    """A database in a file that nobody else uses. Raises BackupNotWritten where there is no room for it."""
    engine = database.scratch(part)
    try:
        yield engine
    except StoreUnavailable as error:
        if error.where != database.place(engine):
            raise
        raise BackupNotWritten(error.what, where=str(file)) from error
    finally:
        engine.dispose()


def _refuse(file: Path, findings: list[str]) -> None:
    if findings:
        raise BackupInvalid("; ".join(findings[:5]), where=str(file))


def _contents(connection: Connection) -> Contents:
    """What is in a copy that was looked through."""
    taken_at = connection.execute(select(meta.c.taken_at)).scalar_one()
    return Contents(taken_at, transfer.counts(connection), audit.end(connection))
