"""A dag file lays out the same dags each time, or it is refused with the field that differs."""

import select
from pathlib import Path
from queue import Queue

import pytest
from hypothesis import given
from hypothesis.strategies import floats, sampled_from
from msgspec.structs import replace

from ostinato.authoring.clock_guard.lint import lint
from ostinato.clock import SystemClock
from ostinato.control.compilation import Compilation
from ostinato.control.deploy import Reloader, deploy
from ostinato.control.steady import compile_steady, difference
from ostinato.model.limits import Limits
from ostinato.model.spec import DagSpec, TaskSpec
from ostinato.store import open_store

HEAD = """\
import itertools, os, time, uuid
from datetime import datetime
from pathlib import Path
from ostinato import Dag, dag, task

@task
def load(path: str) -> int:
    return 1

"""
GENERATOR = (
    HEAD
    + """\
def for_partner(partner: str) -> Dag:
    @dag(dag_id=f"ingest_{partner}")
    def ingest() -> None:
        load(partner)

    return ingest

DAGS = [for_partner(line) for line in Path("partners.txt").read_text().split()]
"""
)


def compiled(folder: Path, code: str) -> Compilation:
    """What a file with this code comes to."""
    (folder / "flights.py").write_text(HEAD + code)
    return compile_steady(folder / "flights.py", Limits())


@pytest.mark.parametrize(
    ("code", "field"),
    [
        ("@dag\ndef d():\n    load(str(time.time_ns()))\n", "tasks.load.kwargs.path.value"),
        ("@dag(tags=[f't{uuid.uuid4()}'])\ndef d():\n    load('a')\n", "tags.0"),
        ("@dag(params={'made': str(datetime.now())})\ndef d():\n    load('a')\n", "params.0"),
        ("@dag(max_active_runs=os.getpid() % 900_000 + 1)\ndef d():\n    load('a')\n", "max_active_runs"),
    ],
)
def test_a_definition_that_differs_each_time_is_refused_with_the_field(tmp_path: Path, code: str, field: str) -> None:
    found = compiled(tmp_path, code)
    (problem,) = found.problems
    assert (problem.code, found.dags) == ("OST-185", ())
    assert problem.what.startswith(f"the dag 'd' has another {field}")
    assert problem.help


def test_a_dag_that_is_not_always_there_is_named(tmp_path: Path) -> None:
    found = compiled(tmp_path, "@dag(dag_id=f'd{time.time_ns()}')\ndef d():\n    load('a')\n")
    assert [problem.code for problem in found.problems] == ["OST-185", "OST-185"]


def test_a_file_with_problems_is_given_as_it_is(tmp_path: Path) -> None:
    assert [problem.code for problem in compiled(tmp_path, "1 / 0\n").problems] != ["OST-185"]


def test_a_file_without_dags_is_imported_once(tmp_path: Path) -> None:
    compiled(tmp_path, "with open('times', 'a') as times:\n    times.write('x')\n")
    assert (tmp_path / "times").read_text() == "x"


def test_a_file_that_changes_meanwhile_is_given_as_it_is_then(tmp_path: Path) -> None:
    code = "@dag\ndef d():\n    load('a')\nwith open('flights.py', 'a') as own:\n    own.write('# again\\n')\n"
    found = compiled(tmp_path, code)
    assert found.problems == ()
    assert found.source.code.count(b"# again\n") == 1


@given(sampled_from(["timeout", "priority", "memory"]), floats(1, 9).map(int))
def test_the_field_that_differs_is_named_by_its_task(field: str, value: int) -> None:
    was = DagSpec(dag_id="d", tasks=(TaskSpec("a"), TaskSpec("b")))
    now = replace(was, tasks=(TaskSpec("a"), replace(TaskSpec("b"), **{field: value})))
    assert difference(was, was) is None
    assert difference(was, now) == (f"tasks.b.{field}", "nothing", str(value))


def test_a_change_in_number_is_told_of_the_whole() -> None:
    was = DagSpec(dag_id="d", tasks=(TaskSpec("a"),))
    found = difference(was, replace(was, tags=("x", "y" * 100)))
    assert found is not None
    assert (found[0], found[1], len(found[2])) == ("tags", "nothing", 63)


def test_a_change_of_one_item_makes_one_new_version_and_removing_it_retires_its_dag(tmp_path: Path) -> None:
    (tmp_path / "flights.py").write_text(GENERATOR)
    names = [f"p{n}" for n in range(50)]
    (tmp_path / "partners.txt").write_text("\n".join(names))
    store = open_store(None)
    clock = SystemClock()
    deploy(store, [tmp_path], clock, Limits(), "ada")
    versions = {dag.dag_id: dag.version for dag in store.dags()}
    assert len(versions) == 50
    deploy(store, [tmp_path], clock, Limits(), "ada")
    assert {dag.dag_id: dag.version for dag in store.dags()} == versions
    (tmp_path / "partners.txt").write_text("\n".join([*names[1:], "fresh"]))
    deploy(store, [tmp_path], clock, Limits(), "ada")
    now = {dag.dag_id: dag.version for dag in store.dags()}
    assert now.keys() == versions.keys() - {"ingest_p0"} | {"ingest_fresh"}
    assert all(now[name] == versions[name] for name in now.keys() & versions.keys())
    (retired,) = [dag for dag in store.dags(retired=True) if dag.retired_at is not None]
    assert (retired.dag_id, retired.version) == ("ingest_p0", versions["ingest_p0"])
    store.close()


def test_after_a_change_only_the_files_it_concerns_are_imported_anew(tmp_path: Path) -> None:
    counting = "with open('times', 'a') as times:\n    times.write('x')\n"
    (tmp_path / "flights.py").write_text(GENERATOR)
    (tmp_path / "partners.txt").write_text("a b")
    (tmp_path / "other.py").write_text(HEAD + counting + "@dag\ndef d():\n    load('a')\n")
    store = open_store(None)
    known = deploy(store, [tmp_path / "flights.py", tmp_path / "other.py"], SystemClock(), Limits(), "ada")
    rung: Queue[None] = Queue()
    reloader = Reloader(store, [tmp_path], known, SystemClock(), Limits(), "ada")
    reloader.start(lambda: rung.put(None))
    (tmp_path / "partners.txt").write_text("a b c")
    assert select.select([reloader], [], [], 10)[0]
    reloader.attend()
    rung.get(timeout=10)
    assert reloader.apply()
    assert [dag.dag_id for dag in store.dags()] == ["d", "ingest_a", "ingest_b", "ingest_c"]
    assert (tmp_path / "times").read_text() == "xx"
    reloader.close()
    store.close()


def test_the_example_of_many_dags_lays_out_one_for_each_line() -> None:
    found = compile_steady(Path(__file__).parents[3] / "examples" / "partners" / "partners.py")
    assert [dag.spec.dag_id for dag in found.dags] == ["ingest_acme", "ingest_borealis", "ingest_calypso"]
    assert lint(found.source) == ()
