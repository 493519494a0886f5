"""What people do to runs, from end to end: a part again, another end, an answer, a task switched off."""

import json
from pathlib import Path
from signal import SIGINT
from typing import Any

import pytest

from ostinato.home import Home
from tests.acceptance.shell import going, ostinato, until

FILES = """
from pathlib import Path
from ostinato import dag, loop, short_circuit, step, task

HERE = Path(__file__).parent

@short_circuit
def is_needed() -> bool:
    return False

@task
def extra() -> None: ...

@task
def list_files() -> list[int]:
    (HERE / "listed").open("a").write("x")
    return [1, 2, 3]

@task
def load(n: int) -> int:
    if n == 2 and not (HERE / "fixed").exists():
        raise ValueError("file 2 is broken")
    return 10 * n

@task
def total(rows: list[int]) -> int:
    print("total is", sum(rows))
    return sum(rows)

@task
def fetch(page: int) -> int:
    return page + 1

@task
def is_last(page: int) -> bool:
    if page == 3 and not (HERE / "fixed").exists():
        raise ValueError("page 3 is broken")
    return page == 4

@dag
def files() -> None:
    is_needed() >> extra()
    total(load.expand(n=list_files()))
    with loop("pages", start=0) as turn:
        page = fetch(turn.value)
        turn.until(is_last(page), carry=page)
"""
RELEASE = """
from ostinato import approval, dag, step, task

@task
def build() -> str:
    return "table"

@task
def publish(table: str) -> None:
    print("published", table)

@task
def wait_long() -> None:
    import select
    select.select([], [], [])

@dag
def release() -> None:
    table = build()
    step(table) >> approval("publish the prices?") >> publish(table)

@dag
def stuck() -> None:
    wait_long() >> build()
"""


@pytest.fixture
def folder(tmp_path: Path, home: Home) -> Path:
    del home
    (tmp_path / "files.py").write_text(FILES)
    (tmp_path / "release.py").write_text(RELEASE)
    return tmp_path


def shown(folder: Path, run: int) -> dict[str, Any]:
    """A run, with the states and tries of its tasks by their names; empty as long as it is not there."""
    said = ostinato("show", str(run), "--json", cwd=folder)
    if said.code:
        return {}
    document = json.loads(said.out)
    tasks = {task["task_id"] + _index(task["map_index"]): task for task in document["tasks"]}
    return {
        "run": document["run"],
        "states": {name: task["state"] for name, task in tasks.items()},
        "ran": sorted(name for name, task in tasks.items() if task["attempts"]),
    }


def _index(map_index: int | None) -> str:
    return "" if map_index is None else f"[{map_index}]"


def test_a_failed_run_goes_on_from_where_it_failed(folder: Path) -> None:
    assert ostinato("run", "files.py", cwd=folder).code == 1
    (folder / "fixed").touch()
    planned = json.loads(ostinato("rerun", "1", "--failed", "--dry-run", "--json", cwd=folder).out)
    said = ostinato("rerun", "1", "--failed", "--wait", cwd=folder)
    assert said.code == 0, said.err
    assert "total is 60" in ostinato("logs", "2", "total", cwd=folder).out
    again = shown(folder, 2)
    assert (again["run"]["state"], again["run"]["based_on"]) == ("success", 1)
    assert again["states"]["extra"] == "skipped"
    assert planned["again"] == ["load[1]", "total", "pages.is_last[2]"]
    assert again["ran"] == ["load[1]", "pages.fetch[3]", "pages.is_last[2]", "pages.is_last[3]", "total"]
    assert (folder / "listed").read_text() == "x"
    assert shown(folder, 1)["run"]["state"] == "failed"


def test_a_part_is_chosen_and_run_with_the_code_as_it_is_now(folder: Path) -> None:
    (folder / "fixed").touch()
    assert ostinato("run", "files.py", cwd=folder).code == 0
    (folder / "files.py").write_text(FILES.replace("total is", "the new total is"))
    assert ostinato("check", "files.py", cwd=folder).code == 0
    with going("dev", "files.py", cwd=folder) as dev:
        until(lambda: len(json.loads(ostinato("dags", "--json", cwd=folder).out)["dags"]) == 1)
        version = shown(folder, 1)["run"]["version"]
        until(lambda: json.loads(ostinato("dags", "--json", cwd=folder).out)["dags"][0]["version"] != version)
        said = ostinato("rerun", "files", "--select", "total", "--newest", "--wait", cwd=folder)
        assert said.code == 4, "a dag's name alone names no run"
        assert ostinato("rerun", "1", "--select", "total", "--newest", "--wait", cwd=folder).code == 0
        assert ostinato("rerun", "1", "--select", "total", "--wait", cwd=folder).code == 0
        assert dev.end(SIGINT) == 130
    assert "the new total is 60" in ostinato("logs", "2", "total", cwd=folder).out
    assert "new" not in ostinato("logs", "3", "total", cwd=folder).out
    assert shown(folder, 2)["ran"] == ["total"]


def test_what_failed_is_marked_and_the_rest_goes_on(folder: Path) -> None:
    assert ostinato("run", "files.py", cwd=folder).code == 1
    said = ostinato("mark", "1", "load[1],pages.is_last[2]", "skipped", "--wait", cwd=folder)
    assert said.code == 0, said.err
    assert "total is 40" in ostinato("logs", "2", "total", cwd=folder).out
    assert shown(folder, 2)["ran"] == ["total"]


@pytest.mark.parametrize(("word", "then"), [("approve", "success"), ("decline", "skipped")])
def test_a_run_waits_for_a_persons_answer(folder: Path, word: str, then: str) -> None:
    with going("dev", "release.py", cwd=folder) as dev:
        until(lambda: ostinato("trigger", "release", cwd=folder).code == 0)
        until(lambda: shown(folder, 1).get("states", {}).get("approval") == "deferred")
        assert ostinato(word, "1", "publish", cwd=folder).code == 6
        assert ostinato(word, "1", "approval", cwd=folder).code == 0
        until(lambda: shown(folder, 1)["run"]["state"] == "success")
        assert dev.end(SIGINT) == 130
    assert shown(folder, 1)["states"] == {
        "build": "success",
        "approval": "success" if word == "approve" else "skipped",
        "publish": then,
    }


def test_what_runs_too_long_is_marked_and_stopped(folder: Path) -> None:
    with going("dev", "release.py", cwd=folder) as dev:
        until(lambda: ostinato("trigger", "stuck", cwd=folder).code == 0)
        until(lambda: shown(folder, 1).get("states", {}).get("wait_long") == "running")
        assert ostinato("mark", "1", "wait_long", "success", cwd=folder).code == 0
        until(lambda: shown(folder, 1)["run"]["state"] == "success")
        assert dev.end(SIGINT) == 130
    assert shown(folder, 1)["states"] == {"wait_long": "success", "build": "success"}


def test_a_task_that_is_switched_off_is_not_run(folder: Path) -> None:
    (folder / "fixed").touch()
    ostinato("run", "files.py", cwd=folder)
    assert ostinato("tasks", "off", "files", "load", "--as", "skipped", cwd=folder).code == 0
    assert ostinato("run", "files.py", cwd=folder).code == 0
    assert {name for name, state in shown(folder, 2)["states"].items() if state == "skipped"} == {
        "extra",
        "load",
        "load[0]",
        "load[1]",
        "load[2]",
        "total",
    }
