"""Dag files as text: what importing one brings up, in this process."""

from textwrap import dedent

from hypothesis.strategies import (
    SearchStrategy,
    booleans,
    dictionaries,
    floats,
    integers,
    lists,
    none,
    recursive,
    text,
)

from ostinato.authoring.check import Collecting
from ostinato.authoring.load import Loaded, build_all, import_file, load_source, local_modules
from ostinato.model.record import DagProblem
from ostinato.model.spec import DagSpec, Source

FILE = "/dags/example.py"
HEADER = """\
from datetime import date, datetime, timedelta, timezone
from ostinato import *

@task
def load(path: str) -> dict[str, int]:
    return {"rows": 1}

@task
def publish(data: dict[str, int], table: str = "gold") -> None: ...

"""
HEADER_LINES = HEADER.count("\n")


def source(code: str, **modules: str) -> Source:
    """A snapshot of a dag file and its local modules, which lie beside it (``a__b`` is the module ``a.b``)."""
    names = {key.replace("__", "."): dedent(content).encode() for key, content in modules.items()}
    local = tuple((name, f"/dags/{name.replace('.', '/')}.py", content) for name, content in sorted(names.items()))
    return Source(FILE, dedent(code).encode(), local)


def loaded(code: str, dag_id: str | None = None) -> Loaded:
    """What a correct dag file makes."""
    return load_source(source(HEADER + dedent(code)), dag_id)


def spec(code: str) -> DagSpec:
    """The one dag of a correct dag file, as data."""
    (dag,) = loaded(code).dags.values()
    return dag.build()


def problems(code: str, header: str = HEADER) -> list[DagProblem]:
    """All that is wrong with a dag file; lines count from its first line after the header."""
    whole = source(header + dedent(code))
    gathered = Collecting(FILE, {FILE: whole.code})
    import_file(gathered, whole.code, local_modules(whole))
    build_all(gathered)
    return [
        DagProblem(p.file, p.code, p.what, p.line - header.count("\n"), p.column, p.help) for p in gathered.problems
    ]


def only_problem(code: str) -> DagProblem:
    """The one thing that is wrong with a dag file."""
    (problem,) = problems(code)
    return problem


def plain_data() -> SearchStrategy[object]:
    """Everything that arguments and results are made of, but for dates."""
    leaves = none() | booleans() | integers(-(2**63), 2**64 - 1) | floats(allow_nan=False) | text()
    return recursive(leaves, _collections, max_leaves=12)


def _collections(inner: SearchStrategy[object]) -> SearchStrategy[object]:
    return lists(inner, max_size=4) | dictionaries(text(), inner, max_size=4)
