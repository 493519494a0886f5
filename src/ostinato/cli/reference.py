"""Pages of the reference that are drawn from this package: exit codes, and the JSON documents."""

import inspect
from collections.abc import Iterator
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from msgspec import Struct

from ostinato.view import documents
from ostinato.view.documents import backfills, dags, runs, state

from .exit_codes import EXIT_CODES


def exit_codes() -> str:
    """The page of exit codes."""
    rows = "\n".join(f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    return f"# Exit codes\n\nOf every `ostinato` command.\n\n| code | meaning |\n|---|---|\n{rows}\n"


def json_documents() -> str:
    """The page of JSON documents: those that commands answer with first, then what they are made of."""
    found = list(_structs())
    whole = [each for each in found if "schema" in each.__struct_fields__]
    parts = [each for each in found if "schema" not in each.__struct_fields__]
    text = [
        "# JSON answers\n",
        "With `--json` a command writes exactly one JSON document to stdout and nothing else; messages go to stderr. Each document says",
        "in `schema` what it is and in which version: within a version keys are only ever added.\n",
        _prose(inspect.getdoc(documents) or "").split("\n\n", 1)[1] + "\n",
        "A command that fails answers with `error/1`: an object `error` with `code`, `what`, `where` and `help`, and `problems` if a dag file is",
        "the reason. The exit code says the same in a number.\n",
    ]
    text += [_section(each, f"`{_schema(each)}`") for each in whole]
    text += [_section(each, f"`{each.__name__}`") for each in parts]
    return "\n".join(text)


def _structs() -> Iterator[type[Struct]]:
    for module in (runs, dags, backfills, state):
        for thing in vars(module).values():
            if inspect.isclass(thing) and issubclass(thing, Struct) and thing.__module__ == module.__name__:
                yield thing


def _schema(document: type[Struct]) -> str:
    return str(
        document.__struct_defaults__[document.__struct_fields__.index("schema") - len(document.__struct_fields__)]
    )


def _section(document: type[Struct], title: str) -> str:
    hints = get_type_hints(document)
    rows = "\n".join(f"| `{name}` | {_kind(hints[name])} |" for name in document.__struct_fields__)
    return f"## {title}\n\n{_prose(inspect.getdoc(document) or '')}\n\n| key | value |\n|---|---|\n{rows}\n"


def _kind(hint: Any) -> str:
    """A type as a reader of JSON calls it."""
    if isinstance(hint, UnionType):
        return " or ".join(_kind(each) for each in get_args(hint))
    if get_origin(hint) is list:
        return f"list of {_kind(get_args(hint)[0])}"
    if get_origin(hint) is dict:
        return f"object of {_kind(get_args(hint)[1])}"
    if inspect.isclass(hint) and issubclass(hint, Struct):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    names: dict[Any, str] = {
        str: "text",
        int: "number",
        float: "number",
        bool: "true or false",
        NoneType: "null",
        datetime: "moment",
        Any: "anything",
    }
    return names[hint]


def _prose(doc: str) -> str:
    return doc.replace("``", "`")
