"""A backup is taken, and later the state is as it was then: the world, and whoever works in it, is ahead of what is written.

What is put back is the database itself; `Store.set_back` then does what it does after a restore. The witness and people
remember what they knew at that moment. What was performed, what agents hold and what lies on their disks stays as it is.
"""

import sqlite3
from copy import deepcopy
from typing import Any, Final

from ostinato.model.state import FINAL_ATTEMPT, LIVE_ATTEMPT
from ostinato.model.time import Instant
from ostinato.store import Store

from .people import People
from .witness import Witness
from .world import World

_PEOPLE_KNOW: Final = ("dags", "batches", "disturbed", "accepted")
_WITNESS_KEEPS: Final = frozenset(
    {
        "world",
        "timeline",
        "specs",
        "edges",
        "moves",
        "launched",
        "commits",
        "storming",
        "calls",
        "epoch",
        "machine",
        "lost",
        "unproven",
        "set_backs",
        "_most",
    }
)
"""What it goes on to know: facts of the world, and what it counts for itself."""


class Backup:
    """The state as of one moment."""

    def __init__(self, store: Store, witness: Witness, people: People, world: World) -> None:
        self._store = store
        self._witness = witness
        self._people = people
        self._world = world
        self._pages = sqlite3.connect(":memory:")
        _connection(store).backup(self._pages)
        shared = [witness.specs, witness.edges, *witness.specs.values(), *witness.edges.values()]
        known = {name: value for name, value in vars(witness).items() if name not in _WITNESS_KEEPS}
        told = {name: getattr(people, name) for name in _PEOPLE_KNOW}
        self._known: dict[str, Any]
        self._told: dict[str, Any]
        self._known, self._told = deepcopy((known, told), {id(each): each for each in shared})
        self._last_alert = max((alert.outbox_id for alert in store.alerts(1)), default=0)

    def restore(self, now: Instant, *, again: bool) -> None:
        """Put it back, and go on from there; with ``again`` as if nothing had been done since."""
        witness, people, world = self._witness, self._people, self._world
        self._pages.backup(_connection(self._store))
        self.close()
        self._store._writer._agents.forget()  # every process has a store of its own
        self._store._writer._segments.forget()
        before, deployed = witness.attempts, dict(people.dags)
        vars(witness).update(self._known)
        vars(people).update(self._told)
        world.deliveries = [outbox_id for outbox_id in world.deliveries if outbox_id <= self._last_alert]
        witness.lost |= before.keys() - witness.attempts.keys()
        witness.unproven |= {
            attempt
            for attempt, seen in witness.attempts.items()
            if seen.state in LIVE_ATTEMPT and before[attempt].state in FINAL_ATTEMPT
        }
        self._store.set_back("ada", now, again=again)
        witness.set_back(self._epoch(), now, again=again)
        people.set_back(deployed)

    def close(self) -> None:
        """It is not needed any more."""
        self._pages.close()

    def _epoch(self) -> int:
        [(epoch,)] = _connection(self._store).execute("SELECT epoch FROM meta").fetchall()
        return epoch


def _connection(store: Store) -> sqlite3.Connection:
    connection = store._engine.raw_connection().driver_connection
    assert isinstance(connection, sqlite3.Connection)
    return connection
