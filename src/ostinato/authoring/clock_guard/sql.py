"""SQL in texts: where it asks the database for its clock or for chance."""

import re
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from .table import Kind

_CLOCKS_AS_THEY_STAND: Final = frozenset(
    {"CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIME", "LOCALTIMESTAMP", "SYSDATE", "SYSTIMESTAMP"}
)
_CLOCKS: Final = _CLOCKS_AS_THEY_STAND | frozenset(
    {
        "NOW", "GETDATE", "GETUTCDATE", "SYSDATETIME", "SYSUTCDATETIME", "SYSDATETIMEOFFSET", "CURDATE",
        "CURTIME", "UTC_DATE", "UTC_TIME", "UTC_TIMESTAMP", "CURRENT_DATETIME", "CLOCK_TIMESTAMP",
        "STATEMENT_TIMESTAMP", "TRANSACTION_TIMESTAMP", "TIMEOFDAY", "GET_CURRENT_TIMESTAMP", "TODAY",
        "CURRENT_LOCALTIMESTAMP", "GET_CURRENT_TIME"
    }
)  # fmt: skip
_CHANCES: Final = frozenset(
    {
        "RANDOM", "UUID", "GEN_RANDOM_UUID", "UUID_GENERATE_V4", "GENERATE_UUID", "GENERATEUUIDV4",
        "UUID_STRING", "NEWID", "NEWSEQUENTIALID", "SYS_GUID", "RANDOMBLOB", "UUIDV4", "UUIDV7"
    }
)  # fmt: skip
_UNLESS_TOLD: Final[dict[str, Kind]] = {"RAND": "chance", "RANDN": "chance", "UNIX_TIMESTAMP": "clock"}
"""What asks only without an argument."""

_OF_NOW: Final = frozenset({"DATE", "DATETIME", "TIME", "JULIANDAY", "UNIXEPOCH", "STRFTIME"})
"""What asks when its argument is the text 'now', as in SQLite."""

_WORDS: Final = "|".join(sorted(_CLOCKS | _CHANCES | _UNLESS_TOLD.keys(), reverse=True))
_SUSPECT: Final = re.compile(rf"\b(?:{_WORDS})\b|'now'", re.IGNORECASE)
_STATEMENT: Final = re.compile(
    r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*"
    r"(?:select\b|insert\s+(?:into|overwrite)\b|update\b.*\bset\b|delete\s+from\b|merge\s+into\b|replace\s+into\b|with\b.*\bas\b"
    r"|create\s|alter\s|copy\s|call\s|exec\s|values\s*\(|truncate\s|from\s.*\bselect\b)",
    re.IGNORECASE | re.DOTALL,
)
_EXPRESSION: Final = re.compile(
    rf"(?:[=<>]|\b(?:between|and|where|interval|default|then|else)\b)\s*(?:{_WORDS})\b(?!\s+\w+\s+\w+)"
    rf"|\b(?:{_WORDS})\s*(?:\(\s*\)\s*)?(?:[-+<>=]|\bbetween\b)"
    rf"|^\s*(?:{_WORDS})\s*\(\s*\)\s*$",
    re.IGNORECASE,
)
_GAP: Final = re.compile(r"\{\{.*?\}\}|\{[^{}]*\}|%\(\w+\)s|%s")
_DIALECTS: Final = ("", "mysql", "bigquery", "tsql", "databricks", "snowflake", "postgres")


class Asked(Struct, frozen=True):
    """A word of a statement that asks, as it is written there."""

    word: str
    kind: Kind


def asked_by(text: str) -> list[Asked]:
    """What a text asks the database if it is SQL, in order; nothing if it is something else."""
    if not _SUSPECT.search(text) or not (_STATEMENT.match(text) or _EXPRESSION.search(text)):
        return []
    return [*_asked(_words(_GAP.sub("p", text)))]


def _asked(words: list[tuple[str, str]]) -> Iterator[Asked]:
    """``words`` are pairs: a token's kind (``word``, ``text`` or ``sign``) and how it is written."""
    around = [("", ""), *words, ("", ""), ("", ""), ("", "")]
    for before, (what, word), *after in zip(around, around[1:], around[2:], around[3:], strict=False):
        name, (_, first), (second_kind, second) = word.upper(), *after
        if what != "word" or before[1] == "." or before[1].upper() == "AS":
            continue
        if (name in _CLOCKS_AS_THEY_STAND and first != ".") or (name in _CLOCKS and first == "("):
            yield Asked(word, "clock")
        elif name in _CHANCES and first == "(":
            yield Asked(word, "chance")
        elif name in _UNLESS_TOLD and (first, second) == ("(", ")"):
            yield Asked(word, _UNLESS_TOLD[name])
        elif name in _OF_NOW and first == "(" and (second_kind, second.lower()) == ("text", "now"):
            yield Asked(word, "clock")


def _words(text: str) -> list[tuple[str, str]]:
    """The tokens of a text in the first dialect that has them; remarks and quoted names are none of ours."""
    from sqlglot import tokenize  # noqa: PLC0415 - it takes a third of a second to load, and few files have SQL
    from sqlglot.errors import SqlglotError  # noqa: PLC0415

    for dialect in _DIALECTS:
        try:
            tokens = tokenize(text, read=dialect)
        except SqlglotError:
            continue
        return [(_kind(one.token_type.name, one.text), one.text) for one in tokens]
    return []


def _kind(type_name: str, text: str) -> str:
    if type_name.endswith("STRING"):
        return "text"
    return "word" if text[:1].isalpha() and type_name != "IDENTIFIER" else "sign"
