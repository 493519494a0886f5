"""The databases of the contract. A test that takes ``store`` does not know which one it is on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ostinato.store import Store, open_store

DATABASES: dict[str, Callable[[Path], Path | None]] = {
    "sqlite-file": lambda folder: folder / "state.db",
    "sqlite-memory": lambda _folder: None,
}


@pytest.fixture(params=DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store. After the test, everything that must always hold still does."""
    made = open_store(DATABASES[request.param](tmp_path))
    yield made
    made.check()
    made.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The path of a database file, for tests about what files and processes do to each other."""
    return tmp_path / "state.db"
