"""How each type of a contract is written in a file, and what it becomes.

A cast alone is too kind: it reads ``1.7`` as the integer 2, ``1_000`` as 1000, ``epoch`` as a date, and drops the offset
of a time. So a value must first match the type's own way of writing, whole and without blanks around it.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

Scalar = int | float | Decimal | date | datetime | str
"""What bounds and allowed values are given as, in Python."""

MAX_DECIMAL_DIGITS: Final = 38

_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_DECIMAL = re.compile(r"decimal\(([0-9]{1,2}),([0-9]{1,2})\)")


@dataclass(frozen=True, slots=True)
class ColumnType:
    """One type: its name in SQL, the pattern a value must match (none for text), and how people call it."""

    sql: str
    written: str | None
    noun: str
    scalars: tuple[type, ...]


_TYPES: Final = {
    "text": ColumnType("VARCHAR", None, "text", (str,)),
    "integer": ColumnType("BIGINT", r"[+-]?[0-9]+", "an integer", (int,)),
    "number": ColumnType(
        "DOUBLE", r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", "a number", (int, float, Decimal)
    ),
    "boolean": ColumnType("BOOLEAN", r"(?i:true|false|t|f|1|0)", "true or false", ()),
    "date": ColumnType("DATE", _DAY, "a date (YYYY-MM-DD)", (date,)),
    "timestamp": ColumnType("TIMESTAMP", f"{_DAY}[ T]{_TIME}", "a local time without an offset", (datetime,)),
    "timestamptz": ColumnType(
        "TIMESTAMPTZ", f"{_DAY}[ T]{_TIME}(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)", "a time with an offset", (datetime,)
    ),
}

NAMES: Final = (*_TYPES, "decimal(digits,scale)")


def column_type(name: str) -> ColumnType | None:
    """The type of that name, or None."""
    if known := _TYPES.get(name):
        return known
    if (match := _DECIMAL.fullmatch(name)) is None:
        return None
    digits, scale = int(match[1]), int(match[2])
    if not 1 <= digits <= MAX_DECIMAL_DIGITS or scale > digits:
        return None
    fraction = rf"(\.[0-9]{{1,{scale}}})?" if scale else ""
    noun = f"a number with {digits} digits, {scale} of them after the point"
    return ColumnType(f"DECIMAL({digits},{scale})", rf"[+-]?[0-9]+{fraction}", noun, (int, Decimal))
