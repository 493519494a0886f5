"""Schedules as real processes follow them, one of which is killed on the way."""

import json
import signal
from itertools import pairwise
from pathlib import Path

from ostinato.home import Home
from tests.acceptance.shell import going, ostinato, until

DAGS = """
from ostinato import continuous, dag, every, task

@task
def work() -> None: ...

@dag(schedule=continuous(at_least="1s"))
def stream() -> None:
    work()

@dag(schedule=every("1s"), catchup="all")
def beat() -> None:
    work()
"""


def intervals(dag_id: str, folder: Path) -> list[tuple[str, str]]:
    """The intervals of a dag's runs, oldest first."""
    found = json.loads(ostinato("runs", dag_id, "--limit", "500", "--json", cwd=folder).out)["runs"]
    return sorted((run["interval_start"], run["interval_end"]) for run in found)


def test_over_a_killed_scheduler_the_runs_of_a_schedule_tile_time_and_none_is_there_twice(
    tmp_path: Path, home: Home
) -> None:
    del home
    (tmp_path / "beats.py").write_text(DAGS)
    with going("dev", "beats.py", cwd=tmp_path) as dev:
        dev.until("next: ostinato")
        until(lambda: min(len(intervals(dag_id, tmp_path)) for dag_id in ("stream", "beat")) >= 2)
        dev.end(signal.SIGKILL)
    before = {dag_id: len(intervals(dag_id, tmp_path)) for dag_id in ("stream", "beat")}
    with going("dev", "beats.py", cwd=tmp_path):
        until(lambda: all(len(intervals(dag_id, tmp_path)) > count + 1 for dag_id, count in before.items()))
    for dag_id in before:
        made = intervals(dag_id, tmp_path)
        assert all(start < end for start, end in made)
        assert all(one[1] == other[0] for one, other in pairwise(made))
