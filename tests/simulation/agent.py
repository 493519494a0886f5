"""The agent's process: the real ledger, with executors that only pretend. Everything dies with it but its journal."""

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Final

from msgspec import msgpack

from ostinato.agent.ending import Exit
from ostinato.agent.ledger import AGAIN_MS, Ledger
from ostinato.agent.message import Report
from ostinato.agent.order import Hand, Kill, Make, Order, TakeBack
from ostinato.model.limits import Limits
from ostinato.model.message import (
    Acknowledge,
    Assignment,
    Call,
    CancelAttempts,
    Failure,
    Finished,
    Hello,
    Launch,
    LogRange,
    Stop,
    ToAgent,
)
from ostinato.model.time import Instant

from .network import Connection
from .script import Act
from .timeline import Timeline
from .trace import Trace
from .weather import Weather
from .world import Performance, World

_CALL: Final = msgpack.Decoder(Call)
FAREWELL_MS: Final = 2_000
"""A stopping agent whose results nobody takes goes after this long."""

_KILL: Final = 9
_INTERRUPTED: Final = Act(0, "failed", "asked to stop", failure=Failure("raised", types=("builtins.SystemExit",)))

ActOf = Callable[[Assignment, Call], Act]


class Executor:
    """A process that performs what it was handed, one after another."""

    def __init__(self, life: "AgentLife", number: int) -> None:
        self._life = life
        self.number = number
        self.queue: deque[Assignment] = deque()
        self.performance: Performance | None = None
        self.latest: Performance | None = None
        self.alive = True
        self.segment = f"{life.name}.{number}"
        self.log_end = 0
        self._log_begin = 0

    def take(self, assignments: Sequence[Assignment]) -> None:
        """Here is more to do."""
        self.queue.extend(assignments)
        self._next()

    def give_back(self) -> list[int]:
        """What it has not begun, and now will not."""
        back = [assignment.attempt for assignment in self.queue]
        self.queue.clear()
        return back

    def die(self, code: int | None, why: str) -> None:
        """It ends at once. Its agent hears of it, unless that is gone too."""
        if not self.alive:
            return
        self.alive = False
        life = self._life
        if self.performance is not None:
            life.world.ends(self.performance, life.timeline.now, killed=why)
            self.log_end += 7
        if life.alive:
            life.soon(partial(self._gone, code))

    def ask_to_stop(self) -> None:
        """SIGTERM: most tasks end by it, some do not notice."""
        performance = self.performance
        if performance is not None and not performance.act.deaf:
            self._life.timeline.after(3, partial(self._stopped, performance))

    def _next(self) -> None:
        if self.performance is not None or not self.queue or not self.alive:
            return
        assignment = self.queue.popleft()
        life = self._life
        call = _CALL.decode(assignment.call)
        act = life.act_of(assignment, call)
        self._log_begin = self.log_end
        self.performance = self.latest = life.world.begins(assignment.attempt, life.name, call, act, life.timeline.now)
        life.timeline.after(act.takes_ms, partial(self._done, self.performance))

    def _done(self, performance: Performance) -> None:
        if not self.alive or self.performance is not performance:
            return
        act = performance.act
        match act.ending:
            case "hangs":
                return
            case "dies":
                self.die(act.exit_code, act.kind)
            case "failed":
                self._report(performance, "failed", act)
            case verdict:
                self._report(performance, verdict, act)

    def _stopped(self, performance: Performance) -> None:
        if not self.alive or self.performance is not performance:
            return
        if self._life.random.random() < 0.5:  # the signal became an exception, and the exception the end of the task
            self._report(performance, "failed", _INTERRUPTED)
        else:
            self.die(-15, "asked to stop")

    def _report(self, performance: Performance, verdict: str, act: Act) -> None:
        life = self._life
        now = life.timeline.now
        self.log_end += 11
        finished = Finished(
            attempt=performance.attempt,
            verdict=verdict,
            started_at=performance.begun,
            finished_at=now,
            log=LogRange(self.segment, self._log_begin, self.log_end - self._log_begin),
            peak_kib=1_000,
            cpu_ms=min(act.takes_ms, 2),
            output=act.output,
            failure=act.failure,
            dead_letters=act.dead_letters,
            follow=act.follow,
        )
        life.world.ends(performance, now, finished)
        self.performance = None
        leaving = "failed" if verdict == "failed" or life.random.random() < 0.03 else ""
        life.soon(partial(self._reported, Report(finished, self.log_end, leaving)))
        if leaving:
            self.die(0, leaving)
        else:
            self._next()

    def _reported(self, report: Report) -> None:
        self._life.ledger.reported(self.number, report, self._life.timeline.now)

    def _gone(self, code: int | None) -> None:
        life = self._life
        del life.executors[self.number]
        life.returned(self.number, self.give_back())
        life.ledger.gone(self.number, Exit(code, self.log_end, 2_000, 5), life.timeline.now)


class AgentLife:
    """One process of the agent, from its start to its end."""

    def __init__(
        self,
        name: str,
        timeline: Timeline,
        random: Random,
        world: World,
        trace: Trace,
        weather: Weather,
        act_of: ActOf,
        journals_on_disk: list[str],
        ended: Callable[[], None],
    ) -> None:
        self.name = name
        self.timeline = timeline
        self.random = random
        self.world = world
        self.trace = trace
        self.weather = weather
        self.act_of = act_of
        self._ended = ended
        self.alive = True
        self.executors: dict[int, Executor] = {}
        self.ledger = Ledger(weather.slots, Limits())
        self._connection: Connection | None = None
        self._wake_at: Instant | None = None
        world.journals[name] = self._journal = set[int]()
        self._journals_on_disk = journals_on_disk
        self._predecessors = list(journals_on_disk)
        journals_on_disk.append(name)
        self._alone_since: Instant = timeline.now
        self.pump()

    # --- what the network says ----------------------------------------------------------------------------------

    def accept(self, connection: Connection) -> None:
        """See `Listener`."""
        before, self._connection = self._connection, connection
        if before is not None:
            before.superseded = True
            before.close()
        self.ledger.say_again()
        connection.to_scheduler([self._hello()])
        self.pump()

    def deafen(self, connection: Connection) -> None:
        """See `Listener`."""
        if connection is self._connection:
            self._connection = None
            self._alone_since = self.timeline.now
            self.timeline.after(FAREWELL_MS, self.pump)

    def hear(self, messages: Sequence[ToAgent]) -> None:
        """See `Listener`."""
        now = self.timeline.now
        self._forget_predecessors()
        for message in messages:
            match message:
                case Launch(assignments):
                    self.ledger.launch(assignments, now)
                case Acknowledge(attempts):
                    self.ledger.acknowledge(attempts)
                    self._journal.difference_update(attempts)
                case CancelAttempts(attempts):
                    self.ledger.cancel(attempts, now)
                case Stop(grace):
                    self.ledger.stop(round(grace * 1000), now)
        self.pump()

    # --- how it ends --------------------------------------------------------------------------------------------

    def kill(self) -> None:
        """SIGKILL. Its executors die with it, its journal stays, most of the time."""
        self._end("killed")
        if self.random.random() < self.weather.lost_journal:
            self.world.journal_lost.add(self.name)
            self._journals_on_disk.remove(self.name)

    def stop(self, grace_ms: int) -> None:
        """SIGTERM: end in order."""
        self.trace.note(self.name, "is to stop")
        self.ledger.stop(grace_ms, self.timeline.now)
        self.pump()

    def _end(self, how: str) -> None:
        self.trace.note(self.name, how)
        self.alive = False
        self.world.dead.add(self.name)
        for executor in list(self.executors.values()):
            executor.die(None, "its agent died")
        if self._connection is not None:
            self._connection.close()
        self._ended()

    # --- its loop -----------------------------------------------------------------------------------------------

    def soon(self, fact: Callable[[], None]) -> None:
        """Learn something that an executor sent, in a moment; what is sent first is learned first."""

        def learn() -> None:
            if self.alive:
                fact()
                self.pump()

        self.timeline.after(1, learn)

    def pump(self) -> None:
        """Carry out what the ledger wants, say what is to be said, and come back when something is due."""
        if not self.alive:
            return
        while orders := self.ledger.decide(self.timeline.now):
            for order in orders:
                self._carry_out(order)
        if self._connection is not None and self._connection.open:
            while messages := self.ledger.messages(100, 1 << 20):
                self._connection.to_scheduler(messages)
        if self.ledger.done or self._nobody_listens():
            self._end("has stopped")
            return
        due = self.ledger.next_due()
        if due is not None and (self._wake_at is None or due < self._wake_at or self._wake_at <= self.timeline.now):
            self._wake_at = max(due, self.timeline.now + 1)
            self.timeline.after(self._wake_at - self.timeline.now, self.pump)

    def _nobody_listens(self) -> bool:
        """Whether it is to stop, has nothing to do, and nobody has come for the results for a while."""
        alone = self._connection is None and self.timeline.now >= self._alone_since + FAREWELL_MS
        return alone and self.ledger.stopping and self.ledger.at_rest

    def returned(self, number: int, attempts: list[int]) -> None:
        """What an executor was handed and has not begun."""
        self._journal.difference_update(attempts)
        self.ledger.taken_back(number, attempts, self.timeline.now)

    def _carry_out(self, order: Order) -> None:
        match order:
            case Hand(number, assignments):
                self._hand(number, assignments)
            case TakeBack(number):
                self.returned(number, self.executors[number].give_back())
            case Kill(number, signal):
                executor = self.executors.get(number)
                if executor is None:
                    return
                if executor.latest is not None:  # even if it has just ended: its report may be on the way
                    executor.latest.asked_to_stop = True
                if signal == _KILL:
                    executor.die(-_KILL, "killed by its agent")
                else:
                    executor.ask_to_stop()
            case Make(number):
                self.soon(partial(self._made, number))

    def _hand(self, number: int, assignments: tuple[Assignment, ...]) -> None:
        """Note them and give them out, unless the journal has no room or the executor does not take them all."""
        attempts = [assignment.attempt for assignment in assignments]
        if self.random.random() < self.weather.not_handed:
            self.ledger.pause(self.timeline.now + AGAIN_MS)
            self.ledger.taken_back(number, attempts, self.timeline.now)
            return
        self._journal.update(attempts)
        taken = len(attempts)
        if self.random.random() < self.weather.not_handed:
            taken = self.random.randrange(len(attempts))
        self.executors[number].take(assignments[:taken])
        if attempts[taken:]:
            self.ledger.refuses(number)
            self.returned(number, attempts[taken:])

    def _made(self, number: int) -> None:
        if self.random.random() < self.weather.not_made:
            self.ledger.not_made(number, self.timeline.now + AGAIN_MS)
            return
        self.executors[number] = executor = Executor(self, number)
        self.ledger.joined(number, executor.segment, 0)

    def _hello(self) -> Hello:
        journals = self.world.journals
        return Hello(
            agent=self.name,
            pid=1,
            slots=self.weather.slots,
            window=self.weather.window,
            holds=self.ledger.holds(),
            predecessors=tuple([(name, tuple(sorted(journals[name]))) for name in self._predecessors]),
        )

    def _forget_predecessors(self) -> None:
        """Whoever speaks has heard our Hello, and recorded what follows from it."""
        for name in self._predecessors:
            self._journals_on_disk.remove(name)
        self._predecessors = []
