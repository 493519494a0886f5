"""Executors that only pretend, for laws about the ledger: what they do and when is up to the test."""

import signal
from collections import Counter, deque

from msgspec import Struct, field

from ostinato.agent.ending import Exit
from ostinato.agent.ledger import Ledger
from ostinato.agent.message import Report
from ostinato.agent.order import Hand, Kill, Make, Order, TakeBack
from ostinato.model.limits import Limits
from ostinato.model.message import Assignment, Finished, Started, Verdict
from ostinato.model.spec import Isolation


def assignment(
    attempt: int,
    source: str = "a",
    isolation: Isolation = "reuse",
    priority: int = 0,
    timeout: float | None = None,
    size: int = 10,
) -> Assignment:
    return Assignment(attempt, source, isolation, priority, timeout, None, b"x" * size)


class Pretender(Struct):
    """An executor: what lies in its socket, what it performs, and what it has reported but nobody has read."""

    number: int
    inbox: deque[Assignment] = field(default_factory=deque[Assignment])
    performs: Assignment | None = None
    reports: deque[Report] = field(default_factory=deque[Report])
    asked_to_stop: bool = False
    code: int | None = None
    lines: set[str] = field(default_factory=set[str])
    begun: int = 0

    @property
    def alive(self) -> bool:
        return self.code is None


class World:
    """A ledger with pretenders. Every method lets the ledger decide, and carries out what it orders.

    Executors come with a ``pace``: a quick one is given work ahead from the start.
    """

    def __init__(self, slots: int = 2, limits: Limits | None = None, pace: float = 0.1) -> None:
        self.pace = pace
        self.now = 1_000_000
        self.slots = slots
        self.ledger = Ledger(slots, limits or Limits())
        self.executors: dict[int, Pretender] = {}
        self.coming: deque[int] = deque()
        self.launched: dict[int, Assignment] = {}
        self.begun: Counter[int] = Counter()
        self.order: list[int] = []
        self.finished: dict[int, Finished] = {}
        self.started: list[Started] = []
        self.cancelled: set[int] = set()
        self.stopping = False
        self.racing = False
        self.begun_at: dict[int, int] = {}
        self.handed_at: dict[int, int] = {}
        self.settle()

    # --- the scheduler ------------------------------------------------------------------------------------------

    def launch(self, *assignments: Assignment) -> None:
        self.launched |= {assignment.attempt: assignment for assignment in assignments}
        self.ledger.launch(assignments, self.now)
        self.settle()

    def cancel(self, *attempts: int) -> None:
        self.cancelled |= set(attempts)
        self.ledger.cancel(attempts, self.now)
        self.settle()

    def stop(self, grace_ms: int) -> None:
        self.stopping = True
        self.ledger.stop(grace_ms, self.now)
        self.settle()

    # --- executors ----------------------------------------------------------------------------------------------

    def join(self) -> None:
        """The next executor that was ordered is there."""
        number = self.coming.popleft()
        self.executors[number] = Pretender(number)
        self.ledger.joined(number, f"segment-{number}", 0)
        self.ledger._all.executors[number].pace = self.pace
        self.settle()

    def fail_to_make(self) -> None:
        self.ledger.not_made(self.coming.popleft(), self.now + 1_000)
        self.settle()

    def begin(self, executor: Pretender) -> None:
        """An executor takes what lies first in its socket."""
        executor.performs = executor.inbox.popleft()
        executor.begun += 1
        executor.lines.add(executor.performs.source if executor.performs.isolation == "reuse" else "")
        self.begun[executor.performs.attempt] += 1
        self.order.append(executor.performs.attempt)
        self.begun_at[executor.performs.attempt] = self.now

    def end(self, executor: Pretender, verdict: Verdict = "success", leaving: str = "") -> None:
        """An executor reports; the ledger does not know yet."""
        assert executor.performs is not None
        began = self.begun_at[executor.performs.attempt]
        finished = Finished(executor.performs.attempt, verdict, began, self.now)
        executor.reports.append(Report(finished, 0, leaving))
        single = executor.performs.isolation == "process"
        executor.performs = None
        if leaving or single:
            executor.code = 0

    def read(self, executor: Pretender) -> None:
        """The ledger hears what an executor has reported."""
        while executor.reports:
            self.ledger.reported(executor.number, executor.reports.popleft(), self.now)
        self.settle()

    def bury(self, executor: Pretender) -> None:
        """The ledger hears that an executor is gone."""
        assert executor.code is not None
        while executor.reports:
            self.ledger.reported(executor.number, executor.reports.popleft(), self.now)
        self._take_back(executor)
        del self.executors[executor.number]
        self.ledger.gone(executor.number, Exit(executor.code, 7), self.now)
        self.settle()

    def perform(self, executor: Pretender, verdict: Verdict = "success", leaving: str = "") -> None:
        """Begin, end and read."""
        self.begin(executor)
        self.end(executor, verdict, leaving)
        self.read(executor)

    # --- time ---------------------------------------------------------------------------------------------------

    def pass_time(self, ms: int) -> None:
        self.now += ms
        self.settle()

    def settle(self) -> None:
        for _ in range(1_000):
            orders = self.ledger.decide(self.now)
            if not orders:
                break
            for order in orders:
                self._carry_out(order)
        else:
            raise AssertionError("the ledger never stops giving orders")
        for message in self.ledger.messages(1_000, 1 << 20):
            if isinstance(message, Finished):
                assert message.attempt not in self.finished, f"attempt {message.attempt} ends twice"
                self.finished[message.attempt] = message
            elif isinstance(message, Started):
                self.started.append(message)
        self._check()

    def finish_everything(self) -> None:
        """Let everybody do his part until nothing waits or runs."""
        for _ in range(10_000):
            if self.ledger.at_rest:
                return
            if self.coming:
                self.join()
            for executor in list(self.executors.values()):
                if executor.number not in self.executors:
                    continue
                if not executor.alive:
                    self.bury(executor)
                elif executor.performs is not None:
                    self.end(executor)
                    self.read(executor)
                elif executor.inbox:
                    self.begin(executor)
                elif executor.reports:
                    self.read(executor)
            self.pass_time(1)
        raise AssertionError("not everything ends")

    def _check(self) -> None:
        performing = [e for e in self.executors.values() if e.performs is not None and e.alive]
        assert len(performing) <= self.slots, "more run than there are slots"
        assert all(n == 1 for n in self.begun.values()), "an attempt was begun twice"
        for executor in self.executors.values():
            assert len(executor.lines) <= 1, "an executor served two sources"
            assert "" not in executor.lines or executor.begun == 1, "an isolated attempt shared its process"
        known = set(self.ledger.holds())
        assert known == set(self.launched), "an attempt was forgotten"

    def _carry_out(self, order: Order) -> None:
        match order:
            case Hand(number, assignments):
                assert number in self.executors, "work for an executor that is gone"
                self.executors[number].inbox.extend(assignments)
                self.handed_at |= {assignment.attempt: self.now for assignment in assignments}
            case TakeBack(number):
                self._take_back(self.executors[number])
            case Kill(number, which):
                self._kill(number, which)
            case Make(number):
                self.coming.append(number)

    def _take_back(self, executor: Pretender) -> None:
        """Both ends may reach for the socket at once: then the executor gets one from between those that come back."""
        back: list[int] = []
        if self.racing and len(executor.inbox) > 1 and executor.alive and executor.performs is None:
            back.append(executor.inbox.popleft().attempt)
            self.begin(executor)
        back += [assignment.attempt for assignment in executor.inbox]
        executor.inbox.clear()
        self.ledger.taken_back(executor.number, back, self.now)

    def _kill(self, number: int, which: int) -> None:
        executor = self.executors.get(number)
        if executor is None or not executor.alive:
            return
        if which == signal.SIGTERM:
            executor.asked_to_stop = True
        meant = executor.performs or (executor.inbox[0] if executor.inbox else None)
        assert len(executor.inbox) + (executor.performs is not None) <= 1, "more than what is to stop is stopped"
        if meant is not None:
            age = self.now - self.handed_at[meant.attempt]
            late = meant.timeout is not None and age >= meant.timeout * 1000
            unwanted = meant.attempt in self.cancelled or self.stopping
            assert late or unwanted, f"attempt {meant.attempt} is stopped, but nobody wanted that"
        if which == signal.SIGKILL:
            executor.code = -9
