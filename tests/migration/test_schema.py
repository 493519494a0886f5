"""A new database, a migrated one and the code agree on the schema; opening costs no more than it must."""

import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, LargeBinary, Text, inspect
from sqlalchemy.dialects.mysql import LONGBLOB, LONGTEXT

from ostinato.model.errors import InvariantBroken, StoreDamaged
from ostinato.model.record import UNMAPPED
from ostinato.store import Store, migrate, open_store, schema
from ostinato.store.database import engine_for, making, reading, writing
from ostinato.store.tables import metadata
from tests.contract.raw import query
from tests.mariadb_server import MariaDBServer
from tests.places import Server
from tests.postgres_server import PostgresServer


def tables_and_indexes(path: Path) -> dict[str, str]:
    """What the database says of itself, by kind and name."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return {
            f"{kind} {name}": sql for kind, name, sql in connection.execute("SELECT type, name, sql FROM sqlite_schema")
        }


def migrated(path: Path) -> Engine:
    engine = engine_for(path)
    with writing(engine) as connection:
        migrate.upgrade(connection)
    return engine


def test_a_new_database_is_what_the_migrations_arrive_at(tmp_path: Path) -> None:
    open_store(tmp_path / "new.db").close()
    migrated(tmp_path / "old.db").dispose()
    assert tables_and_indexes(tmp_path / "new.db") == tables_and_indexes(tmp_path / "old.db")


def differences(engine: Engine) -> list[object]:
    """What would have to change for a database to have the schema that the code believes in."""
    with reading(engine) as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": _is_other_type, "compare_server_default": True}
        )
        found = compare_metadata(context, metadata)
    engine.dispose()
    return found


def _is_other_type(_context: object, _inspected: object, _column: object, there: object, wanted: object) -> bool | None:
    """MySQL names the kind that holds as much as was asked for; None: whatever Alembic thinks."""
    large = isinstance(there, LONGTEXT | LONGBLOB) and isinstance(wanted, Text | LargeBinary)
    return False if large else None


def test_the_migrations_leave_nothing_to_change(tmp_path: Path) -> None:
    assert differences(migrated(tmp_path / "state.db")) == []


def test_a_new_database_has_the_schema_that_the_code_believes_in(shared: Path | str) -> None:
    open_store(shared).close()
    assert differences(engine_for(shared)) == []


def test_the_list_of_revisions_is_that_of_the_files() -> None:
    scripts = ScriptDirectory.from_config(migrate.config())
    found = [script.revision for script in scripts.walk_revisions()]
    assert tuple(reversed(found)) == schema.REVISIONS
    assert scripts.get_heads() == [schema.HEAD]


SPIED = """
import sys
from pathlib import Path
from ostinato.store import open_store
for _ in range(2):
    open_store(Path(sys.argv[1])).close()
    print("alembic" in sys.modules)
"""


def test_neither_making_nor_opening_a_database_loads_alembic(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SPIED, str(tmp_path / "state.db")]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("_nth", range(5))
def test_all_who_open_a_new_database_at_once_succeed(shared: Path | str, _nth: int) -> None:
    with ThreadPoolExecutor(8) as threads:
        stores = list(threads.map(open_store, [shared] * 8))
    stores[0].check()
    assert [len(store.pools()) for store in stores] == [1] * 8
    for store in stores:
        store.close()


def demand_it_becomes_as_new(server: Server, old: str) -> None:
    """An old schema becomes what a new database has, and what was in it is still there."""
    store = open_store(old)
    store.check()
    assert pools(store) == {"gpu": 3}
    assert store.take_lead("next", 9) == 5
    store.close()
    new = server.new_database()
    open_store(new).close()
    assert server.schema(old) == server.schema(new)


def test_the_first_schema_there_was_on_postgres_becomes_what_a_new_database_has(
    postgres_server: PostgresServer,
) -> None:
    old = postgres_server.new_database()
    with psycopg.connect(old) as connection:
        connection.execute(Path(__file__).with_name("postgres_0004.sql").read_bytes())
    demand_it_becomes_as_new(postgres_server, old)


def test_the_first_schema_there_was_on_mariadb_becomes_what_a_new_database_has(mariadb_server: MariaDBServer) -> None:
    old = mariadb_server.new_database()
    mariadb_server.execute(Path(__file__).with_name("mariadb_0007.sql").read_text(), old.rpartition("/")[2])
    demand_it_becomes_as_new(mariadb_server, old)


@pytest.fixture(params=["mariadb_server", "mysql_server"])
def keeping(request: pytest.FixtureRequest) -> MariaDBServer:
    """A server on which a table that was made stays, whatever becomes of its transaction."""
    return request.getfixturevalue(request.param)


def test_a_database_whose_making_was_cut_off_is_made_anew(keeping: MariaDBServer) -> None:
    """Tables stay there though the transaction that made them came to nothing."""
    address, whole = keeping.new_database(), keeping.new_database()
    engine = engine_for(address)
    with making(engine) as connection:
        metadata.create_all(
            connection, tables=[metadata.tables[name] for name in ("alembic_version", "agent", "audit")]
        )
    engine.dispose()
    open_store(address).close()
    open_store(whole).close()
    assert keeping.schema(address) == keeping.schema(whole)


def test_tables_with_something_in_them_are_never_taken_for_unfinished(keeping: MariaDBServer) -> None:
    address = keeping.new_database()
    name = address.rpartition("/")[2]
    keeping.execute("CREATE TABLE alembic_version (version_num varchar(32) not null)", name)
    keeping.execute("CREATE TABLE run (x int);\nINSERT INTO run VALUES (1)", name)
    with pytest.raises(StoreDamaged, match="another program"):
        open_store(address)
    assert query(address, "SELECT x FROM run") == [(1,)]


NEXT = '''"""A column more."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("pool", sa.Column("color", sa.Text))
    {then}
'''


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This program as its next version, which has one more migration; the file of that."""
    folder = tmp_path / "migrations %d"
    shutil.copytree(migrate.FOLDER, folder)
    monkeypatch.setattr(migrate, "FOLDER", folder)
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    monkeypatch.setattr(schema, "HEAD", "9999")
    return folder / "versions" / "9999_next.py"


@pytest.fixture
def old(shared: Path | str) -> Path | str:
    """A database of this version, with something in it."""
    store = open_store(shared)
    store.set_pool("gpu", 3, "ada", 5)
    store.close()
    return shared


def columns(place: Path | str) -> dict[str, list[str]]:
    """The columns of every table."""
    engine = engine_for(place)
    with reading(engine) as connection:
        found = inspect(connection).get_multi_columns()
    engine.dispose()
    return {table: [each["name"] for each in of_it] for (_, table), of_it in found.items()}


def pools(store: Store) -> dict[str, int]:
    return {pool.name: pool.slots for pool in store.pools() if pool.name != "default"}


def test_an_old_database_is_migrated_as_it_is_opened(old: Path | str, next_version: Path) -> None:
    next_version.write_text(NEXT.format(head=schema.REVISIONS[-2], then=""))
    for _ in range(2):
        store = open_store(old)
        assert pools(store) == {"gpu": 3}
        store.close()
    assert columns(old)["pool"] == ["name", "slots", "color"]


def test_openers_of_an_old_database_migrate_it_once(old: Path | str, next_version: Path) -> None:
    next_version.write_text(NEXT.format(head=schema.REVISIONS[-2], then=""))
    with ThreadPoolExecutor(4) as threads:
        stores = list(threads.map(open_store, [old] * 4))
    assert [pools(store) for store in stores] == [{"gpu": 3}] * 4
    for store in stores:
        store.close()


def test_a_migration_that_fails_leaves_the_database_as_it_was(old: Path | str, next_version: Path) -> None:
    before = columns(old)
    next_version.write_text(NEXT.format(head=schema.REVISIONS[-2], then='op.execute("DROP TABLE no_such_table")'))
    with pytest.raises(InvariantBroken, match="no_such_table"):
        open_store(old)
    if not str(old).startswith("mysql"):  # there a table is changed at once, which docs/how-to/state-in-mariadb.md says
        assert columns(old) == before
    assert query(old, "SELECT version_num FROM alembic_version") == [(schema.REVISIONS[-2],)]


def test_a_backfill_of_the_first_schema_keeps_its_runs_and_days(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    engine = engine_for(path)
    with writing(engine) as connection:
        migrate.upgrade(connection, "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(
            """
            INSERT INTO meta VALUES (1, 4, 'leader', 5, 6);
            INSERT INTO source VALUES ('s', x'00');
            INSERT INTO dag_version VALUES (1, 'v', 'f', 's', x'00', 1);
            INSERT INTO dag VALUES (1, 'daily', 1, 'f', NULL, NULL, NULL, NULL);
            INSERT INTO backfill VALUES (7, 1, 1000, 2999, 'failed', 8, 'ada');
            INSERT INTO run VALUES (1, 1, 1, 'k', 3, 1, 1000, 2000, x'80', 8, NULL, NULL, NULL, NULL, 7, 'ada');
            """
        )
    store = open_store(path)
    store.check()
    backfill = store.backfill(7)
    assert ([(each.start, each.end) for each in backfill.chosen], backfill.runs) == ([(1000, 3000)], {"queued": 1})
    assert (backfill.reprocess, backfill.state, backfill.batch, backfill.by) == ("failed", "running", 1, "ada")
    assert (store.dags_revision(), store.backfills_revision()) == (6, 0)
    store.close()


BEFORE_INSTANCES = """
    INSERT INTO meta VALUES (1, 4, 'leader', 5, 6, 7);
    INSERT INTO source VALUES ('s', x'00');
    INSERT INTO dag_version VALUES (1, 'v', 'f', 's', x'00', 1);
    INSERT INTO dag VALUES (1, 'daily', 1, 'f', NULL, NULL, NULL, NULL);
    INSERT INTO backfill VALUES (7, 1, '[[1000,3000]]', 'all', 0, 1, 0, x'80', 4, 0.5, 'running', 8, 'ada');
    INSERT INTO agent VALUES (3, 'a1');
    INSERT INTO log_segment VALUES (2, 'x.log');
    INSERT INTO run VALUES (1, 1, 1, 'k', 3, 2, 1000, 2000, x'80', 8, 9, NULL, 11, 'bob', 7, 'ada');
    INSERT INTO run VALUES (2, 1, 1, 'l', 2, 6, 2000, 3000, x'80', 8, 9, 10, NULL, NULL, NULL, 'ada');
    INSERT INTO task_instance VALUES (1, 0, 5, 20, 5, NULL, NULL);
    INSERT INTO task_instance VALUES (1, 1, 3, 21, NULL, 90, 21);
    INSERT INTO task_instance VALUES (2, 0, 6, 22, 7, NULL, NULL);
    INSERT INTO attempt VALUES (5, 1, 0, 1, 5, 3, 12, 1, 2, NULL, NULL, 2, 30, 40, 50, 60);
    INSERT INTO attempt VALUES (6, 2, 0, 1, 10, 3, 12, NULL, NULL, 2, '{"how":"lost","message":""}', NULL, NULL, NULL, 0, 0);
    INSERT INTO attempt VALUES (7, 2, 0, 2, 6, 3, 14, 1, 2, 3, '{"how":"raised","message":"x"}', 2, 0, 9, 50, 60);
    INSERT INTO event VALUES (1, 0, 8, 3, 0, 1, NULL, NULL, '{"by":"ada"}');
    INSERT INTO event VALUES (1, 1, 20, 16, 1, 5, 0, 5, NULL);
    INSERT INTO output VALUES (1, 0, x'2a');
    INSERT INTO rejected VALUES (4, 1, 0, 5, 20, 'sales', 'p', 'dlq/x', 3, '{"range":3}');
"""


def test_what_there_was_before_tasks_had_instances_is_there_after(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    engine = engine_for(path)
    with writing(engine) as connection:
        migrate.upgrade(connection, "0002")
    engine.dispose()
    with closing(sqlite3.connect(path)) as old, old:
        old.executescript(BEFORE_INSTANCES)
        tables = ("run", "task_instance", "attempt", "event", "output", "rejected")
        before = {table: old.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
        columns = {table: [row[1] for row in old.execute(f"PRAGMA table_info({table})")] for table in tables}
    store = open_store(path)
    store.check()
    with closing(sqlite3.connect(path)) as new, new:
        for table in tables:
            names = ", ".join(f'"{name}"' for name in columns[table])
            assert new.execute(f"SELECT {names} FROM {table}").fetchall() == before[table]
        indexes = [row[0] for row in new.execute("SELECT name FROM sqlite_schema WHERE name LIKE 'earlier%'")]
        assert (indexes, new.execute("PRAGMA foreign_key_check").fetchall()) == ([], [])
    assert {task.map_index for run_id in (1, 2) for task in store.tasks(run_id)} == {UNMAPPED}
    assert [(row.attempt, row.state.value, row.map_index) for row in store.attempts(2)] == [
        (6, "lost", -1),
        (7, "failed", -1),
    ]
    assert [(event.task_no, event.map_index) for event in store.events(1)] == [(None, -1), (0, -1)]
    assert (store.output(1, 0), store.run(1).parent, store.run(1).based_on) == (b"\x2a", None, None)
    assert [(row.letters.count, row.map_index) for row in store.rejected()] == [(3, -1)]
    assert store.backfill(7).runs == {"running": 1}
    assert [found.tries for found in store.open_work()] == [{(0, UNMAPPED): 1}]
    store.close()


def test_a_database_that_was_migrated_is_what_a_new_one_is(tmp_path: Path) -> None:
    engine = engine_for(tmp_path / "old.db")
    with writing(engine) as connection:
        migrate.upgrade(connection, "0002")
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "old.db")) as old, old:
        old.executescript(BEFORE_INSTANCES)
    open_store(tmp_path / "old.db").close()
    open_store(tmp_path / "new.db").close()
    assert tables_and_indexes(tmp_path / "old.db") == tables_and_indexes(tmp_path / "new.db")
