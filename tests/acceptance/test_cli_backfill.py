"""Backfills from end to end."""

import json
import signal
from pathlib import Path

import pytest

from ostinato.home import Home
from tests.acceptance.shell import going, ostinato

DAILY = """
from pathlib import Path
from ostinato import Context, cron, dag, task, wait_for_file, step

HERE = Path(__file__).parent

@task
def load(ctx: Context) -> dict[str, int]:
    if str(ctx.logical_date) in (HERE / "bad").read_text():
        raise ValueError("a bad day")
    ctx.dead_letters(asset="days", partition=str(ctx.logical_date), path="nowhere", count=1, reasons={"odd": 1})
    return {"rows": 100}

@dag(schedule=cron("0 6 * * *", tz="Europe/Berlin"), max_active_runs=4)
def daily() -> None:
    arrived = wait_for_file("go", every="100ms", timeout="10m")
    arrived >> step(load())
"""
RANGE = ("--from", "2025-03-25", "--to", "2025-04-03")


@pytest.fixture
def folder(tmp_path: Path, home: Home) -> Path:
    """A folder with a dag that was deployed by running it once, for the 1st of April."""
    del home
    (tmp_path / "daily.py").write_text(DAILY)
    (tmp_path / "bad").write_text("")
    (tmp_path / "go").touch()
    assert ostinato("run", "daily.py", "--date", "2025-04-01", cwd=tmp_path).code == 0
    return tmp_path


def test_a_range_is_run_without_a_server_and_counted(folder: Path) -> None:
    said = ostinato("backfill", "daily", *RANGE, "--wait", "--json", cwd=folder)
    assert said.code == 0, said.err
    document = json.loads(said.out)["backfill"]
    assert document["runs"] == {"success": 9}
    assert (document["rows"], document["rejected"]) == (900, 9)
    assert (document["first"], document["last"]) == ("2025-03-25", "2025-04-03")
    assert "9/9 runs, 18 tasks, 900 rows, 9 rejected" in said.err


def test_a_backfill_with_a_bad_day_ends_with_one_and_the_day_can_be_run_again(folder: Path) -> None:
    (folder / "bad").write_text("2025-03-30")
    said = ostinato("backfill", "daily", *RANGE, "--wait", cwd=folder)
    assert said.code == 1
    assert "1 failed, 8 success" in said.out
    (folder / "bad").write_text("")
    again = ostinato("backfill", "daily", *RANGE, "--reprocess", "failed", "--wait", cwd=folder)
    assert again.code == 0
    assert "1/1 runs" in again.out
    nothing = ostinato("backfill", "daily", *RANGE, "--reprocess", "failed", cwd=folder)
    assert (nothing.code, nothing.out.splitlines()[0]) == (0, "no run of daily would be created")
    assert "10 left alone: succeeded already" in nothing.out


def test_an_interrupted_backfill_goes_on_where_it_was(folder: Path) -> None:
    (folder / "go").unlink()
    with going("backfill", "daily", *RANGE, "--wait", cwd=folder) as first:
        first.until("0/9 runs")
        assert first.end(signal.SIGINT) == 130
        assert "go on with `ostinato backfill show 1 --wait`" in first.text
    (folder / "go").touch()
    said = ostinato("backfill", "show", "1", "--wait", "--json", cwd=folder)
    assert said.code == 0
    assert json.loads(said.out)["backfill"]["runs"] == {"success": 9}
    assert len(json.loads(ostinato("runs", "--limit", "99", "--json", cwd=folder).out)["runs"]) == 10


def test_a_wait_for_a_backfill_can_be_bounded(folder: Path) -> None:
    (folder / "go").unlink()
    said = ostinato("backfill", "daily", *RANGE, "--wait", "--timeout", "0.5", cwd=folder)
    assert said.code == 8
    assert ostinato("backfill", "cancel", "1", "--yes", cwd=folder).code == 0
    assert ostinato("backfill", "show", "1", "--wait", cwd=folder).code == 1
