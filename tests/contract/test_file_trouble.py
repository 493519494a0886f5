"""Full disks, broken files, files of others: what is said, and that nothing is half done."""

import os
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread

import pytest
from sqlalchemy.event import listen

from ostinato.model.errors import OstinatoError, StoreDamaged, StoreFull, StoreUnavailable
from ostinato.store import Store, open_store, sqlite
from tests.contract.leader import MAY_1, Leader, deploy, everything, new_run
from tests.contract.raw import execute


def pragma(store: Store, text: str) -> int:
    with store._engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {text}").scalar_one()


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows beyond a size: writes fail where a full disk would make them fail."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("place", [Path("state.db"), None], ids=["file", "memory"])
def test_a_full_database_takes_nothing_of_a_commit_and_all_of_it_once_there_is_space(
    tmp_path: Path, place: Path | None
) -> None:
    store = open_store(place and tmp_path / place)
    leader = Leader(store)
    run = leader.begin(deploy(store, tasks=2_000))
    before = everything(store)
    pages = pragma(store, "page_count")
    pragma(store, f"max_page_count = {pages + 5}")
    leader.agent = "an agent whose number is rolled back"
    leader.dispatch(run.run_id, *range(2_000))
    change = leader.change
    for _ in range(3):
        with pytest.raises(StoreFull, match="OST-302"):
            store.commit(change, leader.epoch)
        assert everything(store) == before
    store.check()
    pragma(store, "max_page_count = 1000000")
    store.commit(change, leader.epoch)
    assert {row.agent for row in store.attempts(run.run_id)} == {leader.agent}
    assert len(store.tasks(run.run_id)) == 2_000
    store.close()


def test_a_write_that_fails_at_the_very_end_of_a_commit_leaves_nothing_behind(database: Path) -> None:
    store = open_store(database)
    leader = Leader(store)
    run = leader.begin(deploy(store))
    before = everything(store)
    leader.agent = "an agent whose number is rolled back"
    leader.dispatch(run.run_id, 0, 1)
    change = leader.change
    size = database.with_name("state.db-wal").stat().st_size
    with largest_file(size + 10), pytest.raises(StoreUnavailable):
        store.commit(change, leader.epoch)
    assert everything(store) == before
    store.commit(change, leader.epoch)
    store.check()
    assert [row.agent for row in store.attempts(run.run_id)] == [leader.agent] * 2
    store.close()


def test_a_database_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="No such file or directory"):
        open_store(tmp_path / "missing" / "state.db")
    with pytest.raises(StoreUnavailable):
        open_store(tmp_path)
    with largest_file(10_000), pytest.raises(StoreUnavailable):
        open_store(tmp_path / "state.db")
    open_store(tmp_path / "state.db").close()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_only_its_owner_can_read_the_state(database: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        store = open_store(database)
        store.take_lead("leader", MAY_1)
        modes = {path.name: oct(path.stat().st_mode & 0o777) for path in database.parent.iterdir()}
        store.close()
    finally:
        os.umask(before)
    assert modes == {"state.db": "0o600", "state.db-wal": "0o600", "state.db-shm": "0o600"}


def test_a_writer_that_holds_on_too_long_is_reported_and_waited_for_by_the_next_try(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.05)
    store = open_store(database)
    deploy(store)
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.take_lead("leader", MAY_1)
    assert [dag.dag_id for dag in store.dags()] == ["daily"]
    other.execute("ROLLBACK")
    other.close()
    assert store.take_lead("leader", MAY_1) == 1
    store.close()


def test_a_writer_waits_for_another_to_finish(database: Path) -> None:
    store = open_store(database)
    other = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    begins = Event()
    listen(store._engine, "checkout", lambda *_: begins.set())

    def let_go() -> None:
        begins.wait()
        other.execute("ROLLBACK")

    thread = Thread(target=let_go, daemon=True)
    thread.start()
    assert store.take_lead("leader", MAY_1) == 1
    thread.join()
    other.close()
    store.close()


@pytest.mark.parametrize(
    "content", [b"this is not a database " * 100, b"\x00" * 5_000, b"SQLite format 3\x00" + b"\xff" * 8_000]
)
def test_a_file_that_is_no_database_is_left_alone(database: Path, content: bytes) -> None:
    database.write_bytes(content)
    with pytest.raises(StoreDamaged, match="OST-304"):
        open_store(database)
    assert database.read_bytes() == content


def test_an_empty_file_becomes_a_database(database: Path) -> None:
    database.touch()
    store = open_store(database)
    assert store.runs() == []
    store.close()


def test_damage_inside_the_file_is_found(database: Path) -> None:
    store = open_store(database)
    schema = pragma(store, "page_count")
    leader = Leader(store)
    run = leader.begin(deploy(store, tasks=3_000))
    leader.dispatch(run.run_id, *range(3_000))
    leader.commit()
    store.check()
    store.close()
    with database.open("r+b") as file:
        for page in range(schema, database.stat().st_size // 4096, 3):
            file.seek(page * 4096)
            file.write(b"\xaa" * 4096)
    store = open_store(database)
    with pytest.raises(StoreDamaged):
        store.check()
    with pytest.raises(StoreDamaged):
        store.open_work()
    store.close()


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without the right of root to write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_database_that_cannot_be_written_says_so_and_stays_as_it_is() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(folder / "state.db")
        version = deploy(store)
        store.create_runs([new_run(version)])
        store.close()
        before = (folder / "state.db").read_bytes()
        (folder / "state.db").chmod(0o444)
        folder.chmod(0o555)
        with as_nobody(), pytest.raises(StoreUnavailable, match="OST-301"):
            open_store(folder / "state.db")
        folder.chmod(0o755)
        assert (folder / "state.db").read_bytes() == before


def test_what_refers_to_nothing_is_found(database: Path) -> None:
    store = open_store(database)
    Leader(store).begin(deploy(store))
    execute(database, "DELETE FROM dag_version")
    with pytest.raises(StoreDamaged, match="missing dag_version"):
        store.check()
    store.close()


def test_trouble_names_the_file(database: Path) -> None:
    database.write_bytes(b"x" * 5_000)
    with pytest.raises(OstinatoError) as trouble:
        open_store(database)
    assert trouble.value.where == str(database)
