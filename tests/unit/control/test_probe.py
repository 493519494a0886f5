"""A file sensor's path is filled in from the run and starts at the dag file's folder."""

from pathlib import Path

from ostinato.authoring.fill import awaited_file
from ostinato.control.probe import FileProber
from ostinato.decide.step import Probe
from ostinato.model.record import Run
from ostinato.model.spec import CompiledDag, DagSpec, Every, Sensor, TaskSpec
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval
from ostinato.model.value import encode

DAY = 86_400_000
RUN = Run(1, "d", "v", "k", "manual", RunState.RUNNING, DataInterval(15_000 * DAY, 15_001 * DAY), encode({}), 0)


def compiled(folder: Path, path: str) -> CompiledDag:
    task = TaskSpec("wait", kind="file_sensor", sensor=Sensor(every=1, timeout=1, path=path))
    return CompiledDag(DagSpec("d", (task,), schedule=Every(86_400)), str(folder / "d.py"), "s", "v")


def test_the_path_is_filled_in_and_relative_to_the_dag_file(tmp_path: Path) -> None:
    found = awaited_file(compiled(tmp_path, "raw/{{ logical_date }}.csv"), RUN, 0)
    assert found == tmp_path / "raw" / "2011-01-26.csv"


def test_an_absolute_path_stays_what_it_is(tmp_path: Path) -> None:
    assert awaited_file(compiled(tmp_path, "/data/{{ run_id }}"), RUN, 0) == Path("/data/1")


def test_it_is_there_once_it_is_there(tmp_path: Path) -> None:
    dag = compiled(tmp_path, "file")
    prober = FileProber(lambda _version: dag)
    assert not prober.look(Probe(RUN, 0, 0))
    (tmp_path / "file").touch()
    assert prober.look(Probe(RUN, 0, 0))


def test_what_cannot_be_looked_at_is_not_there_yet(tmp_path: Path) -> None:
    dag = compiled(tmp_path, "x" * 5_000)
    assert not FileProber(lambda _version: dag).look(Probe(RUN, 0, 0))
