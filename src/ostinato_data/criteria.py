"""A contract as SQL: how text becomes typed values, and what makes a record fail.

The engine reads every column as text. ``typed`` turns it into values (NULL where that fails), ``criteria`` are the
conditions under which a record is rejected, each with its reason, always all of them and in the contract's order.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Final

from .column_types import ColumnType, Scalar, column_type
from .contract import Column, Contract

_SHOWN_VALUES: Final = 6


@dataclass(frozen=True, slots=True)
class Criterion:
    """A record fails it where ``fails``, a condition in SQL, is true. ``column`` is None for a rule.

    ``given`` are the names of the bound parameters in it.
    """

    column: str | None
    reason: str
    fails: str
    given: frozenset[str] = frozenset()


def identifier(name: str) -> str:
    """A name as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: object) -> str:
    """Text as an SQL literal, whatever is in it."""
    return "'" + str(value).replace("'", "''") + "'"


def text_column(position: int) -> str:
    """The name under which the text of the contract's n-th column is read."""
    return f"__text{position}"


@lru_cache(maxsize=128)
def typed(contract: Contract) -> str:
    """The select list that adds each column as a typed value, NULL where the text is none of its type."""
    return ", ".join(
        f"{_value(text_column(position), _type(column))} AS {identifier(column.name)}"
        for position, column in enumerate(contract.columns)
    )


def declared(contract: Contract) -> str:
    """The columns and their types, as a table declares them."""
    return ", ".join(f"{identifier(column.name)} {_type(column).sql}" for column in contract.columns)


@lru_cache(maxsize=128)
def criteria(contract: Contract) -> tuple[Criterion, ...]:
    """Everything a record can fail on, but for being a duplicate."""
    found: list[Criterion] = []
    for position, column in enumerate(contract.columns):
        found += _column_criteria(column, text_column(position))
    found += [Criterion(None, f"rule: {rule.name}", f"NOT ({rule.sql}\n)", rule.given) for rule in contract.rules]
    return tuple(found)


def _type(column: Column) -> ColumnType:
    kind = column_type(column.type)
    assert kind is not None, column
    return kind


def _value(text: str, kind: ColumnType) -> str:
    if kind.written is None:
        return text
    cast = f"TRY_CAST({text} AS {kind.sql})"
    if kind.sql == "DOUBLE":  # 1e400 is written like a number, and becomes infinite
        cast = f"CASE WHEN isfinite({cast}) THEN {cast} END"
    return f"CASE WHEN regexp_full_match({text}, {literal(kind.written)}) THEN {cast} END"


def _column_criteria(column: Column, text: str) -> list[Criterion]:
    kind, value = _type(column), identifier(column.name)
    found: list[tuple[str, str]] = []
    if not column.nullable:
        found.append(("missing", f"{text} IS NULL"))
    if kind.written is not None:
        found.append((f"not {kind.noun}", f"{text} IS NOT NULL AND {value} IS NULL"))
    if column.min is not None:
        found.append((f"below {column.min}", f"{value} < {_bound(column.min, kind)}"))
    if column.max is not None:
        found.append((f"above {column.max}", f"{value} > {_bound(column.max, kind)}"))
    if column.values:
        allowed = ", ".join(_bound(each, kind) for each in column.values)
        found.append((_none_of(column.values), f"{value} NOT IN ({allowed})"))
    if column.pattern is not None:
        found.append((f"does not match {column.pattern}", f"NOT regexp_full_match({value}, {literal(column.pattern)})"))
    return [Criterion(column.name, f"{column.name}: {reason}", fails) for reason, fails in found]


def _bound(value: Scalar, kind: ColumnType) -> str:
    if isinstance(value, Decimal) and kind.sql.startswith("DECIMAL"):
        return f"{value:f}"  # with all its digits, which a cast to the column's scale could round away
    return f"{literal(value)}::{kind.sql}"


def _none_of(values: tuple[str | int, ...]) -> str:
    shown = ", ".join(str(value) for value in values[:_SHOWN_VALUES])
    more = f" and {len(values) - _SHOWN_VALUES} more" if len(values) > _SHOWN_VALUES else ""
    return f"not one of {shown}{more}"
