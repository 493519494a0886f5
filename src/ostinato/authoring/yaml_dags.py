"""From a ``*.dag.yaml`` file to its dags. Nothing of the author's is imported or run."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.machinery import PathFinder
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final, cast

from msgspec import UNSET, convert

from .check import MOST_PROBLEMS, Collecting, Place, collecting, did_you_mean, listed, report, shown
from .dag import dag
from .field import field
from .mistakes import Mistake
from .yaml_steps import Level, at
from .yaml_text import Document, Path, documents
from .yaml_times import times
from .yaml_words import KINDS, SCHEDULES, TICKING, DagWords, ForEachWords, json_schema

if TYPE_CHECKING:
    from jsonschema import ValidationError

    from .load import LocalModules

_OPTIONS: Final = ("catchup", "max_active_runs", "max_active_tasks", "outcome", "overlap", "previous", "clock", "tags")
_KINDS: Final[dict[str, tuple[Mapping[str, object], str]]] = {
    "Step": (KINDS, "what the step does"),
    "Schedule": (SCHEDULES, "when the dag ticks"),
    "Ticking": (TICKING, "which intervals its runs are for"),
}
_TYPES: Final[dict[str, type]] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "array": list,
    "object": dict,
}
_HOLE: Final = re.compile(r"\$\{([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\}", re.ASCII)
_MOST_DAGS: Final = 10_000


def lay_out_file(gathered: Collecting, code: bytes, modules: "LocalModules") -> str | None:
    """Add the dags of a YAML file, and what is wrong with them, to ``gathered``.

    Gives the first module that a step names and that is not there.
    """
    token = collecting.set(gathered)
    try:
        missing: str | None = None
        for document in documents(code, gathered.file):
            for made in _each(document, modules):
                words = _words(made)
                if words is not None:
                    missing = _check_functions(made, modules) or missing
                    _dag(words, made)
        if not gathered.dags and not gathered.problems:
            report(
                Mistake.BAD_WORDS,
                "the file has no dag in it",
                "begin with `dag: its_id` and `tasks:`",
                place=Place(gathered.file, 1),
            )
        return missing
    finally:
        collecting.reset(token)


def _words(document: Document) -> DagWords | None:
    """A document in its words. If it does not satisfy the schema, all that does not is reported."""
    errors = cast("Iterator[ValidationError]", _validator("DagWords").iter_errors(document.value))
    found = [*islice(errors, MOST_PROBLEMS)]
    unclear = {tuple(error.absolute_path) for error in found if error.validator == "oneOf"}
    for error in found:
        if error.validator != "additionalProperties" or tuple(error.absolute_path) not in unclear:
            _report_unfit(document, error)
    return None if found else convert(document.value, DagWords)


def _report_unfit(document: Document, error: "ValidationError") -> None:
    path: Path = tuple(error.absolute_path)
    instance = cast("object", error.instance)
    schema = cast("dict[str, Any]", error.schema)
    if error.validator == "additionalProperties" and isinstance(instance, dict):
        known = schema.get("properties", {})
        for key in instance.keys() - known.keys():
            help = did_you_mean(key, known, f"there are {listed(known)}")
            report(
                Mistake.BAD_WORDS,
                f"the key {shown(key)} does not belong here",
                help,
                place=document.place((*path, key), key=True),
            )
        return
    place = document.place(path)
    if error.validator == "oneOf" and "allOf" in schema:
        if not isinstance(instance, dict):
            return  # it is no mapping, which is reported as well
        kinds, says = _KINDS[schema["title"]]
        has = [kind for kind in kinds if kind in cast("dict[str, object]", instance)]
        what = f"it is {' and '.join(has)} at once" if has else f"nothing says {says}"
        report(
            Mistake.BAD_WORDS, what, f"it has exactly one of {', '.join(kinds)}", place=document.place(path, key=True)
        )
        return
    if error.validator == "required":
        report(
            Mistake.BAD_WORDS,
            error.message.replace("is a required property", "is missing"),
            "add it",
            place=document.place(path, key=True),
        )
        return
    help = (
        cast("str", schema.get("description", ""))
        or f"the schema asks for {error.validator}: {error.validator_value!r}"
    )
    report(Mistake.BAD_WORDS, f"{_named(path)} does not fit: {error.message}", help, place=place)


def _named(path: Path) -> str:
    return repr(".".join(map(str, path))) if path else "the document"


@lru_cache(maxsize=2)
def _validator(words: str) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 - dags in Python need none

    return Draft202012Validator({**json_schema(), "$ref": f"#/$defs/{words}"})


def _each(document: Document, modules: "LocalModules") -> Iterator[Document]:
    """The document for each dag that a document makes."""
    value = document.value
    if not isinstance(value, dict) or "for_each" not in value:
        yield document
        return
    plain = cast("dict[str, object]", value).copy()
    named = plain.pop("for_each")
    found = [*_validator("ForEachWords").iter_errors(named)]
    for error in found:
        error.path.extendleft(["for_each"])
        _report_unfit(document, error)
    if found:
        return
    words = convert(named, ForEachWords)
    for item in _items(words, document, modules)[:_MOST_DAGS]:
        filled = _filled(plain, words.item, item, document, ())
        yield Document(document.file, filled, document.places, document.keys)


def _items(words: ForEachWords, document: Document, modules: "LocalModules") -> list[object]:
    place = document.place(("for_each", "in"))
    items = words.items
    if isinstance(items, str):
        name = PurePath(items)
        beside = None if name.is_absolute() or ".." in name.parts else modules.data(items)
        if beside is None:
            report(
                Mistake.BAD_FOR_EACH,
                f"there is no file {shown(items)} beside this one",
                "name a YAML or JSON file in the same folder or below",
                place=place,
            )
            return []
        found = documents(beside.code, beside.path)
        value = found[0].value if len(found) == 1 else None
        items = cast("list[object]", value) if isinstance(value, list) else []
    if not items or len(items) > _MOST_DAGS:
        report(
            Mistake.BAD_FOR_EACH,
            f"for_each has {len(items):,} items",
            f"give a list of 1 to {_MOST_DAGS:,} items",
            place=place,
        )
    return items


def _filled(value: object, name: str, item: object, document: Document, path: Path) -> object:
    """A part of a document with ``${item}`` filled in. A text that is nothing but one hole becomes the item itself."""
    if isinstance(value, dict):
        return {
            cast("str", _filled(key, name, item, document, path)): _filled(part, name, item, document, (*path, key))
            for key, part in cast("dict[str, object]", value).items()
        }
    if isinstance(value, list):
        return [_filled(part, name, item, document, (*path, n)) for n, part in enumerate(cast("list[object]", value))]
    if not isinstance(value, str) or "${" not in value:
        return value
    whole = _HOLE.fullmatch(value)
    if whole:
        return _part(whole[1], name, item, document, path)
    return _HOLE.sub(lambda hole: str(_part(hole[1], name, item, document, path)), value)


def _part(dotted: str, name: str, item: object, document: Document, path: Path) -> object:
    first, *rest = dotted.split(".")
    found = item
    known = first == name
    for key in rest:
        known = known and isinstance(found, dict) and key in found
        found = cast("dict[str, object]", found)[key] if known else None
    if known:
        return found
    help = f"the item is {name!r}" + (
        f"; it has {listed(cast('dict[str, object]', item))}" if isinstance(item, dict) else ""
    )
    report(Mistake.BAD_FOR_EACH, f"nothing fills ${{{dotted}}}", help, place=document.place(path))
    return ""


def _dag(words: DagWords, document: Document) -> None:
    def lay_out() -> None:
        Level(document).lay_out(words.tasks, ("tasks",))

    lay_out.__doc__ = words.description
    begins = max(document.place(("dag",)).line, 1)
    lay_out.__code__ = lay_out.__code__.replace(co_filename=document.file, co_firstlineno=begins)  # where the dag is
    options = {name: value for name in _OPTIONS if (value := getattr(words, name)) is not UNSET}
    options |= times(words, document)
    if isinstance(words.params, dict):
        options["params"] = {name: _param(name, value, document) for name, value in words.params.items()}
    place = document.place(("dag",))
    maker = at(place, dag, dag_id=words.dag, **options)
    at(place, maker, lay_out)


def _param(name: str, declared: object, document: Document) -> object:
    """What ``@dag(params=...)`` takes: a default, or of a mapping with a ``type`` a field."""
    if not isinstance(declared, dict) or "type" not in declared:
        return cast("object", declared)
    words = cast("dict[str, Any]", declared)
    place = document.place(("params", name))
    kind = _TYPES.get(words["type"]) if isinstance(words["type"], str) else None
    if kind is None:
        help = did_you_mean(str(words["type"]), _TYPES, f"there are {listed(_TYPES)}")
        report(Mistake.BAD_PARAM, f"the parameter {name!r} has no known type", help, place=place)
        return ""
    default = words.get("default", kind)
    if default is not kind and type(default) is not kind:
        if kind is float and type(default) is int:
            default = float(default)
        else:
            report(Mistake.BAD_PARAM, f"the default of {name!r} is not of type {words['type']}", place=place)
    keywords = {key: value for key, value in words.items() if key not in {"type", "default", "description"}}
    return at(place, field, default, description=words.get("description", ""), **keywords)


def _check_functions(document: Document, modules: "LocalModules") -> str | None:
    """Report functions that are not there. Gives the first module that is not."""
    missing: str | None = None
    for path, name in _functions(cast("Mapping[str, Any]", document.value)["tasks"], ("tasks",)):
        place = document.place(path)
        where, _, function = name.partition(":")
        parts = where.split(".")
        found = [modules.find(".".join(parts[: length + 1])) for length in range(len(parts))]
        local = found[-1]
        if local is None and not (found[0] is None and _is_installed(parts[0])):
            missing = missing or where
            help = "put the module beside this file, or install it"
            report(Mistake.UNKNOWN_FUNCTION, f"there is no module {where!r}", help, place=place)
        elif local is not None and function not in (names := _names(local.code)):
            help = did_you_mean(function, names, f"define it in {where}")
            report(Mistake.UNKNOWN_FUNCTION, f"the module {where!r} has no function {function!r}", help, place=place)
    return missing


def _functions(words: object, path: Path) -> Iterator[tuple[Path, str]]:
    for name, step in cast("dict[str, dict[str, Any]]", words).items():
        for kind in ("run", "branch", "short_circuit", "sensor"):
            if kind in step:
                yield (*path, name, kind), step[kind]
        if "group" in step:
            yield from _functions(step["group"], (*path, name, "group"))
        for kind in ("guarded", "each", "loop"):
            if kind in step:
                yield from _functions(step[kind]["tasks"], (*path, name, kind, "tasks"))


def _is_installed(name: str) -> bool:
    return PathFinder.find_spec(name) is not None


@lru_cache(maxsize=256)
def _names(code: bytes) -> set[str]:
    """The names that a module may define, as far as can be seen without running it."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return names | {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
