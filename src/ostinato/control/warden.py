"""Who sees to the agent of a home while the scheduler that leads is on another machine.

The leader counts the attempts of an agent that it has no connection to as lost, and has them performed elsewhere. If the
machine was only suspended, or cut off, they still run here: somebody has to tell the agent so.
"""

import select
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final, Protocol

from ostinato.executors.port import Arrival
from ostinato.home import Home, agent_alive
from ostinato.model.message import CancelAttempts, Hello, ToAgent
from ostinato.store import Store

from .hint import is_heard

_PATIENCE_S: Final = 1.0


class Joined(Protocol):
    """The agent of a home, if it lives. See `LocalAgent`."""

    def fileno(self) -> int:
        """Readable when `receive` has something to do."""
        ...

    def receive(self) -> list[Arrival]:
        """What has arrived."""
        ...

    def send(self, agent: str, messages: Sequence[ToAgent]) -> None:
        """Send in order."""
        ...

    def close(self) -> None:
        """Hang up; the agent goes on."""
        ...


class Warden:
    """Has the agent of a home stop what counts as lost, unless a scheduler of this home leads and does so itself."""

    def __init__(self, store: Store, home: Home, join: Callable[[], Joined]) -> None:
        """``join`` connects to the agent, in the place of whoever was connected."""
        self._store = store
        self._home = home
        self._join = join

    def look(self) -> None:
        """Once: connect, compare what it holds with the state, tell it, hang up. Raises what reading the state raises."""
        if is_heard(self._home) or agent_alive(self._home) is None:
            return
        with closing(self._join()) as agent:
            select.select([agent], [], [], _PATIENCE_S)
            for arrival in agent.receive():
                if isinstance(arrival.message, Hello):
                    lost = sorted(set(arrival.message.holds) - self._store.live_among(arrival.message.holds))
                    if lost:
                        agent.send(arrival.agent, [CancelAttempts(tuple(lost))])
