"""Servers that stop, refuse, hang or lose: what is said, that nothing is half done, and that it goes on by itself."""

import sys
from collections.abc import Callable, Iterator
from threading import Event, Thread
from types import FrameType
from typing import Any

import psycopg
import pymysql
import pytest
from sqlalchemy import make_url
from sqlalchemy.event import listen

from ostinato.model.errors import (
    DriverMissing,
    InvariantBroken,
    OstinatoError,
    StateAddressInvalid,
    StoreDamaged,
    StoreFull,
    StoreUnavailable,
)
from ostinato.store import Store, mysql, open_store, postgres
from tests.contract.leader import MAY_1, Leader, deploy, everything, new_run
from tests.contract.raw import end_sessions, execute, query, writing
from tests.places import Server
from tests.postgres_server import PASSWORD, QUOTED, PostgresServer


@pytest.fixture
def address(server: Server) -> str:
    return server.new_database()


@pytest.fixture
def store(address: str) -> Iterator[Store]:
    made = open_store(address)
    yield made
    made.check()
    made.close()


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_a_server_that_is_gone_for_a_while_is_missed_and_then_used_again(
    server: Server, store: Store, how: str
) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    before = everything(store)
    leader.dispatch(run.run_id, 0)
    change = leader.change
    server.stop(how)
    try:
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="OST-301"):
                store.commit(change, leader.epoch)
            with pytest.raises(StoreUnavailable):
                store.runs()
    finally:
        server.start()
    assert everything(store) == before
    store.commit(change, leader.epoch)
    assert len(store.attempts(run.run_id)) == 1


def test_a_session_that_ends_is_replaced(store: Store, address: str) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    leader.dispatch(run.run_id, 0)
    end_sessions(address)
    with pytest.raises(StoreUnavailable):
        store.commit(leader.change, leader.epoch)
    store.commit(leader.change, leader.epoch)
    assert len(store.attempts(run.run_id)) == 1


def test_a_session_that_ends_in_the_middle_of_a_commit_leaves_nothing_behind(store: Store, address: str) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    before = everything(store)
    leader.dispatch(run.run_id, 0, 1)
    change = leader.change
    begun: list[str] = []

    def cut(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        begun.append(statement)
        end_sessions(address)

    listen(store._engine, "before_cursor_execute", cut, once=True)  # agents are numbered by SQLAlchemy, after the moves
    with pytest.raises(StoreUnavailable):
        store.commit(change, leader.epoch)
    assert "agent" in begun[0]
    assert everything(store) == before
    store.commit(change, leader.epoch)
    assert len(store.attempts(run.run_id)) == 2


def test_a_writer_waits_for_another_to_finish(store: Store, address: str) -> None:
    begins, holds = Event(), Event()

    def hold_on() -> None:
        with writing(address):
            holds.set()
            begins.wait()

    other = Thread(target=hold_on, daemon=True)
    other.start()
    holds.wait()
    listen(store._engine, "checkout", lambda *_: begins.set())
    assert store.take_lead("leader", MAY_1) == 1
    other.join()


def test_a_writer_that_holds_on_too_long_is_reported_and_waited_for_by_the_next_try(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "BUSY_S", 0.05)
    monkeypatch.setattr(mysql, "BUSY_S", 0)
    store = open_store(address)
    deploy(store)
    with writing(address):
        with pytest.raises(StoreUnavailable, match=r"(?i)lock (wait )?timeout"):
            store.take_lead("leader", MAY_1)
        assert [dag.dag_id for dag in store.dags()] == ["daily"]
    assert store.take_lead("leader", MAY_1) == 1
    store.close()


def test_one_who_is_suspended_in_the_middle_of_a_commit_stops_nobody_for_long_and_writes_nothing_later(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = open_store(address), open_store(address)
    first.close()
    monkeypatch.setattr(postgres, "_IDLE_S", 0.05)
    monkeypatch.setattr(mysql, "_IDLE_S", 1)  # it counts in whole seconds
    first = open_store(address)
    leader = Leader(first)
    run = leader.begin(deploy(first))
    leader.dispatch(run.run_id, 0)

    taken: list[int] = []

    def suspend(*_: object) -> None:
        taken.append(second.take_lead("second", MAY_1))  # returns once the server has ended the first one's session

    listen(first._engine, "before_cursor_execute", suspend, once=True)
    with pytest.raises(StoreUnavailable):
        first.commit(leader.change, leader.epoch)
    assert taken == [leader.epoch + 1]
    assert second.attempts(run.run_id) == []
    first.close()
    second.close()


def test_a_server_that_only_reads_says_so_and_is_written_when_it_can_be(postgres_server: PostgresServer) -> None:
    address = postgres_server.new_database()
    store = open_store(address)
    version = deploy(store)
    execute(address, f"ALTER DATABASE {address.rsplit('/', 1)[1]} SET default_transaction_read_only = on")
    end_sessions(address)
    with pytest.raises(StoreUnavailable):  # the session that was ended
        store.runs()
    with pytest.raises(StoreUnavailable, match="read-only"):
        store.create_runs([new_run(version)])
    assert store.runs() == []
    with psycopg.connect(address, autocommit=True) as operator:
        operator.execute("SET default_transaction_read_only = off")
        operator.execute(f"ALTER DATABASE {address.rsplit('/', 1)[1]} RESET default_transaction_read_only".encode())
    end_sessions(address)
    with pytest.raises(StoreUnavailable):
        store.runs()
    assert len(store.create_runs([new_run(version)])) == 1
    store.close()


def test_damage_inside_the_files_of_the_server_is_found(postgres_server: PostgresServer) -> None:
    address = postgres_server.new_database()
    store = open_store(address)
    version = deploy(store)
    store.create_runs([new_run(version, day) for day in range(300)])
    [(name,)] = query(address, "SELECT pg_relation_filepath('run')")
    postgres_server.stop()
    path = postgres_server.folder / "data" / name
    with path.open("r+b") as file:
        file.write(b"\xaa" * 8192)
    postgres_server.start()
    with pytest.raises(StoreUnavailable):
        store.runs()
    with pytest.raises(StoreDamaged, match="invalid page"):
        store.runs(limit=1_000)
    store.close()


@pytest.mark.parametrize(
    ("kind", "means"),
    [
        (psycopg.errors.DiskFull, StoreFull),
        (psycopg.errors.TooManyConnections, StoreUnavailable),
        (psycopg.errors.AdminShutdown, StoreUnavailable),
        (psycopg.errors.CannotConnectNow, StoreUnavailable),
        (psycopg.errors.IdleInTransactionSessionTimeout, StoreUnavailable),
        (psycopg.errors.IndexCorrupted, StoreDamaged),
        (psycopg.errors.DataCorrupted, StoreDamaged),
        (psycopg.errors.UniqueViolation, InvariantBroken),
        (psycopg.errors.SyntaxError, InvariantBroken),
    ],
)
def test_what_a_server_says_has_one_meaning(kind: type[psycopg.Error], means: type[OstinatoError]) -> None:
    translated = postgres.Postgres().translate(kind("so it\nis"), "the place")
    assert (type(translated), translated.where) == (means, "the place")
    assert "so it is" in translated.what


@pytest.mark.parametrize(
    ("number", "means"),
    [
        (1021, StoreFull),  # the disk is full
        (1114, StoreFull),  # the table is full
        (1040, StoreUnavailable),  # too many connections
        (1053, StoreUnavailable),  # the server is being shut down
        (1205, StoreUnavailable),  # waited too long for a lock
        (1290, StoreUnavailable),  # it only reads
        (2013, StoreUnavailable),  # the connection was lost
        (1242, StoreUnavailable),  # another process makes the tables: our own way to say so
        (1034, StoreDamaged),
        (1712, StoreDamaged),
        (1062, InvariantBroken),  # a key is taken
        (1064, InvariantBroken),  # no SQL
    ],
)
def test_what_a_mariadb_server_says_has_one_meaning(number: int, means: type[OstinatoError]) -> None:
    translated = mysql.MySQL().translate(pymysql.err.OperationalError(number, "so it\nis"), "the place")
    assert (type(translated), translated.where) == (means, "the place")
    assert "so it is" in translated.what


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("nonsense", "not of the form"),
        ("mongodb://a:geheim@b/c", "no way to keep state in mongodb"),
        ("postgresql://a:geheim@b", "names no database"),
        ("postgresql://a:geheim@b:port/c", "not of the form"),
    ],
)
def test_an_address_that_is_none_is_refused_without_its_password(address: str, says: str) -> None:
    with pytest.raises(StateAddressInvalid, match=says) as refused:
        open_store(address)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize(
    ("driver", "module", "scheme"), [("psycopg", "postgres", "postgresql"), ("pymysql", "mysql", "mariadb")]
)
def test_without_the_driver_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, driver: str, module: str, scheme: str
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == driver]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"ostinato.store.{module}")
    monkeypatch.delattr(f"ostinato.store.{module}")
    with pytest.raises(DriverMissing, match=f"{driver}.* is not installed") as missing:
        open_store(f"{scheme}://somebody:geheim@127.0.0.1/state")
    assert f"ostinato[{module}]" in missing.value.help
    assert "geheim" not in str(missing.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": "geheim"}, "password authentication failed|Access denied"),
        ({"database": "not_there"}, "does not exist|Unknown database"),
        ({"port": 1}, "refused|Can.t connect"),
    ],
)
def test_a_server_that_does_not_let_us_in_is_named_without_a_password(
    address: str, wrong: dict[str, Any], says: str
) -> None:
    with pytest.raises(StoreUnavailable, match=says) as refused:
        open_store(make_url(address).set(**wrong).render_as_string(hide_password=False))
    said = str(refused.value)
    assert ":***@127.0.0.1" in said
    for secret in ("geheim", PASSWORD, QUOTED):
        assert secret not in said


def interrupted(step: int, work: Callable[[], object]) -> bool:
    """Whether an interrupt struck the work: it does so in that step of the driver's talk with the server."""
    left = step

    def strike(frame: FrameType, _event: str, _given: object) -> None:
        nonlocal left
        drivers = frame.f_globals.get("__name__", "").startswith(("pymysql.", "psycopg."))
        if drivers and frame.f_code.co_name in {"_read_bytes", "_write_bytes", "wait"}:
            left -= 1
            if left == 0:
                sys.setprofile(None)
                raise KeyboardInterrupt

    sys.setprofile(strike)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.setprofile(None)
    return False


def test_an_interrupt_amid_talk_with_the_server_says_nothing_and_leaves_no_answer_to_another_question(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    run = Leader(store).begin(deploy(store))
    step = 1
    while interrupted(step, store.runs):
        assert [each.run_id for each in store.runs()] == [run.run_id]
        step += 1
    assert step > 6
    assert caplog.records == []
