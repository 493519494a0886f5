"""What the scheduler knows of where attempts are performed: agents that it sends messages to, and hears from."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from ostinato.model.message import FromAgent, ToAgent


class Arrival(Struct, frozen=True):
    """Something from an agent, which goes by the name of its present life. Message None: the connection to it ended."""

    agent: str
    message: FromAgent | None


class AgentPort(Protocol):
    """All agents of a scheduler. An agent is known from its Hello on, until its connection ends."""

    def receive(self) -> list[Arrival]:
        """What has arrived since the last call, without waiting."""
        ...

    def send(self, agent: str, messages: Sequence[ToAgent]) -> None:
        """Send in order, without waiting.

        Messages to an agent that is not connected (any more) are dropped: its next Hello settles what they were about.
        """
        ...

    def drop(self) -> None:
        """Hang up on all agents. They keep what they have, and on the next connection begin with a Hello again."""
        ...
