"""The dags of a rehearsal, each with all that is made of it once."""

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from linecache import getlines

from msgspec import Struct

from ostinato.authoring.dag import Dag
from ostinato.authoring.load import Loaded
from ostinato.authoring.reference import Reference
from ostinato.decide.shape import Shape
from ostinato.model.canonical import canonical, digest
from ostinato.model.spec import CompiledDag, DagSpec, Source


class Part(Struct, frozen=True):
    """A dag, as an executor, a preparer and a board each want it."""

    dag: Dag
    compiled: CompiledDag
    loaded: Loaded
    shape: Shape

    @property
    def spec(self) -> DagSpec:
        """The dag as data."""
        return self.compiled.spec


def part(dag: Dag) -> Part:
    """A dag that is to be rehearsed. Raises DagFileInvalid if its steps wait for each other in a circle."""
    spec = dag.build()
    file = dag.function.__code__.co_filename
    compiled = CompiledDag(spec, file, "", digest(canonical(spec)))
    return Part(dag, compiled, Loaded(_source(dag, file), {dag.dag_id: dag}), Shape(compiled))


def _source(dag: Dag, file: str) -> Source:
    """The author's files, as far as tracebacks are to show them: those of the dag and of its tasks' functions."""
    nodes = dag.layout.nodes if dag.layout else ()
    others = {_file_of(node.task.function) for node in nodes} - {file, ""}
    return Source(file, _code(file), tuple([("", other, _code(other)) for other in sorted(others)]))


def _file_of(function: Callable[..., object]) -> str:
    """Where a task's function is, which a dag in YAML only names; empty for one that is not there."""
    if not isinstance(function, Reference):
        return function.__code__.co_filename
    try:
        found = find_spec(function.name.partition(":")[0])
    except ImportError:
        return ""
    return "" if found is None else found.origin or ""


def _code(file: str) -> bytes:
    return "".join(getlines(file)).encode()


def by_version(parts: Iterable[Part]) -> dict[str, Part]:
    """Parts as runs name them."""
    return {each.compiled.version: each for each in parts}
