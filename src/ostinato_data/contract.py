"""What a good record looks like, as a small frozen value that needs no engine to be written or read."""

import math
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from .column_types import NAMES, Scalar, column_type
from .errors import ContractInvalid

_RESERVED: Final = "__"
_GIVEN: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a file.

    ``type`` is text, integer, number, decimal(digits,scale), boolean, date, timestamp (local, no offset) or timestamptz
    (with an offset). ``min`` and ``max`` are inclusive. ``values`` lists what is allowed, ``pattern`` is a regular
    expression (RE2) the whole text must match. Raises ContractInvalid, naming everything that is wrong with it.
    """

    name: str
    type: str
    nullable: bool = False
    min: Scalar | None = None
    max: Scalar | None = None
    values: tuple[str | int, ...] = ()
    pattern: str | None = None

    def __post_init__(self) -> None:
        if problems := [*self._name_problems(), *self._type_problems()]:
            raise ContractInvalid(f"column {self.name!r}: " + "; ".join(problems))

    def _name_problems(self) -> list[str]:
        if not self.name or "\0" in self.name:
            return ["a column needs a name"]
        return [f"names that begin with {_RESERVED} are taken"] if self.name.startswith(_RESERVED) else []

    def _type_problems(self) -> list[str]:
        kind = column_type(self.type)
        if kind is None:
            return [f"{self.type!r} is no type; there are {', '.join(NAMES)}"]
        problems = [
            f"{word} {bound!r} does not fit type {self.type}"
            for word, bound in (("min", self.min), ("max", self.max))
            if bound is not None and not _fits(bound, self.type, kind.scalars)
        ]
        if not problems and self.min is not None and self.max is not None and self.min > self.max:  # type: ignore[operator]
            problems.append(f"min {self.min!r} is above max {self.max!r}")
        if self.values and self.type not in {"text", "integer"}:
            problems.append("only text and integer columns can list their values")
        elif not all(_fits(value, self.type, kind.scalars) for value in self.values):
            problems.append(f"the values do not all fit type {self.type}")
        return problems + self._pattern_problems()

    def _pattern_problems(self) -> list[str]:
        if self.pattern is None:
            return []
        if self.type != "text":
            return ["only text columns can have a pattern"]
        try:
            re.compile(self.pattern)
        except re.error as error:
            return [f"the pattern {self.pattern!r} is no regular expression: {error}"]
        return []


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition over one record's typed columns, in SQL. As with a CHECK, only false rejects; unknown does not.

    ``$date`` stands for the value that the partition's column ``date`` has, and so on for other columns::

        Rule("of its day", "make_date(year, month, day) = $date")
    """

    name: str
    sql: str

    @property
    def given(self) -> frozenset[str]:
        """The names of the values it is given."""
        return frozenset(_GIVEN.findall(self.sql))

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.sql.strip():
            raise ContractInvalid(f"rule {self.name!r} needs a name and an SQL condition")


@dataclass(frozen=True, slots=True)
class Contract:
    """What an asset's files must hold: their columns, a key that is unique in a delivery, and rules for each record.

    ``null_values`` are the texts that stand for "no value", quoted or not. Raises ContractInvalid, naming everything
    that is wrong with it; SQL in rules and patterns is tried when the contract is first used.
    """

    asset: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    null_values: tuple[str, ...] = ("", "NA")
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        if problems := self._problems():
            raise ContractInvalid("; ".join(problems), where=self.asset)

    @property
    def given(self) -> frozenset[str]:
        """The names of the values that its rules are given."""
        return frozenset[str]().union(*(rule.given for rule in self.rules))

    def _problems(self) -> list[str]:
        problems = [] if self.asset else ["a contract needs the name of its asset"]
        if not self.columns:
            problems.append("a contract needs columns")
        problems += [f"column {name!r} is there twice" for name in _repeated([c.name.lower() for c in self.columns])]
        problems += [f"rule {name!r} is there twice" for name in _repeated([rule.name for rule in self.rules])]
        by_name = {column.name: column for column in self.columns}
        problems += [f"key column {name!r} is there twice" for name in _repeated(list(self.key))]
        for name in self.key:
            if name not in by_name:
                problems.append(f"key column {name!r} is not a column")
            elif by_name[name].nullable:
                problems.append(f"key column {name!r} is nullable")
        return problems


def _fits(value: object, type_name: str, scalars: tuple[type, ...]) -> bool:
    if isinstance(value, bool) or not isinstance(value, scalars):
        return False
    if isinstance(value, float | Decimal):
        return math.isfinite(value)
    if isinstance(value, int):
        return type_name != "integer" or -(2**63) <= value < 2**63
    if isinstance(value, datetime):
        return type_name != "date" and (value.tzinfo is not None) == (type_name == "timestamptz")
    return not isinstance(value, date) or type_name == "date"


def _repeated(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})
