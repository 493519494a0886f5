"""The databases of the contract. A test that takes ``store`` does not know which one it is on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ostinato.store import Store, open_store
from tests.places import Place, places


@pytest.fixture(params=["sqlite-file", "sqlite-memory", "postgres", "mariadb", "mysql"])
def new_place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Place]:
    """What makes a place for a database that is not there yet."""
    return places(request, tmp_path)


@pytest.fixture
def store(new_place: Callable[[], Place]) -> Iterator[Store]:
    """An empty store. After the test, everything that must always hold still does."""
    made = open_store(new_place())
    yield made
    made.check()
    made.close()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The path of a database file, for tests about files."""
    return tmp_path / "state.db"
