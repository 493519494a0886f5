"""Who gets which executor, what it is given ahead, and how many executors there are.

Slots go by priority and then by arrival. Among equals, an executor that has loaded the code already may take a later
attempt, while nobody waits for long. Executors are given short tasks ahead of time, evenly, in the order in which they
will perform them; that is taken back when another executor is free for it, or when something more urgent waits.
"""

import signal
from math import ceil
from typing import Final

from ostinato.model.message import Assignment
from ostinato.model.time import Instant

from .crew import LARGEST_AHEAD, LONG_MS, Executor
from .order import Hand, Kill, Make, Order, TakeBack
from .waiting import SINGLE, Held, Waiting

OVERTAKEN_MS: Final = 200
"""Among equals, an executor that has the code already takes a later attempt, unless an earlier one waited this long."""

AGAIN_MS: Final = 1_000
"""What the machine refused is tried again after this long."""


class Allotment:
    """Executors, those of them that are busy, and who waits for them. What is to be done about that goes into ``orders``."""

    def __init__(self, slots: int, executor_tasks: int) -> None:
        self.slots = slots
        self.executor_tasks = executor_tasks
        self.waiting = Waiting()
        self.executors: dict[int, Executor] = {}
        self.busy: dict[int, Executor] = {}
        self.orders: list[Order] = []
        self._hands: dict[int, list[Assignment]] = {}
        self._coming: set[int] = set()
        self._made = 0
        self._make_at: Instant = 0
        self._hand_at: Instant = 0
        self._wanting = 0

    def joined(self, executor: Executor) -> None:
        """One that was ordered is there."""
        self._coming.discard(executor.number)
        self.executors[executor.number] = executor

    def not_made(self, number: int, again_at: Instant) -> None:
        """One that was ordered could not be made; it is not tried again before ``again_at``."""
        self._coming.discard(number)
        self._make_at = again_at

    def remove(self, number: int) -> Executor:
        """One is gone, and nothing is ordered of it any more."""
        self.busy.pop(number, None)
        self.orders = [order for order in self.orders if order.executor != number]
        return self.executors.pop(number)

    def make_none_before(self, at: Instant) -> None:
        """Executors die as soon as they are made, or cannot be made: wait with the next."""
        self._make_at = at

    def hand_none_before(self, at: Instant) -> None:
        """Hand out nothing for now."""
        self._hand_at = at

    def next_due(self) -> Instant | None:
        """When one of the above is over and somebody waits for it; None: never."""
        due = [self._make_at] if self._wanting else []
        if self.waiting and self._hand_at:
            due.append(self._hand_at)
        return min(due, default=None)

    def allot(self, now: Instant) -> None:
        """Give those who wait what there is; if nobody waits, let free executors share in the work of others."""
        if now >= self._hand_at:
            self._hand_at = 0
        if self.waiting and not self._hand_at:
            self._fill(now)
            self._give_ahead(now)
            for number, assignments in self._hands.items():
                self.orders.append(Hand(number, tuple(assignments)))
            self._hands.clear()
            self._recall()
        elif len(self.busy) < self.slots:
            self._share(now)

    def staff(self, now: Instant) -> None:
        """Keep unused executors ready, made ahead of time, and let go of those that wait for work longest."""
        present = [executor for executor in self.executors.values() if not executor.leaving]
        bound = [executor for executor in present if executor.line not in {None, SINGLE}]
        if len(bound) > 2 * self.slots:
            for executor in sorted(bound, key=lambda executor: executor.used_at)[: len(bound) - 2 * self.slots]:
                if executor.idle:
                    self.retire(executor)
        fresh = sum(executor.line is None for executor in present) + len(self._coming)
        single = self.waiting.length(SINGLE) or any(executor.line == SINGLE for executor in self.busy.values())
        wanted = self.slots if single else min(self.slots, max(2, self._wanting))
        if now < self._make_at:
            self._wanting = max(self._wanting, wanted - fresh, 0)
            return
        self._wanting = 0
        for _ in range(wanted - fresh):
            self._made += 1
            self._coming.add(self._made)
            self.orders.append(Make(self._made))

    def retire(self, executor: Executor) -> None:
        """End one that has nothing to do."""
        executor.leaving = True
        self.orders.append(Kill(executor.number, signal.SIGKILL))

    def take_back(self, executor: Executor) -> None:
        """Take back what one was given ahead. Once is enough until it is given something again."""
        if executor.untouched and len(executor.handed) > 1:
            executor.untouched = False
            executor.recalled = True
            self.orders.append(TakeBack(executor.number))

    def _fill(self, now: Instant) -> None:
        """Give free slots to who goes first; a slot whose executor is still to be made stays reserved."""
        free = self.slots - len(self.busy)
        without: set[str] = set()
        while free > 0 and (line := self._next_line(now, without)) is not None:
            free -= 1
            executor = self._idle(line) or self._idle(None)
            if executor is None:
                without.add(line)
            else:
                self._hand(executor, line, now)
        self._wanting = len(without)

    def _next_line(self, now: Instant, without: set[str]) -> str | None:
        """The line that gets the next slot: that of who goes first, or of his equal for whom all is ready."""
        heads = [head for head in self.waiting.heads() if head.line not in without]
        if not heads:
            return None
        first = min(heads, key=_rank)
        if len(heads) == 1 or now - first.arrived >= OVERTAKEN_MS or self._idle(first.line) is not None:
            return first.line
        equals = [head for head in heads if head.assignment.priority == first.assignment.priority]
        ready = [head for head in equals if self._idle(head.line) is not None]
        return min(ready, key=_rank, default=first).line

    def _idle(self, line: str | None) -> Executor | None:
        """An executor with nothing to do that is there for a line; None: that has done nothing yet."""
        for executor in self.executors.values():
            if executor.line == line and executor.idle:
                return executor
        return None

    def _hand(self, executor: Executor, line: str, now: Instant) -> None:
        held = self.waiting.pop(line)
        held.executor = executor.number
        held.begun = now
        executor.line = line
        executor.untouched = True
        executor.handed.append(held)
        self.busy[executor.number] = executor
        self._hands.setdefault(executor.number, []).append(held.assignment)

    def _give_ahead(self, now: Instant) -> None:
        """Give short tasks to busy executors ahead of time, evenly, and only while nobody else is due for their slot."""
        if not self.waiting:
            return
        crews: dict[str, list[Executor]] = {}
        for executor in self.busy.values():
            if executor.line is not None and executor.room(now) > 0:
                crews.setdefault(executor.line, []).append(executor)
        for line, crew in crews.items():
            each = ceil((self.waiting.length(line) + sum(len(executor.handed) for executor in crew)) / len(crew))
            for executor in crew:
                most = min(each, self.executor_tasks - executor.tasks) - len(executor.handed)
                self._give(executor, line, min(most, executor.room(now)), now)

    def _give(self, executor: Executor, line: str, most: int, now: Instant) -> None:
        for _ in range(most):
            head, first = self.waiting.head(line), self.waiting.first()
            if head is None or first is None or not _may_go(head, first, now):
                return
            if len(head.assignment.call) > LARGEST_AHEAD or executor.has_ahead_less_than(head.assignment.priority):
                return
            self._hand(executor, line, now)

    def _recall(self) -> None:
        """Take back what was given ahead if something more urgent still waits."""
        first = self.waiting.first()
        for executor in self.busy.values():
            if first is not None and executor.has_ahead_less_than(first.assignment.priority):
                self.take_back(executor)

    def _share(self, now: Instant) -> None:
        """A slot is free and nobody waits: take back what stands behind a long task."""
        for executor in self.busy.values():
            if len(executor.handed) > 1 and now - executor.handed[0].begun >= LONG_MS:
                self.take_back(executor)


def _rank(held: Held) -> tuple[int, int]:
    return held.rank


def _may_go(held: Held, first: Held, now: Instant) -> bool:
    """Whether somebody may go although ``first`` waits: he is first, or his equal who has not waited long."""
    equal = held.assignment.priority == first.assignment.priority
    return held is first or (equal and now - first.arrived < OVERTAKEN_MS)
