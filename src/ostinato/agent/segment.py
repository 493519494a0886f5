"""Log segments: files that take what executors print, one executor at a time, bounded for each attempt."""

import os
from pathlib import Path
from typing import Final

ATTEMPT_BYTES: Final = 16 << 20
"""What one attempt may print. The rest is cut, and a line says so."""

SEGMENT_BYTES: Final = 64 << 20
"""A segment that has grown beyond this is given to no further executor."""

NOTE: Final = "[ostinato] "


def note(fd: int, begin: int, text: str) -> None:
    """Add a line of ours to what was printed since ``begin``. Raises OSError if the disk does not take it."""
    end = end_of(fd)
    before = "\n" if end > begin and os.pread(fd, 1, end - 1) != b"\n" else ""
    os.write(fd, f"{before}{NOTE}{text}\n".encode())


def end_of(fd: int) -> int:
    """Where a log ends."""
    return os.lseek(fd, 0, os.SEEK_END)


def cut(fd: int, begin: int, end: int) -> int:
    """Keep at most `ATTEMPT_BYTES` of what was printed since ``begin``, and return where the log ends then."""
    if end - begin <= ATTEMPT_BYTES:
        return end
    os.ftruncate(fd, begin + ATTEMPT_BYTES)
    note(fd, begin, f"more was printed, but only the first {ATTEMPT_BYTES >> 20} MiB are kept")
    return end_of(fd)


class Segment:
    """A log file that an executor writes to. ``name`` is empty when the disk did not give us one: nothing is kept."""

    def __init__(self, folder: Path, name: str) -> None:
        self.trouble = ""
        try:
            self.fd = os.open(folder / name, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self.name = name
        except OSError as error:
            self.fd = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            self.name = ""
            self.trouble = f"no log can be written: {error}"

    def end(self) -> int:
        """Where it ends."""
        return end_of(self.fd) if self.name else 0

    def bound(self, begin: int) -> int:
        """Cut what was printed since ``begin`` to what one attempt may print; return where it ends then."""
        if not self.name:
            return 0
        try:
            return cut(self.fd, begin, self.end())
        except OSError as error:
            self.trouble = f"the log {self.name} cannot be cut: {error}"
            return self.end()

    def close(self) -> None:
        """Give the descriptor back; the file stays."""
        os.close(self.fd)


class Segments:
    """The segments of one life of the agent. Each is used by one executor after another, so they stay few."""

    def __init__(self, folder: Path, agent: str) -> None:
        self._folder = folder
        self._agent = agent
        self._made = 0
        self._free: list[Segment] = []

    def take(self) -> Segment:
        """A segment that no executor writes to."""
        while self._free:
            segment = self._free.pop()
            if segment.name and segment.end() < SEGMENT_BYTES:
                return segment
            segment.close()
        self._made += 1
        return Segment(self._folder, f"{self._agent}-{self._made}.log")

    def give_back(self, segment: Segment) -> None:
        """The executor that wrote to it is gone."""
        self._free.append(segment)
