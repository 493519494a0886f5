"""The embedded engine: sessions do not meet, forks do not share, and want of resources is called by its name."""

import errno
import os

import duckdb
import pytest

from ostinato_data.engine import ask, computed, session
from ostinato_data.errors import OutOfResources


def test_sessions_do_not_see_each_other_s_tables() -> None:
    with session() as one, session() as other:
        for number, engine in enumerate((one, other)):
            engine.execute(f"CREATE TEMP TABLE t AS SELECT {number} AS n").fetchall()
        assert [ask(engine, "t", ["max(n)"]) for engine in (one, other)] == [[0], [1]]
        with computed(one, one.sql("SELECT 1 AS n")) as first, computed(other, other.sql("SELECT 2 AS n")) as second:
            assert ask(one, first, ["max(n)"]) + ask(other, second, ["max(n)"]) == [1, 2]
    with session() as later:
        assert later.execute("SELECT count(*) FROM information_schema.tables").fetchall() == [(0,)]


def test_a_fork_has_an_engine_of_its_own() -> None:
    with session() as engine:
        engine.execute("SELECT 1").fetchall()
        child = os.fork()
        if child == 0:
            with session() as own:
                answer = own.execute("SELECT 42").fetchall()
            os._exit(0 if answer == [(42,)] else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert engine.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize(
    ("kind", "words"), [(duckdb.OutOfMemoryException, "full"), (duckdb.IOException, os.strerror(errno.ENOSPC))]
)
def test_full_memory_or_disk_is_a_resource_error(kind: type[duckdb.Error], words: str) -> None:
    with pytest.raises(OutOfResources, match=words) as caught, session():
        raise kind(f"it did not work: {words}")
    assert caught.value.error_class == "resource"


def test_other_failures_pass_as_they_are() -> None:
    with pytest.raises(duckdb.IOException, match="no such file"), session():
        raise duckdb.IOException("no such file")


def test_times_are_utc_and_nothing_is_downloaded() -> None:
    with session() as engine:
        names = ["TimeZone", "autoinstall_known_extensions", "autoload_known_extensions", "threads"]
        settings = ", ".join(f"current_setting('{name}')" for name in names)
        assert engine.execute(f"SELECT {settings}").fetchall() == [("UTC", False, False, 1)]
