"""``ostinato dev`` and the commands that work beside it."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ostinato.home import Home
from tests.acceptance.shell import Going, going, ostinato

WORK = """
import select
from ostinato import dag, task

@task
def work() -> None:
    print("at work", flush=True)

@task
def wait() -> None:
    print("waiting", flush=True)
    select.select([], [], [])

@dag()
def quick() -> None:
    work()

@dag()
def endless() -> None:
    wait()
"""


@pytest.fixture
def dev(tmp_path: Path, home: Home) -> Iterator[Going]:
    """A scheduler for a folder with one dag file."""
    del home
    folder = tmp_path / "dags"
    folder.mkdir()
    (folder / "work.py").write_text(WORK)
    with going("dev", "dags", "--slots", "2", cwd=tmp_path) as process:
        process.until("next: ostinato trigger")
        yield process


def test_a_trigger_is_done_by_the_scheduler_that_is_there(dev: Going, tmp_path: Path) -> None:
    said = ostinato("trigger", "quick", "--wait", cwd=tmp_path)
    assert said.code == 0
    assert "run 1 of quick" in said.out
    assert "at work" in said.err
    dev.until("run 1 quick")
    dev.until("success")


def test_a_changed_file_is_taken_over_and_a_broken_one_is_shown(dev: Going, tmp_path: Path) -> None:
    file = tmp_path / "dags" / "work.py"
    file.write_text(WORK.replace("at work", "hard at work"))
    dev.until("quick changed")
    file.write_text(WORK.replace("    work()", "    wrok()"))
    text = dev.until("error[OST-1")
    assert f"--> dags/work.py:{WORK[: WORK.index('    work()')].count(chr(10)) + 1}" in dev.until("wrok()")
    assert "Traceback" not in text
    assert ostinato("trigger", "quick", "--wait", cwd=tmp_path).code == 0


def test_a_wait_that_takes_too_long_ends_with_eight_and_the_work_goes_on(dev: Going, tmp_path: Path) -> None:
    said = ostinato("trigger", "endless", "--wait", "--timeout", "0.5", cwd=tmp_path)
    assert said.code == 8
    assert "error[OST-403]" in said.err
    assert json.loads(ostinato("show", "1", "--json", cwd=tmp_path).out)["run"]["state"] == "running"


def test_logs_are_followed_while_they_are_written_until_the_run_is_over(dev: Going, tmp_path: Path) -> None:
    ostinato("trigger", "endless", cwd=tmp_path)
    with going("logs", "1", "wait", "--follow", cwd=tmp_path) as logs:
        logs.until("waiting\n")
        assert "wait runs" in ostinato("why", "1", cwd=tmp_path).out
        assert ostinato("cancel", "1", "--yes", cwd=tmp_path).code == 0
        assert logs.end() == 0
    assert ostinato("trigger", "quick", "--wait", cwd=tmp_path).code == 0
    assert json.loads(ostinato("show", "1", "--json", cwd=tmp_path).out)["run"]["state"] == "cancelled"


def test_a_run_of_a_file_is_done_by_the_scheduler_that_is_there(dev: Going, tmp_path: Path) -> None:
    said = ostinato("run", "dags/work.py:quick", cwd=tmp_path)
    assert said.code == 0
    assert "at work" in said.err


def test_who_waits_is_told_when_the_scheduler_goes(dev: Going, tmp_path: Path) -> None:
    with going("trigger", "endless", "--wait", cwd=tmp_path) as waiting:
        dev.until("run 1 endless")
        assert dev.end(signal.SIGINT) == 130
        assert waiting.end() == 7
        assert "error[OST-301]" in waiting.text


def test_the_doctor_names_the_processes(dev: Going, tmp_path: Path) -> None:
    checks = {check["name"]: check for check in json.loads(ostinato("doctor", "--json", cwd=tmp_path).out)["checks"]}
    assert checks["scheduler"]["what"] == f"runs as process {dev.process.pid}"
    assert checks["agent"]["state"] == "ok"
    agent = int(checks["agent"]["what"].rpartition(" ")[2])
    assert (
        "ostinato.agent"
        in subprocess.run(["ps", "-o", "args=", "-p", str(agent)], capture_output=True, text=True, check=True).stdout
    )
