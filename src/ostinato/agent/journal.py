"""Which attempts an agent has begun, kept so that its successor can tell after a kill -9.

Each life of an agent has one file: a header with the machine's boot id, then a table of attempt ids, zero where free.
An id is written before its attempt is handed to an executor. It is removed when the attempt is known not to have begun
after all, or when its result is acknowledged. The table is mapped memory: writing costs no system call and outlives
the process, not the machine. That is all it has to: after a reboot the boot id differs, and nothing is said of that
life, so that whatever it held counts as lost. Blocks are reserved when the file grows, so a full disk cannot hit later.

A dead life's file is removed when a scheduler that was told of it (it stands in the Hello) speaks to us: schedulers
send only after the commit that recorded what they had heard, so by then the dead life's attempts have a new fate.
"""

import mmap
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from .kernel import boot_id

SUFFIX: Final = ".journal"
_HEADER: Final = 64
_ENTRY: Final = 8
_ENTRIES: Final = 2_040
"""Grown by this many, the first file has four pages."""


class Journal:
    """The table of this life."""

    def __init__(self, folder: Path, agent: str) -> None:
        """Begin a file. Raises OSError if the disk has no room for it."""
        self._fd = os.open(folder / f"{agent}{SUFFIX}", os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        os.posix_fallocate(self._fd, 0, _HEADER)
        os.pwrite(self._fd, boot_id().encode(), 0)
        self._size = 0
        self._free: list[int] = []
        self._place: dict[int, int] = {}
        self._grow()

    def begin(self, attempts: list[int]) -> None:
        """These are about to be handed out. Raises OSError, and notes none of them, if the disk has no room."""
        while len(self._free) < len(attempts):
            self._grow()
        for attempt in attempts:
            place = self._free.pop()
            self._place[attempt] = place
            self._table[place] = attempt

    def forget(self, attempts: Iterable[int]) -> None:
        """These did not begin after all, or their results are acknowledged. Unknown ones are nobody's."""
        for attempt in attempts:
            place = self._place.pop(attempt, None)
            if place is not None:
                self._table[place] = 0
                self._free.append(place)

    def close(self) -> None:
        """Let go of the file, which stays."""
        self._unmap()
        os.close(self._fd)

    def _grow(self) -> None:
        size = self._size + _ENTRIES
        os.posix_fallocate(self._fd, 0, _HEADER + size * _ENTRY)
        if self._size:
            self._unmap()
        self._map = mmap.mmap(self._fd, _HEADER + size * _ENTRY)
        self._view = memoryview(self._map)
        self._table = self._view[_HEADER:].cast("q")
        self._free += range(size - 1, self._size - 1, -1)
        self._size = size

    def _unmap(self) -> None:
        self._table.release()
        self._view.release()
        self._map.close()


class Predecessors:
    """The journals of dead lives."""

    def __init__(self, folder: Path) -> None:
        self._paths = sorted(folder.glob(f"*{SUFFIX}"))

    def known(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Each dead life whose begun attempts are known, with them. Lives before a reboot are not: they are left out."""
        boot = boot_id()
        read = [(path.name.removesuffix(SUFFIX), _begun(path.read_bytes(), boot)) for path in self._paths]
        return tuple([(agent, begun) for agent, begun in read if begun is not None])

    def forget(self) -> None:
        """A scheduler knows what they say: remove them."""
        for path in self._paths:
            path.unlink(missing_ok=True)
        self._paths = []


def _begun(data: bytes, boot: str) -> tuple[int, ...] | None:
    if data[:_HEADER].rstrip(b"\0").decode(errors="replace") != boot:
        return None
    table = data[_HEADER : _HEADER + (len(data) - _HEADER) // _ENTRY * _ENTRY]
    return tuple(sorted(attempt for attempt in memoryview(table).cast("q") if attempt))
