"""A home with planted state: dags, runs in every state, retries, dead letters, alerts; and a way to call the command."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ostinato.cli.main import run
from ostinato.home import Home
from ostinato.model.cause import Cause
from ostinato.model.message import DeadLetters
from ostinato.model.record import Run
from ostinato.model.state import RunState, TaskState
from ostinato.store import open_store
from tests.unit.cli.planting import BLIP, BOOM, Answer, Planter, spec_of


@pytest.fixture
def ostinato(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Home, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Answer]:
    """Run a command line in this process, in an empty folder."""
    del home
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")

    def call(*words: str) -> Answer:
        capfd.readouterr()
        code = run(words)
        captured = capfd.readouterr()
        return Answer(code, captured.out, captured.err)

    return call


@pytest.fixture
def plant(home: Home) -> Iterator[Planter]:
    """A writer of rows; the store is closed at the end."""
    store = open_store(home.database)
    planter = Planter(home, store)
    planter.dag(spec_of())
    yield planter
    store.close()


@pytest.fixture
def story(plant: Planter, home: Home) -> dict[str, Run]:
    """Runs of ``sales``: one that succeeded after a retry and with dead letters, one that failed, one that waits."""
    letters_file = home.path / "dlq" / "errors.json"
    letters_file.parent.mkdir()
    lines = [{"reasons": ["carrier: empty"], "record": n, "raw": f"2025,5,1,{n},,"} for n in range(3)]
    letters_file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    letters = DeadLetters("sales", "2025-05-01", str(letters_file), 3, {"carrier: empty": 2, "fare: negative": 1})

    good = plant.run(0)
    begin = good.interval.end
    plant.move(good, RunState.QUEUED, RunState.RUNNING, Cause.ADMITTED, begin + 10)
    plant.attempt(good, 0, begin + 10, log="reading raw/sales.csv\n1,000 rows\n")
    plant.attempt(
        good, 1, begin + 2_000, failure=BLIP, error_class="transient", becomes=TaskState.UP_FOR_RETRY, log="blip\n"
    )
    plant.attempt(good, 1, begin + 4_000, number=2, was=TaskState.UP_FOR_RETRY, letters=letters, log="loaded 997\n")
    plant.attempt(good, 2, begin + 6_000)
    plant.move(good, RunState.RUNNING, RunState.SUCCESS, Cause.TASKS_SUCCEEDED, begin + 8_000)

    bad = plant.run(1)
    begin = bad.interval.end
    plant.move(bad, RunState.QUEUED, RunState.RUNNING, Cause.ADMITTED, begin + 10)
    plant.attempt(bad, 0, begin + 10)
    plant.attempt(bad, 1, begin + 2_000, failure=BOOM, error_class="logic", becomes=TaskState.FAILED, log="loading\n")
    plant.move(bad, RunState.RUNNING, RunState.FAILED, Cause.TASKS_FAILED, begin + 4_000)
    plant.alert(bad, delivered=False, error="connection refused")

    return {"good": plant.store.run(good.run_id), "bad": plant.store.run(bad.run_id), "waiting": plant.run(2)}
