"""A scheduler that stands by looks after the agent of its machine: what counts as lost there is to stop. See `Warden`."""

from collections.abc import Sequence
from functools import partial

from ostinato.model.message import CancelAttempts, FromAgent, Hello
from ostinato.store import Store

from .host import Host
from .network import Connection
from .trace import demand
from .world import Performance, World


class Visit:
    """One look: connect, compare what the agent holds with the state, tell it, hang up."""

    def __init__(self, store: Store, world: World, host: Host) -> None:
        self._store = store
        self._world = world
        self._host = host
        self._connection = Connection(host.network, self, host.life)
        host.life.accept(self._connection)

    def heard(self, connection: Connection, messages: Sequence[FromAgent]) -> None:
        """Something has come in."""
        for message in messages:
            if isinstance(message, Hello) and connection.open:
                lost = sorted(set(message.holds) - self._store.live_among(message.holds))
                if lost:
                    connection.to_agent([CancelAttempts(tuple(lost))])
                connection.hang_up(partial(self._has_effect, self._going_for_nothing()))

    def lost(self, connection: Connection) -> None:
        """It has ended."""
        del connection

    def _going_for_nothing(self) -> list[Performance]:
        """What is performed here although it does not count any more."""
        going = [self._world.performed[attempt] for attempts in self._world.going.values() for attempt in attempts]
        return [each for each in going if each.agent == self._host.life.name and not self._world.counts(each.attempt)]

    def _has_effect(self, going: list[Performance]) -> None:
        """Raise Violation if anything of it goes on as before, now that the agent has heard."""
        for each in going:
            stopped = each.asked_to_stop or each.ended is not None
            demand(stopped, f"attempt {each.attempt} counts as lost and goes on, and nobody stops it", each.call.run_id)
