"""Parameters with a schema: what values they may have, in the words of JSON Schema (draft 2020-12)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Generic, Literal, TypedDict, TypeVar, Unpack, cast

from ostinato.model.spec import Param

from .check import did_you_mean, listed, report, shown
from .mistakes import Mistake

T = TypeVar("T")
Format = Literal["date", "email", "idn-email", "ipv4", "ipv6", "regex", "uuid"]
"""What text may be asked to look like."""


class Keywords(TypedDict, total=False):
    """The keywords of JSON Schema that a parameter may have, by the names that they have there."""

    enum: list[Any]
    const: Any
    minimum: float
    maximum: float
    exclusiveMinimum: float
    exclusiveMaximum: float
    multipleOf: float
    minLength: int
    maxLength: int
    pattern: str
    format: Format
    items: dict[str, Any]
    prefixItems: list[dict[str, Any]]
    contains: dict[str, Any]
    minItems: int
    maxItems: int
    uniqueItems: bool
    properties: dict[str, dict[str, Any]]
    patternProperties: dict[str, dict[str, Any]]
    additionalProperties: bool | dict[str, Any]
    required: list[str]
    minProperties: int
    maxProperties: int
    anyOf: list[dict[str, Any]]
    oneOf: list[dict[str, Any]]
    allOf: list[dict[str, Any]]


class Field(Generic[T]):
    """A parameter as it is declared: its default or type, what it means, what values it may have."""

    __slots__ = ("description", "schema", "value")

    def __init__(self, value: T | type[T], description: str, schema: Keywords) -> None:
        self.value = value
        self.description = description
        self.schema = schema


def field(value: T | type[T], /, *, description: str = "", **schema: Unpack[Keywords]) -> Field[T]:
    """Declare a parameter with what it means and what values it may have.

    ``value`` is the default, or a type if a value must be given. The keywords are those of JSON Schema::

        @dag(params={"region": field("eu", enum=["eu", "us"]), "rows": field(int, minimum=1, description="at least one")})
    """
    if not isinstance(description, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        report(Mistake.BAD_TEXT, f"description={shown(description)} is not text", near="description")
        description = ""
    return Field(value, description, schema)


def checked_schema(name: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter. One that is no schema is reported, and nothing stands in for it."""
    for keyword in declared:
        if keyword not in _KEYWORDS:
            help = did_you_mean(keyword, _KEYWORDS, f"there are {listed(sorted(_KEYWORDS))}")
            report(Mistake.BAD_SCHEMA, f"the parameter {name!r} has no keyword {keyword!r}", help, near=keyword)
            return {}
    if _refers(declared):
        report(Mistake.BAD_SCHEMA, f"the schema of {name!r} refers to another", "write it out", near="$ref")
        return {}
    fault = _fault_of_schema(declared)
    if fault:
        report(Mistake.BAD_SCHEMA, f"the schema of the parameter {name!r} is wrong: {fault}", near=name)
        return {}
    return dict(declared)


def faults(param: Param, value: object) -> Iterator[str]:
    """Why a value does not satisfy the schema of its parameter."""
    if not param.schema:
        return
    from jsonschema import Draft202012Validator, ValidationError  # noqa: PLC0415 - few parameters have a schema

    validator = Draft202012Validator(param.schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    errors: Iterator[ValidationError] = validator.iter_errors(cast("Any", value))  # pyright: ignore[reportUnknownMemberType]
    for error in errors:
        yield f"{param.name}{error.json_path.removeprefix('$')}: {error.message}"


_KEYWORDS: Final = frozenset(Keywords.__annotations__)


def _fault_of_schema(schema: Mapping[str, Any]) -> str:
    from jsonschema import Draft202012Validator, SchemaError  # noqa: PLC0415 - few parameters have a schema

    try:
        Draft202012Validator.check_schema(dict(schema), format_checker=Draft202012Validator.FORMAT_CHECKER)
    except SchemaError as error:
        return f"{error.json_path.removeprefix('$.')}: {error.message}"
    known = schema.get("format")
    if known is not None and known not in Draft202012Validator.FORMAT_CHECKER.checkers:
        return f"format: there is no {shown(known)}"
    return ""


def _refers(schema: object) -> bool:
    """Whether a schema, at any depth, needs another one, which might have to be fetched from somewhere."""
    if isinstance(schema, Mapping):
        parts = cast("Mapping[str, object]", schema)
        return "$ref" in parts or "$dynamicRef" in parts or any(map(_refers, parts.values()))
    return isinstance(schema, list | tuple) and any(map(_refers, cast("list[object]", schema)))
