"""Who may start now: wanted work meets room in pools and at agents. Limits hold at every instant.

Who goes first is said in `flow`, what backfills are owed in `share`. The first of a pool is not overtaken by smaller
ones, so nothing large waits for ever; what its own dag's or its own limit holds back stands aside and holds up nobody.
What is in use is what live attempts add up to; an attempt leaves once, however often it is said to.
"""

from collections.abc import Mapping
from heapq import heappop, heappush
from itertools import count
from typing import Final

from msgspec import Struct

from ostinato.model.limits import Limits
from ostinato.model.record import Pool, Run
from ostinato.model.spec import TaskSpec

from .flow import DUE, ORDINARY, DagUse, Flow, Key, PoolUse, Rank, TaskUse, Wanted, is_over
from .live import LiveAttempt, LiveRun
from .share import UNNUMBERED, Shares, Terms

Offer = tuple[Rank, Flow]

DEFAULT_POOL = "default"


AHEAD_MS: Final = 1_000
"""An agent is given ahead what it begins within about this time. What comes later is decided when its turn comes."""


class Seat(Struct):
    """A connected agent: how many attempts it takes at once, which it has, and how many of them run at once.

    ``usual_ms`` is how long the last ones took, on average; None until one has ended.
    """

    window: int
    held: set[int]
    slots: int
    usual_ms: float | None = None

    def most(self) -> int:
        """How many attempts it is to have: what runs, and ahead of that only what is short."""
        ahead = 1 if self.usual_ms is None else max(1, AHEAD_MS / max(1, self.usual_ms))
        return min(self.window, round(self.slots * ahead))

    def took(self, milliseconds: int) -> None:
        """One of its attempts has ended, after so long."""
        usual = milliseconds if self.usual_ms is None else self.usual_ms
        self.usual_ms = usual + (milliseconds - usual) / 8


class Capacity:
    """Pools and agents together. While ``shut``, nothing more is granted."""

    def __init__(self, limits: Limits) -> None:
        self._pools = {DEFAULT_POOL: PoolUse(DEFAULT_POOL, limits.default_pool_slots)}
        self._dags: dict[str, DagUse] = {}
        self._tasks: dict[tuple[str, str], TaskUse] = {}
        self._shares = Shares()
        self._seats: dict[str, Seat] = {}
        self._ticket = count()
        self.shut = False

    def set_pools(self, pools: list[Pool]) -> None:
        """The pools' sizes as the store has them. A pool that nobody made has no slots; its tasks wait."""
        for pool in pools:
            use = self._pool(pool.name)
            if pool.slots > use.slots:
                returning, use.too_large = use.too_large, []
                for wanted in returning:
                    self._join(wanted)
            use.slots = pool.slots

    def set_backfills(self, terms: Mapping[int, Terms]) -> None:
        """What each backfill that is not over was granted, by its number."""
        self._shares.grant(terms)

    def seat(self, agent: str, window: int, held: set[int], slots: int | None = None) -> None:
        """An agent is connected and has these attempts, of which ``slots`` run at once; None: all that it may have."""
        self._seats[agent] = Seat(window, held, window if slots is None else slots)

    def unseat(self, agent: str) -> None:
        """An agent's connection ended."""
        self._seats.pop(agent, None)

    def close(self, agent: str) -> None:
        """An agent takes nothing more; what it has it keeps until it ends."""
        if agent in self._seats:
            self._seats[agent].window = 0

    def took(self, agent: str, milliseconds: int) -> None:
        """An attempt of an agent has ended, after so long."""
        if agent in self._seats:
            self._seats[agent].took(max(0, milliseconds))

    def seated(self, agent: str) -> bool:
        """Whether an agent is connected."""
        return agent in self._seats

    def window(self) -> int:
        """How many attempts the connected agents may hold, all together."""
        return sum(seat.most() for seat in self._seats.values())

    def want(self, live: LiveRun, no: int) -> None:
        """A task instance may start as soon as there is room."""
        run = live.run
        task = live.task(no)
        self._join((-task.priority, run.interval.start, run.run_id, no, next(self._ticket), live))

    def occupy(self, attempt: LiveAttempt) -> None:
        """An attempt takes its place: at its agent, in its pool, and in the limits of its dag and its task."""
        run, task = attempt.live.run, attempt.task
        use = self._task_use(run, task)
        flow = self._flow(run, task)
        flow.pool.occupy(attempt.attempt, flow, use, task.slots)
        self._readmit(use)
        seat = self._seats.get(attempt.agent)
        if seat is not None:
            seat.held.add(attempt.attempt)

    def leave(self, attempt: LiveAttempt) -> None:
        """An attempt's place is free again."""
        seat = self._seats.get(attempt.agent)
        if seat is not None:
            seat.held.discard(attempt.attempt)
        left = self._pool(attempt.task.pool).leave(attempt.attempt)
        if left is None:
            return
        flow, task = left
        self._readmit(task)
        held, flow.dag.held = flow.dag.held, []
        for other in held:
            other.held = False
            other.file()
        flow.pool.forget(flow)

    def grant(self) -> tuple[LiveRun, int, str] | None:
        """The next task instance that may start, with the agent that takes it; None when there is no room or no work.

        Its attempt is to `occupy` its place before the next is asked for.
        """
        agent, room = self._roomiest()
        if room <= 0 or self.shut:
            return None
        best: Offer | None = None
        for pool in self._pools.values():
            offer = self.offer(pool) if pool.line else None
            if offer is not None and (best is None or offer[0] < best[0]):
                best = offer
        if best is None:
            return None
        rank, flow = best
        wanted = heappop(flow.wanted)
        live = wanted[5]
        self._settle_shares(rank, _slots(wanted))
        flow.turn = next(self._ticket)
        flow.filed = None
        return live, wanted[3], agent

    def offer(self, pool: PoolUse) -> Offer | None:
        """Whose turn it is in a pool, with a rank among pools; None if nobody waits, or there is no room for who does."""
        first = (self._due(pool) if pool.backfills else None) or self._first(pool)
        if first is None or pool.used + _slots(first[1].wanted[0]) > pool.slots:
            return None
        return first

    # --- whose turn it is ---------------------------------------------------------------------------------------

    def _first(self, pool: PoolUse) -> Offer | None:
        """The flow that stands first and has something that may start."""
        while pool.line:
            rank = pool.line[0]
            flow = pool.flows.get(rank[4])
            if flow is None or flow.filed is not rank:
                heappop(pool.line)
            elif self._clear(flow) and flow.filed is rank:
                return rank, flow
        return None

    def _due(self, pool: PoolUse) -> Offer | None:
        """The backfill that goes before all others: its share is due, and it does not have that share already."""
        due: list[Offer] = []
        for flow in list(pool.backfills.values()):
            backfill = flow.key[1]
            behind = self._shares.is_due(backfill, 1) and self._shares.lacks(backfill, flow.used, pool.slots)
            rank = flow.filed if behind and self._clear(flow) else None
            if rank is not None and self._shares.is_due(backfill, _slots(flow.wanted[0])):
                due.append(((DUE, *rank[1:]), flow))
        return min(due, default=None)

    def _clear(self, flow: Flow) -> bool:
        """Set aside what cannot start whatever the room; whether something is left. The flow then stands where that does.

        What is over is forgotten, what is larger than the pool waits for a larger one, and what its task's or its dag's
        limit holds back waits for an attempt of theirs to end. The limits are those of the run's own version.
        """
        while flow.wanted and not flow.held:
            first = flow.wanted[0]
            live = first[5]
            task = live.task(first[3])
            use = self._task_use(live.run, task) if task.max_active is not None else None
            most = live.shape.spec.max_active_tasks
            if is_over(first):
                heappop(flow.wanted)
                self._readmit(use)
            elif task.slots > flow.pool.slots:
                flow.pool.too_large.append(heappop(flow.wanted))
                self._readmit(use)
            elif most is not None and flow.dag.live >= most:
                flow.held = True
                flow.dag.held.append(flow)
            elif use is not None and task.max_active is not None and use.live >= task.max_active:
                heappush(use.held, heappop(flow.wanted))
            else:
                return True
            flow.file()
        flow.pool.forget(flow)
        return False

    def _readmit(self, task: TaskUse | None) -> None:
        """Let the first that a task's limit held back stand in line again; if the limit still holds, it is set aside anew."""
        while task is not None and task.held:
            wanted = heappop(task.held)
            if not is_over(wanted):
                self._join(wanted)
                return

    def _settle_shares(self, rank: Rank, slots: int) -> None:
        """A turn that was due is paid for; one that was not is credited to the backfills that wait."""
        if rank[0] == DUE:
            self._shares.charge(rank[4][1], slots)
        elif rank[0] == ORDINARY:
            waiting: dict[int, int] = {}
            for pool in self._pools.values():
                for flow in pool.backfills.values() if pool.backfills else ():
                    if flow.filed is not None:
                        needs = _slots(flow.wanted[0])
                        waiting[flow.key[1]] = max(needs, waiting.get(flow.key[1], 0))
            if waiting:
                self._shares.credit(waiting, slots)

    # --- where it belongs ---------------------------------------------------------------------------------------

    def _join(self, wanted: Wanted) -> None:
        live = wanted[5]
        flow = self._flow(live.run, live.task(wanted[3]))
        heappush(flow.wanted, wanted)
        if flow.wanted[0] is wanted:
            flow.file()

    def _flow(self, run: Run, task: TaskSpec) -> Flow:
        pool, key = self._pool(task.pool), flow_key(run)
        flow = pool.flows.get(key)
        if flow is None:
            dag = self._dags.get(run.dag_id)
            if dag is None:
                dag = self._dags[run.dag_id] = DagUse()
            flow = pool.open(key, dag)
        return flow

    def _task_use(self, run: Run, task: TaskSpec) -> TaskUse:
        key = (run.dag_id, task.task_id)
        use = self._tasks.get(key)
        if use is None:
            use = self._tasks[key] = TaskUse()
        return use

    def _roomiest(self) -> tuple[str, int]:
        most, name = 0, ""
        for agent, seat in self._seats.items():
            room = seat.most() - len(seat.held)
            if room > most:
                most, name = room, agent
        return name, most

    def _pool(self, name: str) -> PoolUse:
        pool = self._pools.get(name)
        if pool is None:
            pool = self._pools[name] = PoolUse(name, 0)
        return pool


def flow_key(run: Run) -> Key:
    """Which flow of a pool a run's tasks belong to: its dag's, or that of its backfill."""
    return run.dag_id, 0 if run.kind != "backfill" else run.backfill_id or UNNUMBERED


def _slots(wanted: Wanted) -> int:
    return wanted[5].task(wanted[3]).slots
