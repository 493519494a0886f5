"""Six months of backfill beside the daily run, as the example has it, with real processes."""

import json
import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ostinato.home import Home
from tests.acceptance.shell import Going, going, ostinato, until

EXAMPLE = Path(__file__).parents[2] / "examples" / "catch_up" / "catch_up.py"
HALF_YEAR = ("--from", "2025-01-01", "--to", "2025-06-30")
DAYS = 181
HELD = "2025-04-01"
"""The day whose run goes on until the test lets it end: so long the backfill cannot be over."""

HOLD = f"""
    from threading import Event
    while str(ctx.logical_date) == "{HELD}" and not (SALES.parent / "go").exists():
        Event().wait(0.02)
"""


@pytest.fixture
def dev(tmp_path: Path, home: Home) -> Iterator[Going]:
    """A scheduler that runs the example; one day of it is held until the file ``go`` is there."""
    del home
    shutil.copy(EXAMPLE, tmp_path)
    copied = tmp_path / EXAMPLE.name
    before = '    """Replace the day\'s file."""\n'
    text = copied.read_text()
    assert before in text
    copied.write_text(text.replace(before, before + HOLD))
    with going("dev", "catch_up.py", "--slots", "2", cwd=tmp_path) as process:
        process.until("catch_up")
        yield process


def answer(folder: Path, *words: str) -> Any:
    said = ostinato(*words, "--json", cwd=folder)
    assert said.code == 0, said.err
    return json.loads(said.out)


def rows(folder: Path) -> dict[str, str]:
    """Every partition's content, by its date."""
    return {path.parent.name[5:]: path.read_text() for path in (folder / "sales").rglob("*.csv")}


def test_half_a_year_is_run_beside_the_daily_run_and_neither_harms_the_other(dev: Going, tmp_path: Path) -> None:
    plan = answer(tmp_path, "backfill", "catch_up", *HALF_YEAR, "--dry-run")
    assert len(plan["runs"]) == DAYS
    begun = answer(tmp_path, "backfill", "catch_up", *HALF_YEAR, "--max-active", "4", "--share", "0.2")["backfill"]
    assert (begun["max_active_runs"], begun["share"], begun["state"]) == (4, 0.2, "running")
    until(lambda: answer(tmp_path, "backfill", "show", "1")["backfill"]["runs"].get("success", 0) >= 20)

    daily = answer(tmp_path, "trigger", "catch_up", "--wait")["run"]
    assert daily["state"] == "success"
    assert answer(tmp_path, "backfill", "show", "1")["backfill"]["state"] == "running"
    assert answer(tmp_path, "gaps", "catch_up", *HALF_YEAR)["counts"]["running"] > 0

    (tmp_path / "go").touch()
    ended = ostinato("backfill", "show", "1", "--wait", "--json", cwd=tmp_path)
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)["backfill"]
    assert (document["runs"], document["rows"], document["state"]) == ({"success": DAYS}, 20 * DAYS, "finished")
    days = {str(date(2025, 1, 1) + timedelta(days=n)) for n in range(DAYS)}
    assert set(rows(tmp_path)) == days | {daily["logical_date"]}
    assert answer(tmp_path, "gaps", "catch_up", *HALF_YEAR)["gaps"] == []


def test_a_backfill_that_was_cancelled_is_taken_up_by_the_next_and_changes_no_file(dev: Going, tmp_path: Path) -> None:
    answer(tmp_path, "backfill", "catch_up", *HALF_YEAR)
    until(lambda: answer(tmp_path, "backfill", "show", "1")["backfill"]["runs"].get("success", 0) >= 20)
    assert ostinato("backfill", "cancel", "1", "--yes", cwd=tmp_path).code == 0
    assert ostinato("backfill", "show", "1", "--wait", cwd=tmp_path).code == 1
    before = rows(tmp_path)

    (tmp_path / "go").touch()
    again = ostinato(
        "backfill", "catch_up", *HALF_YEAR, "--reprocess", "failed", "--newest-first", "--wait", cwd=tmp_path
    )
    assert again.code == 0, again.err
    after = rows(tmp_path)
    assert {day: after[day] for day in before} == before
    assert answer(tmp_path, "gaps", "catch_up", *HALF_YEAR)["gaps"] == []


def test_a_changed_dag_leaves_stale_days_that_batches_renew(tmp_path: Path, home: Home) -> None:
    del home
    shutil.copy(EXAMPLE, tmp_path)
    march = ("--from", "2025-03-01", "--to", "2025-03-31")
    assert ostinato("run", "catch_up.py", "--date", "2025-03-01", cwd=tmp_path).code == 0
    assert ostinato("backfill", "catch_up", *march, "--wait", cwd=tmp_path).code == 0
    with (tmp_path / EXAMPLE.name).open("a") as file:
        file.write("# another rule\n")
    assert ostinato("run", "catch_up.py", "--date", "2025-04-01", cwd=tmp_path).code == 0
    assert answer(tmp_path, "gaps", "catch_up", *march)["counts"]["stale"] == 31
    weeks = ostinato(
        "backfill", "catch_up", *march, "--reprocess", "all", "--batch", "7", "--wait", "--json", cwd=tmp_path
    )
    assert json.loads(weeks.out)["backfill"]["runs"] == {"success": 5}
    assert answer(tmp_path, "gaps", "catch_up", *march)["gaps"] == []
