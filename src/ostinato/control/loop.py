"""What runs for ever: wait for the first of message, hint, report, file change or due time; then one scheduler step."""

import os
import selectors
from select import select
from typing import Final

from ostinato.clock import Clock
from ostinato.executors.local import LocalAgent
from ostinato.executors.port import Arrival
from ostinato.model.limits import Limits
from ostinato.model.time import Instant

from .deploy import Reloader
from .hint import HintListener
from .interrupts import Interrupts
from .scheduler import Scheduler

LONGEST_WAIT_MS: Final = 60_000
LOOK_FOR_AGENT_MS: Final = 1_000


class Alarm:
    """A pipe that threads of this process ring to wake the loop."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def ring(self) -> None:
        """Wake the loop. One that is full is ringing already."""
        try:
            os.write(self._write, b".")
        except BlockingIOError:
            return

    def fileno(self) -> int:
        """For a selector."""
        return self._read

    def silence(self) -> None:
        """Take in all rings so far."""
        try:
            while os.read(self._read, 4096):
                pass
        except BlockingIOError:
            return

    def close(self) -> None:
        """Give the pipe back."""
        os.close(self._read)
        os.close(self._write)


class Loop:
    """Turns the scheduler. `turn` returns after each step, so that a foreground command can draw in between."""

    def __init__(
        self,
        scheduler: Scheduler,
        agent: LocalAgent,
        hints: HintListener,
        alarm: Alarm,
        reloader: Reloader | None,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._scheduler = scheduler
        self._agent = agent
        self._hints = hints
        self._alarm = alarm
        self._reloader = reloader
        self._clock = clock
        self._coalesce_s = limits.coalesce_ms / 1000
        self._due: Instant | None = 0
        self._interrupts = Interrupts()
        self._selector = selectors.DefaultSelector()
        for source in (agent, hints, alarm, reloader):
            if source is not None:
                self._selector.register(source, selectors.EVENT_READ, source)

    def turn(self, until: Instant | None = None) -> None:
        """Wait until there is something to do, at the latest ``until``, and do it; in trouble, until it is to be tried again."""
        ready = self._wait(until)
        with self._interrupts.held():
            self._act(ready)

    def _act(self, ready: set[object]) -> None:
        hinted = self._hints in ready and self._hints.heard()
        if self._alarm in ready:
            self._alarm.silence()
        if self._reloader is not None:
            if self._reloader in ready:
                self._reloader.attend()
            hinted |= self._reloader.apply()
        troubled = self._scheduler.trouble is not None
        arrived = [] if troubled else self._agent.receive()  # it would only have to be dropped again
        if self._scheduler.has_plenty(without=len(arrived)):
            arrived += self._gather()
        self._due = self._scheduler.step(arrived, self._clock.now(), hinted=hinted)
        if troubled and self._scheduler.trouble is None:
            self._due = 0  # to connect again

    def close(self) -> None:
        """Stop watching. What is watched is closed by who made it."""
        self._interrupts.close()
        self._selector.close()

    def _wait(self, until: Instant | None) -> set[object]:
        now, troubled = self._clock.now(), self._scheduler.trouble is not None
        longest = LONGEST_WAIT_MS if self._agent.connected() else LOOK_FOR_AGENT_MS
        due = min(at for at in (self._due, None if troubled else until, now + longest) if at is not None)
        patience = max(0, due - now) / 1000
        if troubled:
            select([], [], [], patience)  # whatever happens meanwhile: nothing can be done about it
            return set()
        return {key.data for key, _ in self._selector.select(patience)}

    def _gather(self) -> list[Arrival]:
        """Results come in crowds: while agents have enough to do, a moment more makes one commit of several."""
        select([self._alarm], [], [], self._coalesce_s)
        return self._agent.receive()
