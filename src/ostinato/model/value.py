"""How a task's result is kept: plain data, exactly, or a refusal. No pickle, so data never becomes code."""

from datetime import date, datetime, timedelta
from pathlib import PurePath
from typing import Any, Final

from msgspec import MsgspecError, msgpack

from .errors import NotStorable

MAX_BYTES: Final = 1 << 20
"""A result larger than this belongs in a file or table; its path is the result."""

_DATE: Final = 1
_TIMEDELTA: Final = 2
_NAIVE_DATETIME: Final = 3
_PLAIN: Final = (type(None), bool, int, float, str, bytes)


def encode(value: object) -> bytes:
    """The stored form of plain data: None, bool, int, float, str, bytes, date, datetime, timedelta, list, dict.

    Tuples come back as lists. Raises NotStorable, naming the part that does not fit, for anything else, for integers
    beyond 64 bits, and for results over ``MAX_BYTES``.
    """
    if value is None:
        return b"\xc0"
    try:
        data = msgpack.encode(_plain(value, "result"))
    except (MsgspecError, OverflowError, UnicodeEncodeError, RecursionError) as error:
        raise NotStorable(f"the result cannot be kept: {error}") from error
    if len(data) > MAX_BYTES:
        raise NotStorable(f"the result has {len(data):,} bytes, more than the {MAX_BYTES:,} that are kept")
    return data


def decode(data: bytes) -> Any:
    """The value that ``encode`` was given."""
    return msgpack.decode(data, ext_hook=_from_ext)


def _plain(value: object, path: str) -> object:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, list | tuple):
        items: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return [_plain(item, f"{path}[{n}]") for n, item in enumerate(items)]
    if isinstance(value, dict):
        return {_key(k, path): _plain(v, f"{path}[{k!r}]") for k, v in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else _ext(_NAIVE_DATETIME, value.isoformat())
    if isinstance(value, date):
        return _ext(_DATE, value.isoformat())
    if kind is msgpack.Ext:  # a date and the like in a spec, which holds values in their plain form
        return value
    if isinstance(value, timedelta):
        return _ext(_TIMEDELTA, f"{value.days},{value.seconds},{value.microseconds}")
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, int | float | str):
        return _base(value)
    raise NotStorable(f"{path} is a {kind.__module__}.{kind.__qualname__}, which is not plain data")


def _base(value: float | str) -> object:
    """A subclass (an enum member, a numpy float) as the plain value it is, whatever its own ``__str__`` says."""
    if isinstance(value, str):
        return str.__str__(value)
    return int(value) if isinstance(value, int) else float(value)


def _key(key: object, path: str) -> str | int:
    if isinstance(key, str | int):
        return key
    raise NotStorable(f"{path} has the key {key!r}; keys are text or integers")


def _ext(code: int, text: str) -> msgpack.Ext:
    return msgpack.Ext(code, text.encode())


def _from_ext(code: int, data: memoryview) -> object:
    text = bytes(data).decode()
    if code == _DATE:
        return date.fromisoformat(text)
    if code == _NAIVE_DATETIME:
        return datetime.fromisoformat(text)
    if code == _TIMEDELTA:
        days, seconds, microseconds = map(int, text.split(","))
        return timedelta(days, seconds, microseconds)
    raise NotStorable(f"a stored value has the unknown extension {code}")
