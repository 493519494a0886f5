"""History is forgotten while work goes on: by a scheduler that is told how long to keep it, or by a person."""

import json
import os
from collections.abc import Iterator
from contextlib import closing

import pytest

from ostinato.control.retention import KEEP_VARIABLE
from ostinato.home import Home
from ostinato.store import Store, open_store
from tests.acceptance.shell import going, ostinato, until
from tests.contract.leader import Leader, deploy
from tests.contract.test_prune import finished
from tests.places import put_state_on

RUNS = 40


@pytest.fixture(params=["sqlite-file", "postgres"])
def old(request: pytest.FixtureRequest, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A state with runs of 2013."""
    if request.param == "postgres":
        home = put_state_on(request.getfixturevalue("postgres_server"), home, monkeypatch)
    with closing(open_store(home.state)) as store:
        version, leader = deploy(store), Leader(store)
        for day in range(RUNS):
            finished(leader, version, day)
        yield store
        store.check()


def test_a_scheduler_forgets_what_is_older_than_it_is_to_keep(old: Store, home: Home) -> None:
    (home.logs / "gone-1.log").write_text("of 2013")
    os.utime(home.logs / "gone-1.log", (1_370_000_000, 1_370_000_000))
    (home.logs / "gone-2.log").write_text("of today")
    with going("up", str(home.path), **{KEEP_VARIABLE: "30d"}):
        until(lambda: old.prunable(2**50) == (0, 0))
        until(lambda: not (home.logs / "gone-1.log").exists())
    assert len(old.runs(limit=100)) == RUNS
    assert (home.logs / "gone-2.log").exists()


def test_a_scheduler_keeps_what_is_over_in_less_room_and_nobody_sees_a_difference(old: Store, home: Home) -> None:
    stories = [old.events(run_id) for run_id in range(1, RUNS + 1)]
    assert all(stories)
    with going("up", str(home.path)):
        until(lambda: old.size()[1]["event"] == 0)
    assert old.size()[1]["event_pack"] == RUNS
    assert [old.events(run_id) for run_id in range(1, RUNS + 1)] == stories


@pytest.mark.parametrize("text", ["soon", "90", "1h", "-3d", "99999999999d"])
def test_a_scheduler_that_is_told_nonsense_does_not_start(home: Home, text: str) -> None:
    with going("up", str(home.path), **{KEEP_VARIABLE: text}) as up:
        assert up.end() == 2
    assert "error[OST-400]: OSTINATO_KEEP is" in up.text
    assert "Traceback" not in up.text


def test_a_person_sees_what_would_go_and_then_it_is_gone(old: Store) -> None:
    words = ("db", "prune", "--older-than", "30d", "--json")
    asked = json.loads(ostinato(*words, "--dry-run").out)
    assert (asked["runs"], asked["tasks"], asked["removed"]) == (RUNS, 3 * RUNS, 0)
    assert ostinato(*words).code == 2  # nobody can be asked here
    assert old.prunable(2**50) == (RUNS, 3 * RUNS)
    done = json.loads(ostinato(*words, "--yes").out)
    assert (done["runs"], done["tasks"]) == (RUNS, 3 * RUNS)
    assert done["removed"] > 3 * RUNS
    assert old.prunable(2**50) == (0, 0)
    assert [entry.action for entry in old.audit(limit=1)] == ["prune"]


def test_of_a_run_that_was_forgotten_people_are_told_so(old: Store) -> None:
    for _ in old.prune(2**50):
        pass
    shown = ostinato("show", "1")
    assert shown.code == 0
    assert "Its history is older than what is kept" in shown.out
    assert json.loads(ostinato("show", "1", "--json").out)["pruned"]
    again = ostinato("rerun", "1")
    assert again.code == 6
    assert "error[OST-269]: the history of run 1 of daily was pruned" in again.err
    for words in (("logs", "1"), ("why", "1"), ("gaps", "daily", "--from", "2013-05-01", "--to", "2013-05-03")):
        said = ostinato(*words)
        assert "Traceback" not in said.err
        assert said.code in {0, 4}, said.err
