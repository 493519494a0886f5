"""A machine: its agent, one life after the other, what its disk keeps, and whether it reaches the database."""

from random import Random

from .agent import AgentLife
from .network import Network
from .timeline import Timeline
from .trace import Trace


class Host:
    """See the module. Schedulers on a machine talk to the agent of that machine, and to no other.

    ``leading`` is how many of them lead, or have not noticed yet that they do so no more.
    """

    def __init__(self, name: str, timeline: Timeline, random: Random, trace: Trace) -> None:
        self.name = name
        self.network = Network(timeline, random, trace)
        self.lives: list[AgentLife] = []
        self.journals_on_disk: list[str] = []
        self.cut_off = False
        self.leading = 0

    @property
    def life(self) -> AgentLife:
        """The newest life of its agent."""
        return self.lives[-1]
