"""Dags that cannot be imported are rehearsed too."""

from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from ostinato.authoring.load import LocalModules, install
from ostinato.model.errors import DagFileInvalid
from ostinato.testing import arrives, dags_of

DAGS = dedent("""
    dag: daily_sales
    params: {region: eu}
    tasks:
      there: {wait_for_file: in.csv, every: 1m}
      extract: {run: "sales_lib.steps:extract", with: {region: {$param: region}}, after: there}
      publish: {run: "sales_steps:publish", with: {rows: {$output: extract}}}
""")
STEPS = dedent("""
    def extract(region: str) -> list[int]:
        return [1, 2, len(region)]


    def publish(rows: list[int]) -> float:
        return 1 / (sum(rows) - 5)
""")


@pytest.fixture(autouse=True)
def imports() -> Iterator[None]:
    """Afterwards local modules come from nowhere, as before."""
    yield
    install(LocalModules(lambda _: None, lambda _: False, lambda _: None))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A dag file in YAML with a module beside it."""
    (tmp_path / "sales_lib").mkdir()
    for name in ("sales_steps.py", "sales_lib/__init__.py", "sales_lib/steps.py"):
        (tmp_path / name).write_text(STEPS)
    made = tmp_path / "sales.dag.yaml"
    made.write_text(DAGS)
    return made


def test_a_dag_in_yaml_is_rehearsed_with_the_functions_that_it_names(file: Path) -> None:
    (file.parent / "in.csv").touch()
    dag = dags_of(file)["daily_sales"]
    assert dag.test(params={"region": "usa"}).outputs == {"extract": [1, 2, 3], "publish": 1.0}
    (attempt,) = dag.test().attempts["publish"]
    assert attempt.failure is not None
    assert "return 1 / (sum(rows) - 5)" in attempt.failure.traceback


def test_paths_start_at_the_folder_of_the_dag_file(file: Path) -> None:
    dag = dags_of(file)["daily_sales"]
    assert dag.test().states["there"] == "failed"
    assert dag.test(outcomes={"there": arrives("1h")}).states["there"] == "success"
    (file.parent / "in.csv").touch()
    assert dag.test().states["there"] == "success"


def test_what_is_not_there_fails_where_it_is_called(file: Path) -> None:
    dag = dags_of(file)["daily_sales"]
    install(LocalModules(lambda _: None, lambda _: False, lambda _: None))
    result = dag.test(outcomes={"there": arrives(0)})
    assert result.states["extract"] == "failed"


def test_a_file_with_mistakes_is_refused_with_all_of_them(file: Path) -> None:
    file.write_text(DAGS.replace("publish:", "publisch: {run: nothing}\n  publish:"))
    with pytest.raises(DagFileInvalid) as raised:
        dags_of(str(file))
    assert raised.value.problems
    assert str(file) in str(raised.value)
