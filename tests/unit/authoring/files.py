"""Dag files as text: what importing one brings up, in this process."""

from textwrap import dedent

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


def source(text: str, **modules: str) -> Source:
    """A snapshot of a dag file and its local modules, which lie beside it (``a__b`` is the module ``a.b``)."""
    names = {key.replace("__", "."): dedent(code).encode() for key, code in modules.items()}
    local = tuple((name, f"/dags/{name.replace('.', '/')}.py", code) for name, code in sorted(names.items()))
    return Source(FILE, dedent(text).encode(), local)


def loaded(text: str, dag_id: str | None = None) -> Loaded:
    """What a correct dag file makes."""
    return load_source(source(HEADER + dedent(text)), dag_id)


def spec(text: str) -> DagSpec:
    """The one dag of a correct dag file, as data."""
    (dag,) = loaded(text).dags.values()
    return dag.build()


def problems(text: str, header: str = HEADER) -> list[DagProblem]:
    """All that is wrong with a dag file; lines count from its first line after the header."""
    whole = source(header + dedent(text))
    gathered = Collecting(FILE, {FILE: whole.code})
    import_file(gathered, whole.code, local_modules(whole))
    build_all(gathered)
    return [
        DagProblem(p.file, p.code, p.what, p.line - header.count("\n"), p.column, p.help) for p in gathered.problems
    ]


def only_problem(text: str) -> DagProblem:
    """The one thing that is wrong with a dag file."""
    (problem,) = problems(text)
    return problem
