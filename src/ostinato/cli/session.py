"""A command's way to the state: which home, opened how. The database library is loaded here and only when needed."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ostinato.asker import seat
from ostinato.home import Home, scheduler_alive
from ostinato.model.errors import HomeUnusable, NotFound

if TYPE_CHECKING:
    from ostinato.store import Store


def present_home() -> Home:
    """The home that has state to read. Raises NotFound where nothing was ever run, HomeUnusable where it is no folder."""
    home = Home.from_environment()
    try:
        found = home.address is not None or home.database.exists()
    except OSError as error:
        raise HomeUnusable(f"the state folder cannot be read: {error.strerror}", where=str(home.path)) from error
    if home.path.exists() and not home.path.is_dir():
        raise HomeUnusable("the state folder is a file", where=str(home.path))
    if not found:
        raise NotFound(
            "there is no state here yet",
            where=str(home.path),
            help="Run something first (`ostinato run FILE`), or set OSTINATO_HOME to the folder that has it.",
        )
    return home


def scheduler_of(home: Home, store: "Store") -> str | None:
    """Who schedules on this state; None: nobody, as far as can be seen."""
    if home.address is not None:
        return store.leader()
    pid = scheduler_alive(home)
    return None if pid is None else f"process {pid}"


@contextmanager
def state(home: Home) -> Generator["Store"]:
    """The open store of a home, made if need be, closed at the end."""
    from ostinato.store import open_store  # noqa: PLC0415 - loads the database library, which help does without

    store = open_store(home.create().state, seat("command line"))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def present_state() -> Generator["Store"]:
    """The open store of the home that the environment names; NotFound if there is none."""
    with state(present_home()) as store:
        yield store
