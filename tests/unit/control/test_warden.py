"""Who sees to an agent leaves alone what is not there, or has its scheduler: it must not keep anybody waiting."""

import os
from collections.abc import Iterator

import pytest

from ostinato.agent.lock import take_agent_lock
from ostinato.control.hint import HintListener
from ostinato.control.warden import Joined, Warden
from ostinato.home import Home
from ostinato.store import Store, open_store


class Joining(Exception):
    """Somebody connects to the agent."""


def join() -> Joined:
    raise Joining


@pytest.fixture
def warden(home: Home) -> Iterator[Warden]:
    store: Store = open_store(None)
    yield Warden(store, home, join)
    store.close()


def test_where_no_agent_lives_nothing_is_waited_for(warden: Warden) -> None:
    warden.look()


def test_an_agent_that_a_scheduler_of_its_home_leads_is_left_to_it(warden: Warden, home: Home) -> None:
    lock = take_agent_lock(home.agent)
    assert lock is not None
    listener = HintListener(home)
    warden.look()
    listener.close()
    with pytest.raises(Joining):
        warden.look()
    os.close(lock)
