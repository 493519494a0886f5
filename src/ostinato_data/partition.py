"""One slice of a table, named by the values of its partition columns."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import quote

from .errors import TargetInvalid

PartitionValue = str | int | date

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Partition:
    """The values of the partition columns, in the table's order: a date, text that is not empty, or an integer."""

    values: tuple[tuple[str, PartitionValue], ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise TargetInvalid("a partition needs at least one column and its value")
        for name, value in self.values:
            if not _NAME.fullmatch(name):
                raise TargetInvalid(f"{name!r} cannot be the name of a partition column")
            if type(value) not in {str, int, date} or value == "":
                raise TargetInvalid(f"{value!r} cannot be the value of partition column {name!r}")

    @classmethod
    def of(cls, values: Mapping[str, PartitionValue]) -> "Partition":
        """The partition with these values. Raises TargetInvalid."""
        return cls(tuple(values.items()))

    @property
    def columns(self) -> list[str]:
        """The names of the partition columns."""
        return [name for name, _ in self.values]

    @property
    def path(self) -> str:
        """``date=2013-05-01``, or more such parts joined by ``/``. Different partitions have different paths."""
        return "/".join(f"{name}={quote(text, safe='')}" for name, text in self.texts.items())

    @property
    def predicate(self) -> str:
        """The condition, in SQL, that is true of exactly this partition's rows."""
        return " AND ".join(f'"{name}" = {_literal(value)}' for name, value in self.values)

    @property
    def texts(self) -> dict[str, str]:
        """The values as a Delta log writes them."""
        return {name: value.isoformat() if isinstance(value, date) else str(value) for name, value in self.values}


def _literal(value: PartitionValue) -> str:
    if isinstance(value, int):
        return str(value)
    text = value.isoformat() if isinstance(value, date) else value
    return "'" + text.replace("'", "''") + "'"
