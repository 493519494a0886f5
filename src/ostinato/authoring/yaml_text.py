"""YAML as plain data with the place of every part: no tags, no objects, nothing that grows beyond its limits.

Scalars are those of YAML 1.2 (its core schema): ``yes``, ``on`` and ``2024-01-01`` are text.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn, cast

import yaml
from msgspec import Struct, field
from yaml.events import AliasEvent, DocumentStartEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

from .check import Place, report, shown
from .mistakes import Mistake

Path = tuple[str | int, ...]
"""The way from a document's root to a part of it."""

LARGEST: Final = 1_000_000
_DEEPEST: Final = 40
_MOST_PARTS: Final = 100_000
_LONGEST_NUMBER: Final = 300

_INTEGER: Final = re.compile(r"[-+]?[0-9]+", re.ASCII)
_NUMBER: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)
_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Document(Struct):
    """One document of a file. ``keys`` has where the key of a part is written, ``places`` where the part is."""

    file: str
    value: object = None
    places: dict[Path, Place] = field(default_factory=dict[Path, Place])
    keys: dict[Path, Place] = field(default_factory=dict[Path, Place])

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Where a part is, or its key; of a part that came in by an alias, where the alias is."""
        for length in range(len(path), -1, -1):
            found = (self.keys.get(path[:length]) if key else None) or self.places.get(path[:length])
            if found is not None:
                return found
        return Place(self.file, 1, 1, 1)


class _Stopped(Exception):
    """The text cannot be read any further; why has been reported."""


def documents(code: bytes, file: str) -> list[Document]:
    """The documents of a YAML file. What is wrong with it is reported, and then there are none."""
    text = _decoded(code, file)
    try:
        return [] if text is None else list(_Reader(text, file).documents())
    except _Stopped:
        return []
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(file, mark.line + 1, mark.column + 1, mark.line + 1) if mark else Place(file)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "something in it is not YAML"
        report(
            Mistake.BAD_YAML,
            f"the file is not valid YAML: {what}",
            "look at the indentation, and at quotes and colons",
            place=place,
        )
        return []


def _decoded(code: bytes, file: str) -> str | None:
    if len(code) > LARGEST:
        what = f"the file has {len(code):,} bytes"
        report(Mistake.YAML_TOO_LARGE, what, f"at most {LARGEST:,}: make it several files", place=Place(file))
        return None
    try:
        return code.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = code[: error.start].count(b"\n") + 1
        report(Mistake.UNREADABLE, "the file is not text in UTF-8", "save it as UTF-8", place=Place(file, line))
        return None


class _Reader:
    """From the parser's events to documents."""

    def __init__(self, text: str, file: str) -> None:
        self._events = cast("Iterator[Any]", yaml.parse(text, Loader=yaml.SafeLoader))  # pyright: ignore[reportUnknownMemberType]
        self._file = file
        self._parts = 0
        self._anchors: dict[str, tuple[object, int]] = {}
        self._document = Document(file)

    def documents(self) -> Iterator[Document]:
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                self._anchors = {}
                self._document = Document(self._file)
                self._document.value = self._value(next(self._events), ())
                yield self._document

    def _value(self, event: Any, path: Path) -> object:
        place = self._place(event)
        before = self._parts
        self._count(1, place)
        if isinstance(event, AliasEvent):
            value = self._alias(event, place)
        elif len(path) > _DEEPEST:
            self._stop(Mistake.YAML_TOO_LARGE, f"it is nested more than {_DEEPEST} levels deep", place)
        elif event.tag not in {None, "!"}:
            self._stop(Mistake.BAD_YAML, f"the tag {shown(event.tag)} is not understood", place, "leave it out")
        elif isinstance(event, MappingStartEvent):
            value, place = self._mapping(path, place)
        elif isinstance(event, SequenceStartEvent):
            value, place = self._sequence(path, place)
        else:
            value = self._scalar(event, place)
        self._document.places[path] = place
        if getattr(event, "anchor", None) and not isinstance(event, AliasEvent):
            self._anchors[event.anchor] = value, self._parts - before
        return value

    def _mapping(self, path: Path, place: Place) -> tuple[dict[str, object], Place]:
        found: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            spot = self._place(event)
            if not isinstance(event, ScalarEvent):
                self._stop(Mistake.BAD_YAML, "a key is not text", spot, "a key is one word before a colon")
            key = event.value
            if key in found:
                report(Mistake.BAD_YAML, f"the key {shown(key)} is there twice", "keep one of them", place=spot)
            self._document.keys[*path, key] = spot
            found[key] = self._value(next(self._events), (*path, key))
        return found, place._replace(last_line=max(place.line, event.end_mark.line))

    def _sequence(self, path: Path, place: Place) -> tuple[list[object], Place]:
        found: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._value(event, (*path, len(found))))
        return found, place._replace(last_line=max(place.line, event.end_mark.line))

    def _scalar(self, event: ScalarEvent, place: Place) -> object:
        text = event.value
        if event.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if not _NUMBER.fullmatch(text):
            return text
        if len(text) > _LONGEST_NUMBER:
            self._stop(Mistake.BAD_YAML, f"the number {shown(text)} is too long", place, "put quotes around text")
        return int(text) if _INTEGER.fullmatch(text) else float(text)

    def _alias(self, event: AliasEvent, place: Place) -> object:
        known = self._anchors.get(event.anchor)
        if known is None:
            self._stop(Mistake.BAD_YAML, f"there is no &{event.anchor} before *{event.anchor}", place)
        self._count(known[1], place)
        return known[0]

    def _count(self, parts: int, place: Place) -> None:
        self._parts += parts
        if self._parts > _MOST_PARTS:
            self._stop(Mistake.YAML_TOO_LARGE, f"it has more than {_MOST_PARTS:,} parts, aliases written out", place)

    def _place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        return Place(self._file, start.line + 1, start.column + 1, end.line + 1)

    def _stop(self, mistake: Mistake, what: str, place: Place, help: str = "") -> NoReturn:
        report(mistake, what, help or "make it simpler, or make it several files", place=place)
        raise _Stopped
