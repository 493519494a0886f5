"""The agent's loop: one thread that waits for whatever comes first, tells the ledger, and does what that orders."""

import os
import select
import signal
from math import isinf
from typing import Final

from ostinato.executors.link import Link
from ostinato.home import Home
from ostinato.model.limits import Limits
from ostinato.model.message import Acknowledge, CancelAttempts, Hello, Launch, Stop, ToAgent
from ostinato.model.time import Instant
from ostinato.wire import listen

from .executor import Surroundings
from .journal import Journal, Predecessors
from .kernel import adopt_orphans, memory_of_machine
from .ledger import Ledger
from .lock import take_executors_lock
from .log import AgentLog
from .nursery import Nursery
from .segment import Segments
from .staff import Staff
from .steady import SteadyClock
from .wakeup import Wakeup

COALESCE_MS: Final = 1
"""While executors have work ahead of them, their results are looked at this often."""

LOG_LOOK_MS: Final = 5_000
"""How often the output of attempts that go on is bounded."""

SIGTERM_GRACE_MS: Final = 5_000
"""What runs has this long when somebody ends the agent with SIGTERM."""

FAREWELL_MS: Final = 2_000
"""A stopping agent whose results nobody takes goes after this long."""

MEMORY_SHARE: Final = 0.75
"""A task that declares no memory may use this share of the machine's."""

_MOST_MESSAGES: Final = 1_000
_MOST_BYTES: Final = 4 << 20


class Agent:
    """One life of the agent of a home. It listens once it is made; `run` returns when it is to end."""

    def __init__(self, home: Home, slots: int, linger_s: float, limits: Limits) -> None:
        """The caller holds the agent's lock. Raises AgentFailed and OSError when the home cannot be used."""
        self._home = home
        self._clock = SteadyClock()
        self._log = AgentLog(home.agent, self._clock)
        self._name = f"{self._clock.now()}-{os.getpid()}"
        self._slots = slots
        self._window = slots * limits.window_per_slot
        executors_lock = take_executors_lock(home.agent)
        adopt_orphans()
        self._predecessors = Predecessors(home.agent)
        self._journal = Journal(home.agent, self._name)
        self._ledger = Ledger(slots, limits)
        nursery = Nursery(Surroundings(home.sources, round(memory_of_machine() * MEMORY_SHARE)), executors_lock)
        self._staff = Staff(self._ledger, nursery, Segments(home.logs, self._name), self._journal, self._log)
        self._wakeup = Wakeup(signal.SIGTERM, signal.SIGCHLD)
        self._link: Link[ToAgent] | None = None
        self._listener = listen(home.agent_socket)
        self._listener.setblocking(False)
        self._epoll = select.epoll()
        for source in (self._listener, self._wakeup, self._staff.epoll):
            self._epoll.register(source, select.EPOLLIN)
        self._hurried = True
        self._linger_ms = None if isinf(linger_s) else round(linger_s * 1000)
        self._alone_since = self._clock.now()
        self._look_at: Instant | None = None

    def run(self) -> None:
        """Until it is told to stop and has, or until nobody has wanted anything for the time it lingers."""
        self._log.say(f"agent {self._name} begins, with {self._slots} slots")
        while True:
            now = self._clock.now()
            self._staff.listen(now)
            self._staff.settle(now)
            self._look_at_logs(now)
            self._speak()
            if self._may_go(now):
                break
            self._hurry(not self._ledger.saturated)
            ready = self._epoll.poll(self._wait_s(now))
            self._attend({fd for fd, _ in ready}, self._clock.now())
        self._home.agent_socket.unlink(missing_ok=True)
        self._log.say(f"agent {self._name} ends")

    def _attend(self, ready: set[int], now: Instant) -> None:
        if self._wakeup.fileno() in ready:
            self._wakeup.silence()
            if signal.SIGTERM in self._wakeup.came:
                self._ledger.stop(SIGTERM_GRACE_MS, now)
        if self._link is not None and self._link.fileno() in ready:
            self._hear(self._link, now)
        if self._listener.fileno() in ready:
            self._greet()

    # --- the scheduler ------------------------------------------------------------------------------------------

    def _greet(self) -> None:
        """A scheduler connects, and takes the place of a former one. It hears what there is, then all results again."""
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return  # it has gone again
        if self._link is not None:
            self._link.close()
        if self._ledger.at_rest:
            self._clock.set()
        self._link = Link(connection, ToAgent)  # pyright: ignore[reportArgumentType] - a union is no type, but decodes
        self._epoll.register(self._link, select.EPOLLIN)
        self._ledger.say_again()
        known = self._predecessors.known()
        self._link.send([Hello(self._name, os.getpid(), self._slots, self._window, self._ledger.holds(), known)])

    def _hear(self, link: Link[ToAgent], now: Instant) -> None:
        for message in link.receive():
            self._predecessors.forget()
            match message:
                case Launch(assignments):
                    self._ledger.launch(assignments, now)
                case Acknowledge(attempts):
                    self._ledger.acknowledge(attempts)
                    self._journal.forget(attempts)
                case CancelAttempts(attempts):
                    self._ledger.cancel(attempts, now)
                case Stop(grace):
                    self._ledger.stop(round(grace * 1000), now)
        self._lose_closed(now)

    def _speak(self) -> None:
        """Say what there is to say, as much as the scheduler takes; the rest stays in the ledger."""
        link = self._link
        if link is None:
            return
        link.flush()
        while link.unsent < _MOST_BYTES and (messages := self._ledger.messages(_MOST_MESSAGES, _MOST_BYTES)):
            link.send(messages)
        if not link.closed:
            self._epoll.modify(link, select.EPOLLIN | (select.EPOLLOUT if link.unsent else 0))
        self._lose_closed(self._clock.now())

    def _lose_closed(self, now: Instant) -> None:
        if self._link is not None and self._link.closed:
            if self._link.trouble:
                self._log.say(f"the connection to the scheduler broke: {self._link.trouble}")
            self._link = None
            self._alone_since = now

    # --- time ---------------------------------------------------------------------------------------------------

    def _hurry(self, hurried: bool) -> None:
        """Whether to wake for each result, or to let some come together first."""
        if hurried != self._hurried:
            self._hurried = hurried
            self._epoll.modify(self._staff.epoll, select.EPOLLIN if hurried else 0)

    def _wait_s(self, now: Instant) -> float | None:
        due = [
            at
            for at in (self._ledger.next_due(), self._staff.next_due(), self._look_at, self._goes_at())
            if at is not None
        ]
        if not self._hurried:
            due.append(now + COALESCE_MS)
        return max(0, min(due) - now) / 1000 if due else None

    def _look_at_logs(self, now: Instant) -> None:
        """Bound what running attempts print. Nothing is looked at while nothing runs."""
        if self._ledger.at_rest:
            self._look_at = None
        elif self._look_at is None:
            self._look_at = now + LOG_LOOK_MS
        elif now >= self._look_at:
            self._look_at = now + LOG_LOOK_MS
            self._staff.bound_logs(now)

    def _goes_at(self) -> Instant | None:
        """When it ends if nothing happens until then."""
        if self._link is not None or not self._ledger.at_rest:
            return None
        patience = FAREWELL_MS if self._ledger.stopping else self._linger_ms
        return None if patience is None else self._alone_since + patience

    def _may_go(self, now: Instant) -> bool:
        if self._ledger.done:
            return True
        goes_at = self._goes_at()
        if goes_at is None or now < goes_at:
            return False
        self._alone_since = now  # results that nobody has taken are kept for as long as there is a home to ask for them
        return self._ledger.stopping or not self._ledger.holds() or not self._home.agent_socket.exists()
