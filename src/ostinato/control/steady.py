"""A dag file is imported twice, and must lay out the same dags both times.

What a file makes of the clock, of chance or of where objects lie in memory is another definition each time, so each start
of the scheduler would make another version of a dag that nobody changed. Such a file is refused, with the field named.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from msgspec import structs

from ostinato.authoring.mistakes import Mistake
from ostinato.model.limits import Limits
from ostinato.model.record import DagProblem
from ostinato.model.spec import CompiledDag, DagSpec

from .compilation import Compilation
from .compile import import_apart

_MOST_SHOWN: Final = 60
_MISSING: Final = "nothing"
_HELP: Final = "lay out dags by what is written in files: no clock, no chance, no text of an object's address"


def compile_steady(path: Path, limits: Limits = Limits()) -> Compilation:  # noqa: B008 - a frozen value
    """Compile a dag file; a problem is added if it lays out other dags the second time. Never raises for what is in it.

    A file that is changed in between is given as it is then; whoever watches it compiles it once more.
    """
    imported = import_apart(path, limits)
    first = imported.compilation()
    if first.problems or not first.dags:
        return first
    again = import_apart(path, limits)
    if again.result == imported.result:
        return first
    second = again.compilation()
    if second.problems or second.source != first.source or _contents(second) != _contents(first):
        return second
    problems = tuple(_unsteady(first, second))
    return structs.replace(first, dags=(), problems=problems) if problems else first


def difference(was: DagSpec, now: DagSpec) -> tuple[str, str, str] | None:
    """The first field in which two specs differ, as in ``tasks.load.timeout``, and what it is in each; None if equal."""
    return _differing("", msgspec.to_builtins(was), msgspec.to_builtins(now))


def _contents(compilation: Compilation) -> list[tuple[str, str]]:
    return [(file.path, file.digest) for file in compilation.files]


def _unsteady(first: Compilation, second: Compilation) -> Iterator[DagProblem]:
    was, now = _by_id(first), _by_id(second)
    for dag_id in sorted(was.keys() | now.keys()):
        what = _change(dag_id, was.get(dag_id), now.get(dag_id))
        if what is not None:
            yield DagProblem(first.source.file, Mistake.UNSTEADY.value, what, help=_HELP)


def _by_id(compilation: Compilation) -> dict[str, CompiledDag]:
    return {compiled.spec.dag_id: compiled for compiled in compilation.dags}


def _change(dag_id: str, was: CompiledDag | None, now: CompiledDag | None) -> str | None:
    if was is None or now is None:
        return f"the dag {dag_id!r} is only there every other time that the file is imported"
    if was.version == now.version:
        return None
    field, first, second = difference(was.spec, now.spec) or ("source", was.source, now.source)
    return f"the dag {dag_id!r} has another {field} each time that the file is imported: {first}, then {second}"


def _differing(field: str, was: Any, now: Any) -> tuple[str, str, str] | None:
    if was == now:
        return None
    pairs = _parts(was, now)
    found = (_differing(f"{field}.{name}" if field else name, one, other) for name, one, other in pairs)
    return next(filter(None, found), None) or (field, _shown(was), _shown(now))


def _parts(was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """What two values of the same kind consist of, side by side, each part with its name."""
    match was, now:
        case dict(), dict():
            one, other = cast("dict[str, Any]", was), cast("dict[str, Any]", now)
            for name in dict.fromkeys((*one, *other)):
                yield name, one.get(name, _MISSING), other.get(name, _MISSING)
        case (list() | tuple(), list() | tuple()) if _are_named(was) and _are_named(now):
            yield from _parts(dict(cast("list[tuple[str, Any]]", was)), dict(cast("list[tuple[str, Any]]", now)))
        case list() | tuple(), list() | tuple() if len(cast("list[Any]", was)) == len(cast("list[Any]", now)):
            for no, (one, other) in enumerate(zip(cast("list[Any]", was), cast("list[Any]", now), strict=True)):
                yield _name(one, no), one, other
        case _:
            return


def _are_named(parts: Any) -> bool:
    """Whether a list consists of pairs of a name and a value, as keyword arguments are kept."""
    pairs = cast("list[Any]", parts)
    return all(isinstance(pair, list | tuple) and _is_named(cast("list[Any]", pair)) for pair in pairs)


def _is_named(pair: list[Any]) -> bool:
    return len(pair) == 2 and isinstance(pair[0], str)  # noqa: PLR2004 - a pair


def _name(part: Any, no: int) -> str:
    """A task goes by its id, an argument or anything else by its place."""
    return str(cast("dict[str, Any]", part).get("task_id", no)) if isinstance(part, dict) else str(no)


def _shown(value: Any) -> str:
    text = value if value == _MISSING else repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
