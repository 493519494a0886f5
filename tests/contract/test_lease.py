"""Several schedulers, one server: who leads, how that is seen, and how soon another one takes over."""

import os
from collections.abc import Callable, Iterator
from queue import Queue

import pytest

from ostinato.model.errors import FencedOut, StoreUnavailable
from ostinato.store import Store, lease, open_store
from ostinato.store.lease import Lease
from tests.contract.leader import MAY_1, deploy, new_run
from tests.contract.raw import end_session, execute, query, session_id
from tests.places import Server

PATIENCE_S = 20.0


class Site:
    """A database on a server, and schedulers that want to lead."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.opened: list[tuple[Store, Lease]] = []

    def claim(self, owner: str, heard: Callable[[], None] = lambda: None) -> Lease:
        store = open_store(self.address)
        made = store.lease(owner, heard)
        assert made is not None
        self.opened.append((store, made))
        return made

    def end(self) -> None:
        """End the scheduler that was there first, in order."""
        store, claim = self.opened.pop(0)
        claim.close()
        store.close()

    def end_session_of(self, claim: Lease) -> int:
        """End the session that holds the leader's lock, as if its process or its network had died; its number."""
        session = claim._session
        assert session is not None
        number = session_id(session)
        end_session(self.address, number)
        return number

    def hang(self, claim: Lease) -> None:
        """Have the loop of a leader hang. Its session lives and keeps the lock, but it does not beat any more."""
        while query(self.address, "SELECT beat FROM meta") == [(0,)]:
            claim.turned()
        claim._turned = -1e9

    def kill(self, claim: Lease) -> None:
        """End the thread of a leader without a word, and its session."""
        os.write(claim._stop, b".")
        assert claim._thread is not None
        claim._thread.join()
        self.end_session_of(claim)


@pytest.fixture
def site(server: Server) -> Iterator[Site]:
    made = Site(server.new_database())
    yield made
    while made.opened:
        made.end()


def test_a_file_has_one_scheduler_and_no_lease(store: Store) -> None:
    assert (store.leader(), store.lease("a", lambda: None) is None) == (None, "://" not in store.place)


def test_who_leads_is_seen_by_all_and_free_again_at_once_when_it_goes(site: Site) -> None:
    first, second, third = site.claim("first"), site.claim("second"), site.claim("third")
    assert [claim.look() for claim in (first, second, third)] == [None] * 3
    assert first.take(MAY_1) == 1
    assert [second.look(), third.look(), site.opened[1][0].leader()] == ["first"] * 3
    first.turned()
    site.end()
    assert [second.look(), third.look()] == [None, None]
    assert second.take(MAY_1 - 600_000) == 2  # its clock is ten minutes late: nobody compares clocks
    assert third.look() == "second"


def test_of_two_who_see_nobody_lead_the_slower_one_does_not_take_it_from_the_quicker(site: Site) -> None:
    first, second = site.claim("first"), site.claim("second")
    assert (first.look(), second.look()) == (None, None)
    assert second.take(MAY_1) == 1
    with pytest.raises(FencedOut, match="quicker"):
        first.take(MAY_1)
    assert first.look() == "second"
    second.turned()


def test_while_one_takes_the_lead_another_cannot(site: Site) -> None:
    first = site.claim("first")
    assert first.look() is None
    first._connected().lock("epoch 1")
    second = site.claim("second")
    assert second.look() is None
    with pytest.raises(FencedOut, match="quicker"):
        second.take(MAY_1)


def test_one_whose_session_dies_is_missed_at_once(site: Site) -> None:
    first, second = site.claim("first"), site.claim("second")
    first.take(MAY_1)
    assert second.look() == "first"
    site.kill(first)
    assert second.look() is None
    assert second.take(MAY_1) == 2


def test_one_that_hangs_is_missed_when_its_beat_stands_still_and_told_when_it_goes_on(
    site: Site,
) -> None:
    seconds = [0.0]
    told: Queue[None] = Queue()
    first, second = site.claim("first", lambda: told.put(None)), site.claim("second")
    first.take(MAY_1)
    site.hang(first)
    second._clock = lambda: seconds[0]
    assert second.look() == "first"
    seconds[0] = lease.HUNG_S - 0.01
    assert second.look() == "first"
    seconds[0] = lease.HUNG_S
    assert second.look() is None
    assert second.take(MAY_1) == 2
    first._turned = first._clock()  # it goes on
    while first._lost is None:
        told.get(timeout=PATIENCE_S)
    with pytest.raises(FencedOut, match="taken by second"):
        first.turned()
    assert site.claim("third").look() == "second"


def test_one_that_beats_is_not_given_up_however_long_others_look(site: Site) -> None:
    seconds = [0.0]
    first, second = site.claim("first"), site.claim("second")
    first.take(MAY_1)
    assert second.look() == "first"
    second._clock = lambda: seconds[0]
    for _ in range(10):
        seconds[0] += lease.HUNG_S - 0.01
        query_beat(site)
        assert second.look() == "first"


def query_beat(site: Site) -> None:
    """A beat, as the leader's thread makes it."""
    execute(site.address, "UPDATE meta SET beat = beat + 1")


def test_who_could_not_look_for_a_while_sees_no_hanging_in_that(site: Site) -> None:
    seconds = [0.0]
    first, second = site.claim("first"), site.claim("second")
    first.take(MAY_1)
    site.hang(first)
    second._clock = lambda: seconds[0]
    assert second.look() == "first"
    session = second._session
    assert session is not None
    end_session(site.address, session_id(session))
    with pytest.raises(StoreUnavailable):
        second.look()
    seconds[0] = 10 * lease.HUNG_S
    assert second.look() == "first"


def test_a_leader_whose_session_ends_leads_on(site: Site) -> None:
    first = site.claim("first")
    first.take(MAY_1)
    before = site.end_session_of(first)
    second = site.claim("second")
    while (session := first._session) is None or session_id(session) == before:
        first.turned()
    while second.look() is None:
        first.turned()
    assert second.look() == "first"


def test_what_people_ask_for_is_heard_by_the_leader_wherever_it_was_asked(site: Site) -> None:
    told: Queue[None] = Queue()
    first = site.claim("first", lambda: told.put(None))
    first.take(MAY_1)
    elsewhere = open_store(site.address)
    version = deploy(elsewhere)
    told.get(timeout=PATIENCE_S)
    assert told.empty()
    elsewhere.create_runs([new_run(version)])
    told.get(timeout=PATIENCE_S)
    elsewhere.close()
