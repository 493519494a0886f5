"""The state is lost and restored from a backup: real processes, and tables that know more than the state does."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from deltalake import DeltaTable

from ostinato.clock import SystemClock
from ostinato.home import Home
from ostinato.model.state import FINAL_RUN, RunState
from ostinato.store import open_store
from tests.acceptance.marks import dag_of, executed
from tests.acceptance.processes import agent_family, kill_all
from tests.acceptance.shell import Going, going, ostinato, until
from tests.places import put_state_on

TASKS = 200


class Site:
    """A state folder with a backup beside it, and a dag that leaves a mark for each execution of a task."""

    def __init__(self, request: pytest.FixtureRequest, home: Home, folder: Path) -> None:
        self._request = request
        self.home = home
        self.folder = folder
        self.kept = folder / "kept.db"
        self.marks = folder / "marks"

    def lose_the_state(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever the database knew is gone; the folder with logs and journals is still there."""
        if self.home.address is None:
            for path in self.home.path.glob("state.db*"):
                path.unlink()
        else:
            self.home = put_state_on(self._request.getfixturevalue("postgres_server"), self.home, monkeypatch)

    def does(self, *words: str) -> str:
        """Run a command that ends well; what it answers."""
        said = ostinato(*words, cwd=self.folder)
        assert said.code == 0, said.err
        return said.out

    def back_up(self) -> None:
        """As `ostinato db backup` does, without the time that it takes a command to begin."""
        with closing(open_store(self.home.state)) as store:
            store.back_up(self.kept, SystemClock().now())

    def run_state(self) -> RunState:
        """The state of the newest run."""
        with closing(open_store(self.home.state)) as store:
            return store.runs(limit=1)[0].state

    def is_deployed(self) -> bool:
        """Whether the scheduler has taken over its dag file."""
        with closing(open_store(self.home.state)) as store:
            return bool(store.dags())

    def is_over(self) -> bool:
        return self.run_state() in FINAL_RUN

    def begin(self) -> None:
        """Ask for a run, and wait until a part of it is done."""
        until(self.is_deployed)
        self.does("trigger", "marks")
        until(lambda: len(executed(self.marks)) > TASKS // 4)


@pytest.fixture(params=["sqlite-file", "postgres"])
def site(request: pytest.FixtureRequest, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    if request.param == "postgres":
        home = put_state_on(request.getfixturevalue("postgres_server"), home, monkeypatch)
    made = Site(request, home, tmp_path)
    made.marks.touch()
    (tmp_path / "marks.py").write_text(dag_of(TASKS, looks=10_000))
    monkeypatch.setenv("MARKS", str(made.marks))
    yield made
    with closing(open_store(made.home.state)) as store:
        store.check()


def dev(site: Site, file: str = "marks.py") -> AbstractContextManager[Going]:
    """A scheduler and an agent for a dag file."""
    return going("dev", str(site.folder / file), "--slots", "2")


def test_what_was_done_after_the_backup_is_not_done_again_unasked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with dev(site) as first:
        site.begin()
        site.back_up()
        until(site.is_over)
        first.process.kill()
        kill_all(agent_family(site.home.path))
    assert executed(site.marks) == Counter(range(TASKS))
    site.lose_the_state(monkeypatch)
    done = json.loads(site.does("db", "restore", str(site.kept), "--json"))
    assert (done["stopped"], done["again"]) == (1, False)
    with dev(site):
        until(site.is_over)
    assert site.run_state() is RunState.CANCELLED
    assert executed(site.marks) == Counter(range(TASKS))


def test_an_agent_that_outlived_the_state_finishes_what_is_known_and_drops_the_rest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with dev(site) as first:
        site.begin()
        site.back_up()
        seen = len(executed(site.marks))
        until(lambda: len(executed(site.marks)) > seen)
        first.process.kill()
    site.lose_the_state(monkeypatch)
    site.does("db", "restore", str(site.kept))
    with dev(site):
        until(site.is_over)
    assert site.run_state() is RunState.CANCELLED
    assert set(executed(site.marks).values()) == {1}


def test_with_again_all_that_was_open_is_done(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with dev(site) as first:
        site.begin()
        site.back_up()
        first.process.kill()
        kill_all(agent_family(site.home.path))
    site.lose_the_state(monkeypatch)
    site.does("db", "restore", str(site.kept), "--again")
    with dev(site):
        until(site.is_over)
    assert site.run_state() is RunState.SUCCESS
    assert set(executed(site.marks)) == set(range(TASKS))


SALES = """
from datetime import date
from pathlib import Path
from typing import Any

from ostinato import Context, cron, dag, task
from ostinato_data import Column, Contract, land

HERE = Path(__file__).parent


@task
def load(ctx: Context) -> dict[str, Any]:
    landed = land(
        Contract("sales", (Column("amount", "integer"),)),
        HERE / "sales.csv",
        table=HERE / "sales",
        partition={"date": ctx.logical_date},
        fence=ctx.attempt,
        dead_letters_in=HERE / "dlq",
        transform=lambda rows: rows.project(f"*, DATE '{ctx.logical_date}' AS date"),
    )
    return {"rows": landed.rows}


@dag(schedule=cron("0 6 * * *"), start=date(2025, 5, 1))
def sales() -> None:
    load()
"""


def commits(site: Site) -> Counter[str]:
    """How often each day of the table was committed."""
    parameters = [each["operationParameters"] for each in DeltaTable(site.folder / "sales").history()]
    return Counter(each["predicate"] for each in parameters if "predicate" in each)


def test_a_table_that_is_newer_than_the_state_is_neither_written_unasked_nor_in_the_way(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers of attempts that the table knows are not given again: the table would refuse them, or take them for done."""
    (site.folder / "sales.csv").write_text("amount\n12\n30\n")
    (site.folder / "sales.py").write_text(SALES)

    def backfill(first: str, last: str) -> None:
        site.does("backfill", "sales", "--from", first, "--to", last, "--wait")

    with dev(site, "sales.py"):
        until(site.is_deployed)
        backfill("2025-05-01", "2025-05-03")
        site.back_up()
        backfill("2025-05-04", "2025-05-06")
    before = commits(site)
    assert set(before.values()) == {1}
    site.lose_the_state(monkeypatch)
    site.does("db", "restore", str(site.kept))
    with dev(site, "sales.py"):
        until(site.is_deployed)
        [gap] = json.loads(site.does("gaps", "sales", "--from", "2025-05-01", "--to", "2025-05-06", "--json"))["gaps"]
        assert (gap["gap"], gap["first"], gap["last"]) == ("missing", "2025-05-04", "2025-05-06")
        assert commits(site) == before
        backfill("2025-05-01", "2025-05-06")
    assert sorted(commits(site).values()) == [1, 1, 1, 2, 2, 2]
    assert DeltaTable(site.folder / "sales").to_pyarrow_table().num_rows == 12
