"""Parameters of a dag: declared once with a type, given when a run is made, used by its steps."""

from collections.abc import Mapping, Sequence
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
    by_name = {param.name: param for param in declared}
    wrong = [
        f"there is no parameter {name!r}" + (f" ({hint})" if (hint := did_you_mean(name, by_name)) else "")
        for name in given
        if name not in by_name
    ]
    filled: dict[str, Any] = {}
    for param in declared:
        value = given.get(param.name, param.default)
        if param.name not in given and param.required:
            wrong.append(f"{param.name!r} must be given ({param.type})")
        elif param.name in given and not _fits(param, value):
            wrong.append(f"{param.name!r} is of type {param.type}, not {shown(value)}")
        elif param.name in given:
            wrong += faults(param, value)
        filled[param.name] = float(value) if param.type == "number" and type(value) is int else value
    if wrong:
        raise UsageError("the parameters do not fit: " + "; ".join(wrong))
    return filled


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
