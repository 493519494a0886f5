"""What the agent holds, and what is to be done about it: facts and the time go in, orders and messages come out.

There is no I/O and no clock here, so a simulator can drive it as well as the real loop. Three things always hold.
An attempt that was launched is waiting, handed to one executor, or finished and kept until it is acknowledged. It ends
with exactly one Finished, which says that nothing of it runs any more. Never are more executors at work than there are
slots.

What an executor was given ahead and has not begun can be taken back: the kernel decides who gets a message that both
executor and agent reach for, so no attempt is begun twice. Before one attempt is stopped, the others of its executor
are taken back; then the signal can meet no other.
"""

import signal
from collections import deque
from collections.abc import Iterable
from math import ceil
from typing import Final, Literal

from msgspec import structs

from ostinato.model.errors import InvariantBroken
from ostinato.model.limits import Limits
from ostinato.model.message import Assignment, Finished, FromAgent, LogRange, Started
from ostinato.model.time import Instant

from .allotment import AGAIN_MS, Allotment
from .crew import LONG_MS, Executor, Stopping
from .ending import Exit, ending
from .message import Report
from .order import Kill, Order
from .waiting import SINGLE, Held

KILL_GRACE_MS: Final = 2_000
"""How long a task has to end by itself after it was asked to."""


class Ledger:
    """See the module. Facts are methods; after all that are known, `decide` gives orders, and `messages` what to say."""

    def __init__(self, slots: int, limits: Limits) -> None:
        self._beat_ms = round(limits.beat_s * 1000)
        self._all = Allotment(slots, limits.executor_tasks)
        self._held: dict[int, Held] = {}
        self._unacknowledged: dict[int, Finished] = {}
        self._unsaid: deque[FromAgent] = deque()
        self._arrivals = 0
        self._stop_at: Instant | None = None

    # --- what the scheduler says --------------------------------------------------------------------------------

    def launch(self, assignments: Iterable[Assignment], now: Instant) -> None:
        """Attempts to perform. One that is held already is not taken twice; one that has ended is answered again."""
        for assignment in assignments:
            if assignment.attempt in self._held:
                continue
            known = self._unacknowledged.get(assignment.attempt)
            if known is not None:
                self._unsaid.append(known)
                continue
            self._arrivals += 1
            held = Held(assignment, self._arrivals, now)
            self._held[assignment.attempt] = held
            if self._stop_at is None:
                self._all.waiting.put(held)
            else:
                self._drop(held, "interrupted", now)

    def acknowledge(self, attempts: Iterable[int]) -> None:
        """These results are durable elsewhere; they are forgotten."""
        for attempt in attempts:
            self._unacknowledged.pop(attempt, None)

    def cancel(self, attempts: Iterable[int], now: Instant) -> None:
        """Stop these attempts. One that waits ends at once, one that runs is asked to, one unknown is nobody's."""
        for attempt in attempts:
            held = self._held.get(attempt)
            if held is None:
                continue
            held.cancelled = True
            if held.executor is None:
                self._all.waiting.remove(held)
                self._drop(held, "cancelled", now)
            elif (executor := self._all.executors[held.executor]).handed and executor.handed[0] is not held:
                self._all.take_back(executor)

    def stop(self, grace_ms: int, now: Instant) -> None:
        """Take on nothing more; what runs after ``grace_ms`` is interrupted, what waits is so at once."""
        self._stop_at = now + grace_ms if self._stop_at is None else min(self._stop_at, now + grace_ms)
        for held in self._all.waiting.clear():
            self._drop(held, "interrupted", now)
        for executor in self._all.busy.values():
            self._all.take_back(executor)

    # --- what executors do --------------------------------------------------------------------------------------

    def joined(self, number: int, segment: str, log_end: int) -> None:
        """An executor that was ordered is there. Its output goes to the log segment of that name."""
        self._all.joined(Executor(number, segment, log_end))

    def not_made(self, number: int, again_at: Instant) -> None:
        """An executor that was ordered could not be made; it is not tried again before ``again_at``."""
        self._all.not_made(number, again_at)

    def reported(self, number: int, report: Report, now: Instant) -> None:
        """An executor says how its first attempt ended. Raises InvariantBroken if it speaks of another."""
        executor = self._all.executors[number]
        finished = report.finished
        if not executor.handed or executor.handed[0].attempt != finished.attempt:
            raise InvariantBroken(f"executor {number} reports attempt {finished.attempt}, which it does not perform")
        executor.handed.popleft()
        if executor.handed:
            executor.handed[0].begun = now
        executor.learn(finished.finished_at - finished.started_at)
        executor.tasks += 1
        executor.cpu_ms += finished.cpu_ms
        executor.log_end = report.log_end
        executor.used_at = now
        executor.ending = False
        if executor.stopping:
            executor.kill_at = None
            if executor.stopping != "timed_out" and finished.verdict == "failed":
                finished = structs.replace(finished, verdict=executor.stopping, failure=None)
        if report.leaving:
            executor.leaving = True
            executor.parting = finished
            return
        self._finish(finished)
        if executor.handed:
            return
        del self._all.busy[number]
        if executor.line == SINGLE:
            executor.leaving = True
        elif executor.leaving or executor.tasks >= self._all.executor_tasks:
            self._all.retire(executor)

    def taken_back(self, number: int, attempts: Iterable[int], now: Instant) -> None:
        """What an executor had not begun, and will not. Raises InvariantBroken for what it was not given.

        It may have begun others in between: both ends read at once, and whoever receives an attempt has it. An attempt
        for whose sake the executor was stopped ends with it, begun or not.
        """
        executor = self._all.executors[number]
        executor.untouched = False
        executor.recalled = False
        if executor.stopping:
            return
        back = set(attempts)
        taken = [held for held in executor.handed if held.attempt in back]
        if len(taken) < len(back):
            raise InvariantBroken(f"executor {number} gives back {sorted(back)}, some of which it was not given")
        head = executor.handed[0] if executor.handed else None
        executor.handed = deque(held for held in executor.handed if held.attempt not in back)
        if executor.handed and executor.handed[0] is not head:
            executor.handed[0].begun = now
        for held in reversed(taken):
            held.executor = None
            if held.cancelled:
                self._drop(held, "cancelled", now)
            elif self._stop_at is not None:
                self._drop(held, "interrupted", now)
            else:
                self._all.waiting.put(held)
        if not executor.busy:
            self._all.busy.pop(number, None)

    def refuses(self, number: int) -> None:
        """An executor does not take what it is given; it gets nothing more, and ends after what it has."""
        executor = self._all.executors[number]
        executor.leaving = True
        if not executor.busy:
            self._all.retire(executor)

    def pause(self, until: Instant) -> None:
        """Hand out nothing for now: the journal cannot be written."""
        self._all.hand_none_before(until)

    def gone(self, number: int, end: Exit, now: Instant) -> None:
        """An executor is gone, with every process it left. First tell what it reported and what can be taken back."""
        executor = self._all.remove(number)
        if executor.parting is not None:
            self._finish(executor.parting)
        for held in executor.handed:
            verdict, failure = ending(end, executor.stopping, held.assignment.timeout)
            self._finish(
                Finished(
                    attempt=held.attempt,
                    verdict=verdict,
                    started_at=held.begun,
                    finished_at=now,
                    log=_range(executor, end.log_end),
                    peak_kib=end.peak_kib,
                    cpu_ms=max(0, end.cpu_ms - executor.cpu_ms),
                    failure=failure,
                )
            )
        if end.code is not None and not executor.tasks and not executor.handed and not executor.leaving:
            self._all.make_none_before(now + AGAIN_MS)

    # --- what is to be done -------------------------------------------------------------------------------------

    def decide(self, now: Instant) -> list[Order]:
        """What is to be done by all that is known. Call it again after the answers, until there is nothing to do."""
        for executor in self._all.busy.values():
            if executor.handed and executor.parting is None:
                self._watch(executor, executor.handed[0], now)
        self._all.allot(now)
        if self._stop_at is None:
            self._all.staff(now)
        orders, self._all.orders = self._all.orders, []
        return orders

    def next_due(self) -> Instant | None:
        """When `decide` will have something to do although nothing else happens; None: never."""
        allotting = self._all.next_due() if self._stop_at is None else None
        due = [] if allotting is None else [allotting]
        for executor in self._all.busy.values():
            if executor.kill_at is not None:
                due.append(executor.kill_at)
            if executor.stopping or executor.parting is not None:
                continue
            head = executor.handed[0]
            if not head.announced:
                due.append(head.begun + self._beat_ms)
            if head.assignment.timeout is not None:
                due.append(_deadline(head, head.assignment.timeout))
            if self._stop_at is not None:
                due.append(self._stop_at)
            if executor.untouched and len(executor.handed) > 1 and len(self._all.busy) < self._all.slots:
                due.append(head.begun + LONG_MS)
        return min(due, default=None)

    # --- what it knows ------------------------------------------------------------------------------------------

    def messages(self, most: int, most_bytes: int) -> list[FromAgent]:
        """What is to be said next, in order: at most so many messages, and about so many bytes of results."""
        said: list[FromAgent] = []
        size = 0
        while self._unsaid and len(said) < most and size < most_bytes:
            message = self._unsaid.popleft()
            if isinstance(message, Finished) and message.output is not None:
                size += len(message.output)
            said.append(message)
        return said

    def say_again(self) -> None:
        """Somebody new listens: every result that is not acknowledged, and what has been running, is to be said."""
        self._unsaid = deque(self._unacknowledged.values())
        for executor in self._all.busy.values():
            for held in executor.handed:
                held.announced = False

    def holds(self) -> tuple[int, ...]:
        """Every attempt that waits, runs, or ended and is not acknowledged."""
        return (*self._held, *self._unacknowledged)

    def log_begin(self, number: int) -> int:
        """Where in its log segment the output of an executor's present attempt begins."""
        return self._all.executors[number].log_end

    def running(self, now: Instant) -> list[tuple[int, int]]:
        """The executors that have been at one attempt for a beat, and where in its log segment that began."""
        return [
            (executor.number, executor.log_end)
            for executor in self._all.busy.values()
            if executor.handed and now - executor.handed[0].begun >= self._beat_ms
        ]

    @property
    def saturated(self) -> bool:
        """Whether every slot has work ahead of it and more waits, so that there is no hurry to look at results."""
        if len(self._all.busy) < self._all.slots or not self._all.waiting:
            return False
        return all(len(executor.handed) > 1 for executor in self._all.busy.values())

    @property
    def at_rest(self) -> bool:
        """Whether nothing waits or runs. Results may still be unacknowledged."""
        return not self._held

    @property
    def done(self) -> bool:
        """Whether it was told to stop, and has nothing left that anybody needs."""
        return self._stop_at is not None and not self._held and not self._unacknowledged

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stop_at is not None

    # --- how attempts end ---------------------------------------------------------------------------------------

    def _finish(self, finished: Finished) -> None:
        del self._held[finished.attempt]
        self._unacknowledged[finished.attempt] = finished
        self._unsaid.append(finished)

    def _drop(self, held: Held, verdict: Literal["cancelled", "interrupted"], now: Instant) -> None:
        """End an attempt that never ran."""
        self._finish(Finished(held.attempt, verdict, now, now))

    def _watch(self, executor: Executor, head: Held, now: Instant) -> None:
        """Say that an attempt runs when it has for a beat; stop it when that is due."""
        if executor.stopping:
            if executor.kill_at is not None and now >= executor.kill_at:
                executor.kill_at = None
                self._all.orders.append(Kill(executor.number, signal.SIGKILL))
            return
        if not head.announced and now - head.begun >= self._beat_ms:
            head.announced = True
            self._unsaid.append(Started(head.attempt, head.begun, _range(executor, executor.log_end)))
        timeout = head.assignment.timeout
        if timeout is not None and now >= _deadline(head, timeout):
            self._end(executor, "timed_out", now)
        elif head.cancelled:
            self._end(executor, "cancelled", now)
        elif self._stop_at is not None and now >= self._stop_at:
            self._end(executor, "interrupted", now)

    def _end(self, executor: Executor, why: Stopping, now: Instant) -> None:
        """Stop what an executor performs, but nothing else: it may be on to the next already."""
        executor.ending = True
        if len(executor.handed) > 1:
            self._all.take_back(executor)
            return
        executor.stopping = why
        executor.leaving = True
        if why == "timed_out":
            self._all.orders.append(Kill(executor.number, signal.SIGKILL))
        else:
            executor.kill_at = now + KILL_GRACE_MS
            self._all.orders.append(Kill(executor.number, signal.SIGTERM))


def _deadline(held: Held, timeout: float) -> Instant:
    return held.begun + ceil(timeout * 1000)


def _range(executor: Executor, end: int) -> LogRange | None:
    """The part of an executor's log from where its present attempt began. Of length 0: it goes on."""
    return LogRange(executor.segment, executor.log_end, max(0, end - executor.log_end)) if executor.segment else None
