"""Loading a snapshot: its own modules, never the live files, and only the dag that is asked for."""

import sys
from pathlib import Path

import pytest

from ostinato.authoring.load import load_source
from ostinato.model.errors import DagFileInvalid, NotFound
from ostinato.model.spec import Source
from tests.unit.authoring.files import FILE, HEADER, loaded, problems, source

DAG = "\n@dag(dag_id='{0}')\ndef {0}() -> None:\n    load('{0}')\n"


def test_the_dags_of_a_file_come_in_the_order_of_their_making() -> None:
    assert list(loaded(DAG.format("b") + DAG.format("a")).dags) == ["b", "a"]


def test_an_unknown_dag_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(NotFound) as refused:
        loaded(DAG.format("daily")).dag("dayly")
    assert refused.value.help == "did you mean 'daily'?"


def test_only_the_dag_that_is_asked_for_is_laid_out() -> None:
    found = loaded("calls = []\n@dag\ndef a() -> None:\n    1 / 0\n" + DAG.format("b"), "b")
    assert [task.task_id for task in found.dag("b").build().tasks] == ["load"]
    with pytest.raises(AssertionError, match="was not wanted"):
        found.dag("a").build()


def test_local_modules_come_from_the_snapshot_also_while_a_task_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "helpers.py").write_text("NAME = 'live'")
    found = load_source(
        source(
            HEADER
            + "import helpers\n@task\ndef f() -> str:\n    import lib.late\n    return helpers.NAME + lib.late.NAME\n"
            "@dag\ndef d() -> None:\n    f()\n",
            helpers="NAME = 'snap'",
            lib__late="NAME = 'shot'",
        )
    )
    layout = found.dag("d").layout
    assert layout is not None
    assert layout.nodes[0].task.function() == "snapshot"


def test_packages_and_relative_imports_work() -> None:
    found = load_source(
        Source(
            FILE,
            b"from pkg.inner import NAME\nfrom pkg import TOP\n",
            (
                ("pkg", "/dags/pkg/__init__.py", b"TOP = 1"),
                ("pkg.inner", "/dags/pkg/inner.py", b"from . import other\nfrom .other import NAME"),
                ("pkg.other", "/dags/pkg/other.py", b"NAME = __file__"),
            ),
        )
    )
    assert found.dags == {}
    assert sys.modules["pkg.inner"].NAME == "/dags/pkg/other.py"


def test_another_source_replaces_the_modules_of_the_one_before() -> None:
    for version in ("one", "two"):
        load_source(source("import helpers, lib.deep", helpers=f"V = '{version}'", lib__deep=f"V = '{version}'"))
        assert version == sys.modules["helpers"].V
        assert version == sys.modules["lib.deep"].V
    load_source(source(""))
    assert "helpers" not in sys.modules
    assert "lib" not in sys.modules
    assert len([finder for finder in sys.meta_path if type(finder).__module__ == "ostinato.authoring.load"]) == 2


def test_a_file_named_like_a_module_of_python_hides_nothing() -> None:
    before = sys.modules["json"]
    load_source(
        Source(
            "/dags/json.py",
            b"import json, calendar\nassert json.dumps and calendar.month_name",
            (("calendar", "/dags/calendar.py", b"1/0"),),
        )
    )
    assert sys.modules["json"] is before


def test_a_file_with_any_name_can_be_loaded() -> None:
    for name in ("my dag.py", "2024-flights.py", "ostinato.py", "msgspec.py", "__init__.py"):
        file = f"/dags/{name}"
        assert load_source(Source(file, b"here = __file__; name = __name__")).source.file == file
        assert sys.modules["ostinato"].__file__ != file


def test_a_file_is_not_run_as_a_script() -> None:
    load_source(source("if __name__ == '__main__':\n    1 / 0\n"))


def test_dags_of_imported_modules_are_those_modules_affair_unless_they_are_taken_over() -> None:
    module = HEADER + DAG.format("theirs")
    assert list(load_source(source("import other", other=module)).dags) == []
    assert list(load_source(source("from other import theirs", other=module)).dags) == ["theirs"]


def test_a_dag_made_by_a_function_of_an_imported_module_is_this_files() -> None:
    factory = HEADER + "def make(name):\n    @dag(dag_id=name)\n    def made() -> None:\n        load(name)\n"
    found = load_source(source("from factory import make\nfor name in 'ab':\n    make(name)\n", factory=factory))
    assert list(found.dags) == ["a", "b"]


def test_a_broken_source_is_refused_with_all_its_problems_and_the_cause() -> None:
    with pytest.raises(DagFileInvalid) as refused:
        load_source(source("from ostinato import every\nevery('x')\n1 / 0\n"))
    assert len(refused.value.problems) == 2
    assert isinstance(refused.value.__cause__, ZeroDivisionError)
    assert refused.value.where == f"{FILE}:2"


@pytest.mark.parametrize(
    ("code", "expected", "line", "column"),
    [
        ("1 / 0", "importing it raised ZeroDivisionError: division by zero", 1, 1),
        ("x = (1,\ny = 2", "this is not valid Python: '(' was never closed", 1, 5),
        ("y = 1\n\n   x = 1", "this is not valid Python: unexpected indent", 3, 3),
        ("'ä' 1", "this is not valid Python: invalid syntax", 1, 5),
        ("import nosuchmodule", "importing it raised ModuleNotFoundError: No module named 'nosuchmodule'", 1, 1),
        ("import sys\nsys.exit(3)", "importing it called sys.exit(3)", 2, 1),
        ("raise KeyboardInterrupt", "importing it raised KeyboardInterrupt: ", 1, 1),
        ("raise BaseException('odd')", "importing it raised BaseException: odd", 1, 1),
        (
            "class E(Exception):\n    def __str__(self): return 1/0\nraise E",
            "importing it raised E: (its text cannot be shown)",
            3,
            1,
        ),
        ("raise MemoryError", "importing it took more memory than a dag file may take", 1, 1),
        ("x = 1\x00", "this is not valid Python: source code string cannot contain null bytes", 0, 0),
        ("import json\njson.loads('{')", "importing it raised JSONDecodeError: Expecting property name", 2, 1),
    ],
)
def test_whatever_importing_raises_is_a_problem_at_the_authors_line(
    code: str, expected: str, line: int, column: int
) -> None:
    (problem,) = problems(code, header="")
    assert problem.what.startswith(expected)
    assert (problem.line, problem.column) == (line, column)


def test_a_file_that_is_not_utf_8_is_not_python() -> None:
    with pytest.raises(DagFileInvalid, match="not text in utf-8") as refused:
        load_source(Source(FILE, b"x = 1\ny = '\xff'\n"))
    assert refused.value.where == f"{FILE}:2"
    with pytest.raises(DagFileInvalid, match="unknown encoding"):
        load_source(Source(FILE, b"# coding: nosuch\n"))


def test_a_file_may_declare_its_encoding() -> None:
    load_source(Source(FILE, b"# coding: latin-1\nx = '\xff'\nassert x == chr(255)\n"))


def test_a_mistake_in_a_local_module_is_reported_there() -> None:
    with pytest.raises(DagFileInvalid) as refused:
        load_source(source("import helpers", helpers="x = 1\n1 / 0\n"))
    assert refused.value.where == "/dags/helpers.py:2"
    with pytest.raises(DagFileInvalid) as refused:
        load_source(source("import helpers", helpers="x = (\n"))
    assert refused.value.where == "/dags/helpers.py:1"


def test_a_module_that_is_missing_is_answered_by_where_to_get_it() -> None:
    (problem,) = problems("import nosuchmodule.inner", header="")
    assert problem.help == "install it, or put nosuchmodule.py beside the dag file"


def test_a_file_that_hides_the_module_it_needs_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "duckdb", raising=False)  # another test may have imported it
    with pytest.raises(DagFileInvalid) as refused:
        load_source(Source("/dags/duckdb.py", b"import duckdb\nduckdb.connect()\n"))
    assert refused.value.help == "this file hides the module 'duckdb' from itself: give it another name"


def test_an_output_used_outside_of_a_dag_is_one_problem() -> None:
    found = problems("if load('a'): pass\n")
    assert [(problem.code, problem.line) for problem in found] == [("OST-118", 1), ("OST-119", 1)]
