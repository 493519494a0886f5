"""Where the records of a CSV file begin and end, and which of them cannot be one: pure, over bytes.

The grammar is RFC 4180, comma and double quote. Where it is silent:

- an empty line is no record;
- lines end in LF or CRLF, mixed as they come; any other CR outside quotes breaks its record;
- a quote inside an unquoted field is just a character;
- a quoted field that is not closed properly breaks its first *line* only. Reading goes on at the next line, so one
  stray quote cannot swallow the records after it.

The engines' own readers do less well here (DuckDB 2.0): one CR inside a line or mixed line ends make them give up the
whole file, a stray quote takes everything up to the next quote with it, byte positions are off after empty lines and
with CRLF. So this module alone says what a record is, and a parser is handed only what is well formed.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

RECORD_LIMIT: Final = 16 << 20
"""A longer record, in bytes, is broken. It bounds memory, and how far a quoted field is followed."""

TOO_FEW: Final = "too few columns"
TOO_MANY: Final = "too many columns"
BROKEN_QUOTES: Final = "broken quotes"
CARRIAGE_RETURN: Final = "a carriage return inside the record"
TOO_LONG: Final = f"longer than {RECORD_LIMIT:,} bytes"
NOT_UTF8: Final = "not UTF-8"

_QUOTED: Final = rb'"[^"]*+(?:""[^"]*+)*+"'
_FIELD: Final = rb"(?:" + _QUOTED + rb'|[^",\r\n][^,\r\n]*+|)'
_END: Final = rb"(?:\n|\r\n)"
# What repeats possessively here never has to go back on its own: CPython before 3.11.5 forgets then where it was.
_ONE_FIELD: Final = re.compile(_FIELD)
_RECORD: Final = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*+(?=" + _END + rb")")
_OPEN: Final = re.compile(rb"(?:" + _FIELD + rb',)*+"[^"]*+(?:""[^"]*+)*+\Z')


class Record(NamedTuple):
    """One record: ``data[start:stop]`` without its line end.

    ``broken`` says why it cannot be parsed. ``garbled`` are its fields when only their bytes are wrong: the right
    number of columns, but not all of them UTF-8.
    """

    start: int
    stop: int
    broken: tuple[str, ...] = ()
    garbled: tuple[bytes, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether a parser can take it."""
        return not self.broken and not self.garbled


def sound(data: bytes, width: int) -> bool | None:
    """Whether all of ``data`` (whole lines) is well formed, found quickly; None if only parsing tells.

    After None all that can be wrong is the number of columns of some records.
    """
    if len(data) > RECORD_LIMIT or not _is_utf8(data):
        return False
    if b'"' in data:
        return _run(width).fullmatch(data) is not None
    return None if data.count(b"\r") == data.count(b"\r\n") else False


def walk(data: bytes, width: int, *, last: bool, most: int | None = None) -> tuple[list[Record], int]:
    """Every record (or the first ``most``) of ``data``, which ends with a line feed, and how many bytes they take.

    Unless ``last``, a quoted field still open at the end is left for the next call, with the data that follows.
    """
    records: list[Record] = []
    decodes = _is_utf8(data)
    position = 0
    while position < len(data) and len(records) != most:
        newline = data.index(b"\n", position)
        stop = newline - 1 if data[newline - 1 : newline] == b"\r" and newline > position else newline
        broken: tuple[str, ...] = ()
        width_found = 0
        if data.find(b'"', position, stop) < 0:
            if stop == position:
                position = newline + 1
                continue
            width_found = data.count(b",", position, stop) + 1
            if data.find(b"\r", position, stop) >= 0:
                broken = (CARRIAGE_RETURN,)
        elif match := _RECORD.match(data, position):
            stop = match.end()
            newline = data.index(b"\n", stop)
            width_found = len(split(data[position:stop]))
        elif not last and len(data) - position <= RECORD_LIMIT and _OPEN.match(data, position):
            break
        else:
            broken = (CARRIAGE_RETURN,) if data.find(b"\r", position, stop) >= 0 else (BROKEN_QUOTES,)
        if not broken and width_found != width:
            broken = (TOO_FEW,) if width_found < width else (TOO_MANY,)
        if stop - position > RECORD_LIMIT:
            broken = (*broken, TOO_LONG)
        records.append(Record(position, stop, broken) if decodes else _decoded(data, position, stop, broken))
        position = newline + 1
    return records, position


def split(record: bytes) -> list[bytes]:
    """The fields of one well-formed record, without their quotes."""
    fields: list[bytes] = []
    position = 0
    while position <= len(record) and (match := _ONE_FIELD.match(record, position)):
        field = match[0]
        fields.append(field[1:-1].replace(b'""', b'"') if field.startswith(b'"') else field)
        position = match.end() + 1
    return fields


def _decoded(data: bytes, start: int, stop: int, broken: tuple[str, ...]) -> Record:
    raw = data[start:stop]
    if _is_utf8(raw):
        return Record(start, stop, broken)
    if broken:
        return Record(start, stop, (*broken, NOT_UTF8))
    return Record(start, stop, (), tuple(split(raw)))


def _is_utf8(data: bytes) -> bool:
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
    return True


@lru_cache(maxsize=64)
def _run(width: int) -> re.Pattern[bytes]:
    """Any number of empty lines and whole records of exactly ``width`` fields."""
    record = _FIELD + rb"(?:," + _FIELD + rb"){%d}" % (width - 1) + _END
    return re.compile(rb"(?:" + record + rb"|" + _END + rb")*+")
