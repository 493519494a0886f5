"""Connections between schedulers and agents: first in, first out, with delays, and cut at any time.

What was sent before a cut may still arrive, what arrives is always a beginning of what was sent, and after an agent has
taken a new connection nothing comes from an old one.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol

from ostinato.executors.port import Arrival
from ostinato.model.message import FromAgent, Hello, Launch, ToAgent
from ostinato.model.time import Instant

from .timeline import Timeline
from .trace import Trace
from .weather import Weather


class Listener(Protocol):
    """One life of an agent, as connections see it."""

    name: str
    alive: bool

    def accept(self, connection: "Connection") -> None:
        """A scheduler connects; what was connected before is not listened to any more."""
        ...

    def hear(self, messages: Sequence[ToAgent]) -> None:
        """Something was said."""
        ...

    def deafen(self, connection: "Connection") -> None:
        """The connection has ended."""
        ...


class Caller(Protocol):
    """Who connects to an agent, as connections see it."""

    def heard(self, connection: "Connection", messages: Sequence[FromAgent]) -> None:
        """Something has come in."""
        ...

    def lost(self, connection: "Connection") -> None:
        """The connection has ended."""
        ...


class Network:
    """What all connections to the agent of one machine share."""

    def __init__(self, timeline: Timeline, random: Random, trace: Trace) -> None:
        self.timeline = timeline
        self.random = random
        self.trace = trace
        self.weather: Weather | None = None
        self.listener: Listener | None = None
        self.connections: list[Connection] = []

    def delay(self) -> int:
        """How long something travels."""
        longest = self.weather.delay_ms if self.weather else 0
        return self.random.randint(0, longest) if longest else 0

    def cut(self) -> None:
        """Every connection breaks."""
        for connection in list(self.connections):
            connection.close()


class Connection:
    """A stream between one scheduler and one life of an agent."""

    def __init__(self, network: Network, port: Caller, listener: Listener) -> None:
        self._network = network
        self._port = port
        self.listener = listener
        self._there: Instant = 0
        self._back: Instant = 0
        self.open = True
        self.superseded = False
        network.connections.append(self)

    def to_agent(self, messages: Sequence[ToAgent]) -> None:
        """The scheduler says something."""
        self._there = self._later(self._there, lambda: self._heard_there(messages))

    def to_scheduler(self, messages: Sequence[FromAgent]) -> None:
        """The agent says something."""
        self._back = self._later(self._back, lambda: self._heard_back(messages))

    def hang_up(self, then: Callable[[], None]) -> None:
        """The scheduler has said all it wanted to: it ends once that is heard, unless it is cut before; ``then`` follows."""

        def heard() -> None:
            if self.open:
                self.close()
                then()

        self._there = self._later(self._there, heard)

    def close(self) -> None:
        """It ends now, for both sides; what is on its way may still arrive before they notice."""
        if not self.open:
            return
        self.open = False
        self._network.connections.remove(self)
        self._there = self._later(self._there, lambda: self.listener.deafen(self))
        self._back = self._later(self._back, lambda: self._port.lost(self))
        if self._network.random.random() < 0.5:
            self.superseded = True  # both buffers were thrown away with it

    def _later(self, not_before: Instant, action: Callable[[], None]) -> Instant:
        timeline = self._network.timeline
        at = max(not_before, timeline.now + self._network.delay())
        timeline.after(at - timeline.now, action)
        return at

    def _doubled(self) -> bool:
        weather = self._network.weather
        return weather is not None and self._network.random.random() < weather.doubled_message

    def _heard_there(self, messages: Sequence[ToAgent]) -> None:
        if not self.listener.alive or self.superseded:
            return
        self.listener.hear(messages)
        if self._doubled() and self.listener.alive:
            self.listener.hear([message for message in messages if isinstance(message, Launch)])

    def _heard_back(self, messages: Sequence[FromAgent]) -> None:
        if self.superseded:
            return
        self._port.heard(self, messages)
        if self._doubled():
            self._port.heard(self, [message for message in messages if not isinstance(message, Hello)])


class Port:
    """A scheduler's `AgentPort`: at most one connection, made anew when it breaks. ``wake`` is called for arrivals."""

    def __init__(self, network: Network, point: Callable[[str], None], wake: Callable[[], None]) -> None:
        self._network = network
        self._point = point
        self._wake = wake
        self._connection: Connection | None = None
        self._agent: str | None = None
        self._inbox: list[Arrival] = []
        self.closed = False
        self.on_sent: Callable[[ToAgent], None] = lambda _message: None
        self._connect_later()

    def send(self, agent: str, messages: Sequence[ToAgent]) -> None:
        """See `AgentPort`."""
        self._point("before a send")
        for message in messages:
            self.on_sent(message)
        if self._connection is not None and self._connection.open and self._agent == agent:
            self._connection.to_agent(messages)
        self._point("after a send")

    def drop(self) -> None:
        """See `AgentPort`."""
        self._inbox.clear()
        if self._connection is not None:
            connection, self._connection, self._agent = self._connection, None, None
            connection.close()
            self._connect_later()

    def receive(self) -> list[Arrival]:
        """What has arrived since the last call."""
        arrived, self._inbox = self._inbox, []
        return arrived

    def close(self) -> None:
        """The process that this port belongs to is gone."""
        self.closed = True
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def heard(self, connection: Connection, messages: Sequence[FromAgent]) -> None:
        """Something has come in."""
        if connection is not self._connection:
            return
        for message in messages:
            if isinstance(message, Hello):
                self._agent = message.agent
            self._inbox.append(Arrival(self._agent or "", message))
        self._wake()

    def lost(self, connection: Connection) -> None:
        """The connection has ended."""
        if connection is not self._connection:
            return
        if self._agent is not None:
            self._inbox.append(Arrival(self._agent, None))
        self._connection = self._agent = None
        self._connect_later()
        self._wake()

    def forge(self, message: FromAgent) -> None:
        """Something comes in that nobody sent now."""
        self._inbox.append(Arrival(self._agent or "nobody", message))
        self._wake()

    def _connect_later(self) -> None:
        self._network.timeline.after(self._network.random.randint(1, 200), self._connect)

    def _connect(self) -> None:
        if self.closed or self._connection is not None:
            return
        listener = self._network.listener
        if listener is None or not listener.alive:
            self._connect_later()
            return
        self._connection = Connection(self._network, self, listener)
        listener.accept(self._connection)
