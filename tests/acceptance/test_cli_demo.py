"""``ostinato demo`` as a performance: begun, killed, gone on with, and given again. Its data are a stand-in's.

The demo leaves files alone that are there already, so a small example in their place shows the same acts in seconds.
The real example is tested by itself.
"""

import signal
from pathlib import Path

import pytest

from ostinato.cli import demo_stage
from tests.acceptance.shell import going, ostinato

EXAMPLE = {
    "daily_flights.py": """
from datetime import date
from pathlib import Path
from ostinato import Context, TransientError, cron, dag, retry, step, task, wait_for_file

HERE = Path(__file__).parent

@task(retry=retry(resource=2, first_delay="10ms"))
def load_day(ctx: Context, path: str) -> dict[str, int]:
    day = str(ctx.logical_date)
    if day == "2013-02-14" and ctx.number == 1:
        raise TransientError("planned")
    if day == "2013-08-13":
        raise ValueError("planned")
    if day == "2013-07-04":
        ctx.dead_letters(asset="flights", partition=day, path="dlq", count=3, reasons={"bad bytes": 3})
    (HERE / "table").mkdir(exist_ok=True)
    (HERE / "table" / day).write_bytes((HERE / path).read_bytes())
    return {"rows": 2}

@dag(schedule=cron("0 6 * * *", tz="America/New_York"), start=date(2013, 1, 1), end=date(2013, 12, 31))
def daily_flights() -> None:
    arrived = wait_for_file("raw/flights_{{ logical_date }}.csv", every="100ms", timeout="1h")
    arrived >> step(load_day("raw/flights_{{ logical_date }}.csv"))
""",
    "deliver.py": """
import json, sys
from datetime import date, timedelta
from pathlib import Path

late = sys.argv[sys.argv.index("--hold-back") + 1] if "--hold-back" in sys.argv else ""
days = [str(date(2013, 1, 1) + timedelta(n)) for n in range(365)] if late else [sys.argv[-1]]
Path("raw").mkdir(exist_ok=True)
for day in days:
    if day != late:
        Path(f"raw/flights_{day}.csv").write_text(f"one flight of {day}, and another")
if late:
    plan = {"late_files": [late], "broken_rows": {"2013-07-04": "bad_bytes"}, "rows_broken": 3}
    plan["task_faults"] = {"2013-02-14": "transient", "2013-08-13": "logic"}
    Path("injected.json").write_text(json.dumps(plan))
print("730 records of flights have arrived")
""",
    "results.py": """
import hashlib, json, sys
from pathlib import Path

table = b"".join(file.read_bytes() for file in sorted(Path("table").iterdir()))
digest = hashlib.sha256(table).hexdigest()
print(json.dumps({"digest": digest}) if "--json" in sys.argv else f"the digest is {digest}")
""",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose demo has a small example."""
    monkeypatch.delenv("OSTINATO_HOME", raising=False)
    (tmp_path / "ostinato-demo").mkdir()
    for name, code in EXAMPLE.items():
        (tmp_path / "ostinato-demo" / name).write_text(code)
    return tmp_path


@pytest.mark.timeout(300)
def test_the_demo_survives_a_kill_and_proves_that_a_second_time_changes_nothing(folder: Path) -> None:
    with going("demo", cwd=folder) as first:
        first.until("backfill 1: ")
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
    for line in ("2013-02-15  the file comes late", "One day: 2013-01-01", "run 1 for 2013-01-01: success"):
        assert line in first.text

    second = ostinato("demo", cwd=folder)
    assert second.code == 0, second.err
    assert "One day" not in second.out
    assert "backfill 1 goes on where it was" in second.out
    assert "364/364 runs, 1 failed" in second.err
    assert "the file of 2013-02-15 has come" in second.err
    for line in (
        "2013-02-14  load_day, try 1: transient error (the exception declares transient), then succeeded",
        "2013-08-13  load_day, try 1: logic error (no rule says that trying again helps), no further try",
        "2013-07-04  3 of flights: bad bytes 3",
        "sent to ostinato-demo/.ostinato/alerts.jsonl",
        "3 of 3 planted records were caught, and 0 of the real ones",
        "the digest is ",
    ):
        assert line in second.out
    assert "same as the last time" not in second.out

    third = ostinato("demo", cwd=folder)
    assert third.code == 0, third.err
    assert "365/365 runs, 1 failed" in third.err
    assert "the content is the same as the last time" in third.out

    advice = third.out.partition("Now try\n")[2].splitlines()
    assert advice[0].strip() == "cd ostinato-demo"
    for line in (line for line in advice[1:] if line.startswith("  ostinato ")):
        done = ostinato(*line.split()[1:], cwd=folder / "ostinato-demo")
        assert done.code in (0, 1, 4), line  # 1: the bug is not mended; 4: the stand-in has no dead letter file
        assert "OST-999" not in done.err


def test_a_content_that_differs_is_said_to_differ(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ostinato.cli.demo import compared  # noqa: PLC0415

    stage = demo_stage.Stage(folder / "ostinato-demo")
    stage.home.create()
    (stage.folder / "table").mkdir()
    (stage.folder / "table" / "a").write_text("one")
    stage.remember(stage.result())
    assert compared(stage) == 0
    (stage.folder / "table" / "a").write_text("two")
    assert compared(stage) == 1
    assert "the content differs" in capsys.readouterr().out


def test_without_its_packages_the_demo_says_how_to_get_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from ostinato.cli.main import run  # noqa: PLC0415

    monkeypatch.chdir(folder)
    monkeypatch.setattr(demo_stage, "NEEDED", ("a_package_that_is_not_there",))
    assert run(["demo"]) == 3
    said = capsys.readouterr().err
    assert "error[OST-404]: the demo needs a_package_that_is_not_there" in said
    assert "pip install 'ostinato[demo]'" in said


def test_a_script_that_fails_is_named(folder: Path) -> None:
    (folder / "ostinato-demo" / "deliver.py").write_text("raise SystemExit('no disk')")
    said = ostinato("demo", cwd=folder)
    assert said.code == 1
    assert "error[OST-405]: deliver.py failed: no disk" in said.err


def test_the_example_is_found_where_this_is_installed_from() -> None:
    names = {file.name for file in demo_stage.example_folder().glob("*.py")}
    assert {"daily_flights.py", "deliver.py", "results.py"} <= names
