"""Databases that hold what they should not, of others or of other versions: what is said, and that they are left alone."""

from pathlib import Path

import pytest

from ostinato.model.errors import StoreDamaged, StoreTooNew
from ostinato.store import open_store
from tests.contract.leader import Leader, deploy
from tests.contract.raw import execute, query


@pytest.mark.parametrize(
    ("statement", "finding"),
    [
        ("DELETE FROM run", "without a run"),
        ("DELETE FROM task_instance WHERE task_no = 0", "attempts without a task instance"),
        ("UPDATE task_instance SET attempt = 99 WHERE task_no = 0", "lost sight of"),
        ("UPDATE task_instance SET state = 5 WHERE task_no = 1", "live attempts of ended task instances"),
        ("DELETE FROM agent", "unknown agents"),
        ("UPDATE task_instance SET state = 1 WHERE task_no = 0", "outputs without a success"),
        ("UPDATE run SET state = 5, finished_at = 1", "unended task instances in ended runs"),
    ],
)
def test_a_law_that_does_not_hold_is_found(shared: Path | str, statement: str, finding: str) -> None:
    store = open_store(shared)
    leader = Leader(store)
    run = leader.begin(deploy(store))
    leader.dispatch(run.run_id, 0, 1)
    leader.commit()
    leader.succeed(run.run_id, 0, output=b"\x01")
    leader.commit()
    store.check()
    execute(shared, statement)
    with pytest.raises(StoreDamaged, match=finding):
        store.check()
    store.close()


def test_a_database_of_a_newer_version_is_left_alone(shared: Path | str) -> None:
    open_store(shared).close()
    execute(shared, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreTooNew, match="9999"):
        open_store(shared)


def test_a_database_that_does_not_say_its_version_is_left_alone(shared: Path | str) -> None:
    open_store(shared).close()
    execute(shared, "DELETE FROM alembic_version")
    with pytest.raises(StoreDamaged, match="which version"):
        open_store(shared)


def test_a_database_of_another_program_is_left_alone(shared: Path | str) -> None:
    execute(shared, "CREATE TABLE songs (title TEXT)")
    with pytest.raises(StoreDamaged, match="another program"):
        open_store(shared)
    assert query(shared, "SELECT title FROM songs") == []
    with pytest.raises(Exception, match="alembic_version"):
        query(shared, "SELECT * FROM alembic_version")
