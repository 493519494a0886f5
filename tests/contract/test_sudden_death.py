"""What was acknowledged survives ``kill -9``; what was not is not half there."""

import subprocess
import sys
from pathlib import Path

import pytest

from ostinato.model.state import RunState, TaskState
from ostinato.store import open_store
from tests.contract.leader import Leader
from tests.contract.mortal import BATCH

ROOT = Path(__file__).parents[2]


def run_until(shared: Path | str, where: str, last_line: str) -> int:
    """Start a mortal, kill it when it says ``last_line``; return how many commits it has acknowledged by then."""
    command = [sys.executable, "-m", "tests.contract.mortal", str(shared), where]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mortal:
        assert mortal.stdout is not None
        lines = iter(mortal.stdout.readline, "")
        said = next((line for line in lines if line.strip() == last_line), None)
        mortal.kill()
        rest = mortal.stdout.read().split()
    assert said is not None
    assert mortal.returncode == -9
    acknowledged = 10 if where == "inside" else int(last_line)
    return max([acknowledged, *(int(line) for line in rest)])


@pytest.mark.parametrize("commits", [1, 2, 37])
def test_acknowledged_commits_survive_a_kill(shared: Path | str, commits: int) -> None:
    acknowledged = run_until(shared, "between", str(commits))
    store = open_store(shared)
    store.check()
    [found] = store.open_work()
    assert len(found.tasks) in {acknowledged * BATCH, (acknowledged + 1) * BATCH}
    assert len(found.live) == store.last_attempt() == len(found.tasks)
    assert found.next_seq == 2 + len(found.tasks)
    store.close()


def test_a_commit_that_died_halfway_is_not_there_at_all(shared: Path | str) -> None:
    acknowledged = run_until(shared, "inside", "inside")
    store = open_store(shared)
    store.check()
    [found] = store.open_work()
    assert len(found.tasks) == len(found.live) == acknowledged * BATCH
    assert found.next_seq == 2 + len(found.tasks)

    leader = Leader(store, "the next one")
    leader.next_seq[found.run.run_id] = found.next_seq
    leader.dispatch(found.run.run_id, len(found.tasks))
    leader.commit()
    assert store.tasks(found.run.run_id)[-1].state is TaskState.QUEUED
    assert store.run(found.run.run_id).state is RunState.RUNNING
    store.close()
