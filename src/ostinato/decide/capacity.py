"""Who may start now: wanted work meets room in pools and at agents. Limits hold at every instant.

A pool's occupancy is what its live attempts add up to; an attempt leaves once, however often it is said to.
"""

from heapq import heapify, heappop, heappush
from itertools import count

from msgspec import Struct

from ostinato.model.limits import Limits
from ostinato.model.record import Pool
from ostinato.model.time import Instant

from .live import NOT_STARTED, LiveAttempt, LiveRun

DEFAULT_POOL = "default"

Wanted = tuple[bool, int, Instant, int, int, int, LiveRun]
"""Order of service: backfills last, then by task priority, oldest interval, run and task number."""


class PoolUse:
    """A pool's size, the attempts that occupy it with their slots, and the work that wants in."""

    __slots__ = ("occupants", "slots", "too_large", "used", "wanted")

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.occupants: dict[int, int] = {}
        self.used = 0
        self.wanted: list[Wanted] = []
        self.too_large: list[Wanted] = []

    def resize(self, slots: int) -> None:
        """Give the pool its size; what was too large for it may fit now."""
        if slots > self.slots:
            self.wanted += self.too_large
            self.too_large.clear()
            heapify(self.wanted)
        self.slots = slots

    def occupy(self, attempt: int, slots: int) -> None:
        """An attempt begins to occupy the pool."""
        self.occupants[attempt] = slots
        self.used += slots

    def leave(self, attempt: int) -> None:
        """An attempt's slots are free again."""
        self.used -= self.occupants.pop(attempt, 0)

    def head(self) -> Wanted | None:
        """The first wanted task, if it fits now. It is not overtaken by smaller ones: nothing large starves.

        One that is larger than the pool would wait for ever, so it is put aside and holds up nobody.
        """
        while self.wanted:
            first = self.wanted[0]
            task_no, live = first[4], first[6]
            slots = live.task(task_no).slots
            if live.states[task_no] not in NOT_STARTED or task_no in live.live_attempt:
                heappop(self.wanted)
            elif slots > self.slots:
                self.too_large.append(heappop(self.wanted))
            else:
                return first if self.used + slots <= self.slots else None
        return None


class Seat(Struct):
    """A connected agent: how many attempts it takes at once, and which it has."""

    window: int
    held: set[int]


class Capacity:
    """Pools and agents together. While ``shut``, nothing more is granted."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pools: dict[str, PoolUse] = {DEFAULT_POOL: PoolUse(limits.default_pool_slots)}
        self._seats: dict[str, Seat] = {}
        self._ticket = count()
        self.shut = False

    def set_pools(self, pools: list[Pool]) -> None:
        """The pools' sizes as the store has them. A pool that nobody made has no slots; its tasks wait."""
        for pool in pools:
            self._pool(pool.name).resize(pool.slots)

    def seat(self, agent: str, window: int, held: set[int]) -> None:
        """An agent is connected and has these attempts."""
        self._seats[agent] = Seat(window, held)

    def unseat(self, agent: str) -> None:
        """An agent's connection ended."""
        self._seats.pop(agent, None)

    def close(self, agent: str) -> None:
        """An agent takes nothing more; what it has it keeps until it ends."""
        if agent in self._seats:
            self._seats[agent].window = 0

    def seated(self, agent: str) -> bool:
        """Whether an agent is connected."""
        return agent in self._seats

    def window(self) -> int:
        """How many attempts the connected agents may hold, all together."""
        return sum(seat.window for seat in self._seats.values())

    def want(self, live: LiveRun, task_no: int) -> None:
        """A task instance may start as soon as there is room."""
        task = live.task(task_no)
        run = live.run
        order = (
            run.kind == "backfill",
            -task.priority,
            run.interval.start,
            run.run_id,
            task_no,
            next(self._ticket),
            live,
        )
        heappush(self._pool(task.pool).wanted, order)

    def occupy(self, attempt: LiveAttempt) -> None:
        """An attempt takes its place, at its agent and in its pool."""
        task = attempt.task
        self._pool(task.pool).occupy(attempt.attempt, task.slots)
        seat = self._seats.get(attempt.agent)
        if seat is not None:
            seat.held.add(attempt.attempt)

    def leave(self, attempt: LiveAttempt) -> None:
        """An attempt's place is free again."""
        self._pool(attempt.task.pool).leave(attempt.attempt)
        seat = self._seats.get(attempt.agent)
        if seat is not None:
            seat.held.discard(attempt.attempt)

    def grant(self) -> tuple[LiveRun, int, str] | None:
        """The next task instance that may start, with the agent that takes it; None when there is no room or no work."""
        agent, room = self._roomiest()
        if room <= 0 or self.shut:
            return None
        best: Wanted | None = None
        best_pool: PoolUse | None = None
        for pool in self._pools.values():
            head = pool.head() if pool.wanted else None
            if head is not None and (best is None or head < best):
                best, best_pool = head, pool
        if best is None or best_pool is None:
            return None
        heappop(best_pool.wanted)
        return best[6], best[4], agent

    def _roomiest(self) -> tuple[str, int]:
        most, name = 0, ""
        for agent, seat in self._seats.items():
            room = seat.window - len(seat.held)
            if room > most:
                most, name = room, agent
        return name, most

    def _pool(self, name: str) -> PoolUse:
        pool = self._pools.get(name)
        if pool is None:
            pool = self._pools[name] = PoolUse(0)
        return pool
