"""Attempts that wait for an executor: by priority, then by arrival, in a line for each kind of executor they need."""

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from msgspec import Struct

from ostinato.model.message import Assignment
from ostinato.model.time import Instant

SINGLE: Final = ""
"""The line of all attempts that want a process to themselves. Every other line is named after a source."""


class Held(Struct, eq=False):
    """An attempt that the agent has and that has not ended. ``arrival`` numbers them as they came.

    ``executor`` is the number of the executor it was handed to, None while it waits. ``begun`` is when that executor
    had nothing before it any more. ``cancelled``: somebody wants it to stop. ``announced``: its start was reported.
    """

    assignment: Assignment
    arrival: int
    arrived: Instant
    executor: int | None = None
    begun: Instant = 0
    cancelled: bool = False
    announced: bool = False

    @property
    def attempt(self) -> int:
        """The attempt's id."""
        return self.assignment.attempt

    @property
    def line(self) -> str:
        """Which line it waits in."""
        return self.assignment.source if self.assignment.isolation == "reuse" else SINGLE

    @property
    def rank(self) -> tuple[int, int]:
        """What is smaller goes first."""
        return (-self.assignment.priority, self.arrival)


class Waiting:
    """The lines. A line is there only while somebody waits in it."""

    def __init__(self) -> None:
        self._lines: dict[str, list[tuple[int, int, Held]]] = {}
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[Held]:
        for line in self._lines.values():
            for entry in line:
                yield entry[2]

    def put(self, held: Held) -> None:
        """Stand in line, at the place that rank gives."""
        heappush(self._lines.setdefault(held.line, []), (*held.rank, held))
        self._size += 1

    def head(self, line: str) -> Held | None:
        """Who goes first in a line."""
        entries = self._lines.get(line)
        return entries[0][2] if entries else None

    def heads(self) -> list[Held]:
        """Who goes first in each line."""
        return [entries[0][2] for entries in self._lines.values()]

    def first(self) -> Held | None:
        """Who goes first of all."""
        return min(self._lines.values())[0][2] if self._lines else None

    def length(self, line: str) -> int:
        """How many wait in a line."""
        return len(self._lines.get(line, ()))

    def pop(self, line: str) -> Held:
        """Take who goes first in a line. Raises KeyError if nobody waits there."""
        entries = self._lines[line]
        held = heappop(entries)[2]
        if not entries:
            del self._lines[line]
        self._size -= 1
        return held

    def remove(self, held: Held) -> None:
        """Take somebody out of line. Raises ValueError if he is not in it."""
        entries = self._lines[held.line]
        entries.remove((*held.rank, held))
        heapify(entries)
        if not entries:
            del self._lines[held.line]
        self._size -= 1

    def clear(self) -> list[Held]:
        """Take everybody, as they would have gone."""
        everybody = sorted(self, key=lambda held: held.rank)
        self._lines.clear()
        self._size = 0
        return everybody
