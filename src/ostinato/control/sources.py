"""The shelf of sources: for each dag version the code it was compiled from, as a file that executors can read.

The store has the truth; the shelf is a copy made when first needed. A run so keeps the code it started with, whatever
happens to the dag file meanwhile.
"""

import os
from pathlib import Path

from ostinato.home import Home
from ostinato.store import Store


class SourceShelf:
    """Puts sources of the store where executors look for them."""

    def __init__(self, store: Store, home: Home) -> None:
        self._store = store
        self._folder = home.sources
        self._there: set[str] = set()

    def ensure(self, digest: str) -> None:
        """Make sure that the source with this digest is on the shelf."""
        if digest in self._there:
            return
        path = self._folder / digest
        if not path.exists():
            _write_whole(path, self._store.source(digest))
        self._there.add(digest)


def _write_whole(path: Path, data: bytes) -> None:
    """A reader sees all of it or nothing."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
