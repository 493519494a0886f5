"""Parameters of a dag: declared once with a type, given when a run is made, used by its steps."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeVar, cast, get_origin, overload

from msgspec import DecodeError, Struct, json

from ostinato.model.errors import NotStorable, UsageError
from ostinato.model.spec import Param
from ostinato.model.value import encode

from .check import did_you_mean, report, shown
from .field import Field, checked_schema, faults
from .mistakes import Mistake

T = TypeVar("T")
JsonType = Literal["string", "integer", "number", "boolean", "array", "object"]

_TYPES: Final[dict[type, JsonType]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    dict: "object",
}
_PYTHON: Final = {name: kind for kind, name in _TYPES.items()}


class ParamUse(Struct, frozen=True):
    """Stands for the run's value of a parameter while a dag is laid out."""

    name: str
    type: JsonType | None


@overload
def param(name: str, /) -> Any: ...
@overload
def param(name: str, kind: type[T], /) -> T: ...
def param(name: str, kind: type[object] | None = None, /) -> object:
    """The run's value of a parameter, as an argument of a step: ``load(param("region", str))``.

    ``kind`` is its Python type, for the type checker; it must be the declared one. Of a list or dict it may say what is
    inside: ``param("days", list[str])``; only a schema checks that.
    """
    json_type = None if kind is None else _TYPES.get(get_origin(kind) or kind)
    if kind is not None and json_type is None:
        report(Mistake.BAD_PARAM, f"param({shown(name)}): {kind} is not a type of parameters", _choices())
    return ParamUse(name, json_type)


def declared(params: Mapping[str, object]) -> tuple[Param, ...]:
    """The params of ``@dag(params={...})``: a value is the default, a type says that a value must be given.

    A ``field`` is one of both, with what it means and what values it may have.
    """
    found = [_declared(name, value) for name, value in params.items()]
    return tuple(param for param in found if param is not None)


def _declared(name: str, declared: object) -> Param | None:
    field = cast("Field[object]", declared) if isinstance(declared, Field) else Field(declared, "", {})
    value = field.value
    json_type = _TYPES.get(value if isinstance(value, type) else type(value))
    if not isinstance(name, str) or not name.isidentifier():  # pyright: ignore[reportUnnecessaryIsInstance]
        report(Mistake.BAD_PARAM, f"{shown(name)} cannot be the name of a parameter", near=str(name))
        return None
    if json_type is None:
        report(Mistake.BAD_PARAM, f"the parameter {name!r} cannot be {shown(value)}", _choices(), near=name)
        return None
    if not _storable(name, field.schema):
        return None
    schema = checked_schema(name, field.schema) if field.schema else {}
    required = isinstance(value, type)
    if not required and not _storable(name, value):
        return None
    default = None if required else value
    param = Param(name, json_type, default, required=required, description=field.description, schema=schema)
    wrong = "; ".join(faults(param, value)) if not required else ""
    if wrong:
        what = f"the default of the parameter {name!r} does not satisfy its schema: {wrong}"
        report(Mistake.BAD_SCHEMA, what, near=name)
    return param


def fill(declared: Sequence[Param], given: Mapping[str, object]) -> dict[str, Any]:
    """The values of all of a dag's parameters for a run. Raises UsageError naming everything that does not fit."""
    wrong = unfit(declared, given)
    if wrong:
        raise UsageError("the parameters do not fit: " + "; ".join(wrong))
    filled: dict[str, Any] = {}
    for param in declared:
        value = given.get(param.name, param.default)
        filled[param.name] = float(value) if param.type == "number" and type(value) is int else value
    return filled


def unfit(declared: Sequence[Param], given: Mapping[str, object], later: Iterable[str] = ()) -> list[str]:
    """All that does not fit of what a run is given. The values of the names in ``later`` are not known yet."""
    by_name = {param.name: param for param in declared}
    names = dict.fromkeys((*given, *later))
    wrong = [
        f"there is no parameter {name!r}" + (f" ({hint})" if (hint := did_you_mean(name, by_name)) else "")
        for name in names
        if name not in by_name
    ]
    for param in declared:
        if param.name in given:
            value = given[param.name]
            fits = _fits(param, value)
            wrong += faults(param, value) if fits else [f"{param.name!r} is of type {param.type}, not {shown(value)}"]
        elif param.required and param.name not in names:
            wrong.append(f"{param.name!r} must be given ({param.type})")
    return wrong


def from_text(declared: Sequence[Param], given: Mapping[str, str]) -> dict[str, Any]:
    """``fill`` for values as they are typed in a shell: text as it is, anything else as JSON."""
    types: dict[str, JsonType] = {param.name: param.type for param in declared}
    return fill(declared, {name: _parsed(text, types.get(name, "string")) for name, text in given.items()})


def _parsed(text: str, kind: JsonType) -> object:
    if kind == "string":
        return text
    try:
        return json.decode(text)
    except DecodeError:
        return text


def _fits(param: Param, value: object) -> bool:
    if param.type == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is _PYTHON[param.type]


def _storable(name: str, value: object) -> bool:
    try:
        encode(value)
    except NotStorable as error:
        report(Mistake.BAD_PARAM, f"the declaration of the parameter {name!r} cannot be kept: {error.what}", near=name)
        return False
    return True


def _choices() -> str:
    return "give a default, or one of the types " + ", ".join(kind.__name__ for kind in _TYPES)
