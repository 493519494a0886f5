"""Text with ``{{ names }}`` in it, filled from the run: a fixed list of names and filters, and no code.

================== ==========================================================================
``logical_date``   the date of the data interval's start, ``2013-05-01``
``interval_start`` the data interval's start, ISO 8601, in the schedule's time zone
``interval_end``   its end, likewise
``dag_id``         the dag
``run_id``         the run, a number
``task_id``        the step
``params.x``       the run's value of the dag's parameter ``x``
================== ==========================================================================

A filter takes a part of a date: ``{{ logical_date | year }}`` is ``2013``; there are ``year``, ``month``, ``day``, ``hour``
(not of a bare date) and ``nodash`` (``20130501``, ``20130501T060000``).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from msgspec import Struct

from ostinato.model.errors import UsageError
from ostinato.model.spec import DagSpec, Param
from ostinato.model.time import DataInterval, moment

from .schedule import zone

NAMES: Final = ("logical_date", "interval_start", "interval_end", "dag_id", "run_id", "task_id")
DATES: Final = ("logical_date", "interval_start", "interval_end")

_HOLE: Final = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_INSIDE: Final = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(?:\|\s*(\w+)\s*)?", re.ASCII)

_FILTERS: Final[dict[str, Callable[[str], str]]] = {
    "nodash": lambda text: text[:19].replace("-", "").replace(":", ""),
    "year": lambda text: text[:4],
    "month": lambda text: text[5:7],
    "day": lambda text: text[8:10],
    "hour": lambda text: text[11:13],
}
"""What each filter makes of a date in ISO 8601."""


class Hole(Struct, frozen=True):
    """A place in a template to fill: a name, and a filter or ''. ``written`` is how the author put it."""

    name: str
    filter: str
    written: str


@lru_cache(maxsize=16_384)
def parts(text: str) -> tuple[str | Hole, ...]:
    """A template's fixed text and holes, in order. A hole that cannot be read has the name ''."""
    found: list[str | Hole] = []
    end = 0
    for match in _HOLE.finditer(text):
        if match.start() > end:
            found.append(text[end : match.start()])
        inside = _INSIDE.fullmatch(match[1])
        found.append(Hole(inside[1], inside[2] or "", match[0]) if inside else Hole("", "", match[0]))
        end = match.end()
    if end < len(text):
        found.append(text[end:])
    return tuple(found)


def faults(text: str, params: Mapping[str, Param]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a template, as (kind, the hole as written, the wrong word).

    Kinds: ``syntax``, ``name``, ``filter``, ``param`` (not declared), ``text`` (a list or dict has no place in text).
    """
    for part in parts(text):
        if isinstance(part, str):
            if "{{" in part:
                yield "syntax", part[part.index("{{") :], ""
        elif not part.name:
            yield "syntax", part.written, ""
        else:
            yield from _hole_faults(part, params)


def _hole_faults(hole: Hole, params: Mapping[str, Param]) -> Iterator[tuple[str, str, str]]:
    if hole.name.startswith("params."):
        name = hole.name.removeprefix("params.")
        if name not in params:
            yield "param", hole.written, name
        elif params[name].type in {"array", "object"}:
            yield "text", hole.written, name
    elif hole.name not in NAMES:
        yield "name", hole.written, hole.name
    fits = hole.filter in _FILTERS and hole.name in DATES and (hole.filter, hole.name) != ("hour", "logical_date")
    if hole.filter and not fits:
        yield "filter", hole.written, hole.filter


def values(spec: DagSpec, run_id: int, interval: DataInterval, params: Mapping[str, Any]) -> dict[str, str]:
    """What a run fills templates with. The same for all its steps, but for ``task_id``, which is not in it."""
    tz = zone(spec.schedule)
    start, end = moment(interval.start).astimezone(tz), moment(interval.end).astimezone(tz)
    filled = {
        "logical_date": start.date().isoformat(),
        "interval_start": start.isoformat(),
        "interval_end": end.isoformat(),
        "dag_id": spec.dag_id,
        "run_id": str(run_id),
    }
    for name, value in params.items():
        filled[f"params.{name}"] = _text(value)
    return filled


def render(text: str, values: Mapping[str, str], task_id: str) -> str:
    """The text with its holes filled. Raises UsageError for a hole that ``values`` has nothing for."""
    return "".join([part if isinstance(part, str) else _fill(part, values, task_id) for part in parts(text)])


def _fill(hole: Hole, values: Mapping[str, str], task_id: str) -> str:
    value = task_id if hole.name == "task_id" else values.get(hole.name)
    if value is None:
        raise UsageError(f"nothing fills {hole.written!r} in the arguments of step {task_id!r}")
    return _FILTERS[hole.filter](value) if hole.filter else value


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
