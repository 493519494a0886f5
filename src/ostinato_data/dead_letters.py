"""Rejected records in files of their own: ``<root>/<asset>/<partition>/errors.json``, one JSON object a line.

A file holds all rejects of its partition's last check, in the order of the files they came from. It is written whole and
before the table's commit, so that a retry writes the same bytes, and removed when there is nothing to reject any more.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from .errors import DeadLettersUnreadable, TargetInvalid
from .files import remove, write_whole
from .partition import Partition
from .reject import Reject

FILE: Final = "errors.json"

_ASSET: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """What was put aside for one partition: the file (None if there was nothing), how many records, how often each reason."""

    path: Path | None
    count: int
    reasons: dict[str, int]


def place(root: Path, asset: str, partition: Partition) -> Path:
    """Where the dead letters of a partition lie."""
    if not _ASSET.fullmatch(asset):
        raise TargetInvalid(f"{asset!r} cannot be the name of an asset's folder")
    return root / asset / partition.path / FILE


def write(path: Path, rejects: Iterable[Reject]) -> DeadLetters:
    """Put these rejects, and only them, at ``path``, and count them. They are taken one at a time."""
    letters = iter(rejects)
    first = next(letters, None)
    if first is None:
        remove(path)
        return DeadLetters(None, 0, {})
    reasons: Counter[str] = Counter()
    count = 0

    def lines() -> Iterator[bytes]:
        nonlocal count
        for reject in chain((first,), letters):
            count += 1
            reasons.update(reject.reasons)
            yield reject.line()

    write_whole(path, lines())
    return DeadLetters(path, count, dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))))


def read(path: Path) -> Iterator[Reject]:
    """The rejects of a dead letter file. Raises DeadLettersUnreadable, naming the line."""
    try:
        with path.open("rb") as file:
            yield from (Reject.from_line(line) for line in file)
    except OSError as error:
        raise DeadLettersUnreadable(f"the dead letters cannot be read: {error.strerror}", where=path) from error


def find(root: Path, asset: str | None = None) -> list[Path]:
    """The dead letter files under ``root``, of one asset or of all, in order."""
    return sorted((root / asset if asset else root).rglob(FILE))
