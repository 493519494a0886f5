"""What one dag wants of one pool, in its order, and where that puts the dag among the others there.

Who goes first in a pool: work that is not a backfill's; then the higher priority; then the dag that has the fewest slots
of the pool; then the one whose last turn is longest ago. What a dag has is what its live attempts add up to, so a
restart changes nothing but whose turn it was.
"""

from heapq import heapify, heappush
from typing import Final

from msgspec import Struct, field

from ostinato.model.time import Instant

from .live import NOT_STARTED, LiveRun

Wanted = tuple[int, Instant, int, int, int, LiveRun]
"""Order within a flow: the highest priority (negated), the oldest interval, the run, the instance's number; then a ticket."""

Key = tuple[str, int]
"""A flow's dag, and the backfill that it belongs to; 0: to none."""

Rank = tuple[int, int, int, int, Key, str]
"""Order in and between pools: the class, the priority (negated), slots in use, last turn; flow and pool make it unique."""

DUE: Final = 0
ORDINARY: Final = 1
SPARE: Final = 2
"""The classes: a backfill whose share is due; scheduled and manual runs; a backfill that gets what is left."""


class DagUse(Struct):
    """A dag's live attempts over all its runs, and the flows that its own limit holds back."""

    live: int = 0
    held: list["Flow"] = field(default_factory=list["Flow"])


class TaskUse(Struct):
    """A task's live attempts over all runs, and its wanted instances that its own limit holds back."""

    live: int = 0
    held: list[Wanted] = field(default_factory=list[Wanted])


class Flow:
    """See the module. ``used`` counts slots; ``filed`` is its rank while it stands in line, ``held`` if its dag is full."""

    __slots__ = ("dag", "filed", "held", "key", "pool", "turn", "used", "wanted")

    def __init__(self, key: Key, dag: DagUse, pool: "PoolUse") -> None:
        self.key = key
        self.dag = dag
        self.pool = pool
        self.wanted: list[Wanted] = []
        self.used = 0
        self.turn = -1
        self.filed: Rank | None = None
        self.held = False

    def file(self) -> None:
        """Stand in line where the first wanted task, the slots in use and the last turn say; out of it without any."""
        if not self.wanted or self.held:
            self.filed = None
            return
        cls = SPARE if self.key[1] else ORDINARY
        rank = (cls, self.wanted[0][0], self.used, self.turn, self.key, self.pool.name)
        if rank != self.filed:
            self.filed = rank
            self.pool.stand(rank)


class PoolUse:
    """A pool's size, the attempts that occupy it with their slots, and the flows that want in."""

    __slots__ = ("backfills", "flows", "line", "name", "occupants", "slots", "too_large", "used")

    def __init__(self, name: str, slots: int) -> None:
        self.name = name
        self.slots = slots
        self.used = 0
        self.occupants: dict[int, tuple[Flow, TaskUse, int]] = {}
        self.flows: dict[Key, Flow] = {}
        self.backfills: dict[Key, Flow] = {}
        self.line: list[Rank] = []
        self.too_large: list[Wanted] = []

    def open(self, key: Key, dag: DagUse) -> Flow:
        """A flow for a dag, or for a backfill of it, that has none here."""
        flow = self.flows[key] = Flow(key, dag, self)
        if key[1]:
            self.backfills[key] = flow
        return flow

    def forget(self, flow: Flow) -> None:
        """A backfill's flow goes when it wants nothing and has nothing; a dag's stays, for its last turn."""
        if flow.key[1] and not flow.wanted and not flow.used:
            self.flows.pop(flow.key, None)
            self.backfills.pop(flow.key, None)

    def stand(self, rank: Rank) -> None:
        """A flow has a new place in line. Old ones are passed over, and thrown out when they are too many."""
        heappush(self.line, rank)
        if len(self.line) > 64 + 2 * len(self.flows):
            self.line = [flow.filed for flow in self.flows.values() if flow.filed is not None]
            heapify(self.line)

    def occupy(self, attempt: int, flow: Flow, task: TaskUse, slots: int) -> None:
        """An attempt begins to occupy the pool."""
        self.occupants[attempt] = (flow, task, slots)
        self.used += slots
        flow.used += slots
        flow.dag.live += 1
        task.live += 1
        flow.file()

    def leave(self, attempt: int) -> tuple[Flow, TaskUse] | None:
        """An attempt's slots are free again; whose they were. None if it had none."""
        occupant = self.occupants.pop(attempt, None)
        if occupant is None:
            return None
        flow, task, slots = occupant
        self.used -= slots
        flow.used -= slots
        flow.dag.live -= 1
        task.live -= 1
        flow.file()
        return flow, task


def is_over(wanted: Wanted) -> bool:
    """Whether what was wanted is not to be started any more, or has been."""
    no, live = wanted[3], wanted[5]
    return live.states[no] not in NOT_STARTED or no in live.live_attempt
