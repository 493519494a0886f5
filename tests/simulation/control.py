"""The scheduler's process: started, stepped when something comes or is due, killed at any point, frozen and thawed."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from random import Random

from ostinato.authoring.fill import awaited_file
from ostinato.control.answers import Answers
from ostinato.control.need_history import NeedHistory
from ostinato.control.prepare import Preparer
from ostinato.control.scheduler import Scheduler
from ostinato.decide.step import Probe
from ostinato.model.change import Delivery
from ostinato.model.errors import FencedOut, InvariantBroken
from ostinato.model.limits import Limits
from ostinato.model.message import ToAgent
from ostinato.model.record import Outgoing
from ostinato.model.spec import CompiledDag
from ostinato.model.time import Instant
from ostinato.store import Store

from .disk import Disk, FaultyStore
from .network import Network, Port
from .timeline import Timeline
from .trace import Trace, Violation, demand
from .weather import Weather
from .witness import Witness
from .world import World

SPINNING = 300
"""So many steps at one instant are no progress."""


class Killed(BaseException):
    """The scheduler's process ends here, in the middle of whatever it does."""


class Shelf:
    """Sources for executors, which do not read them."""

    def ensure(self, digest: str) -> None:
        """Nothing to do."""
        del digest


class Files:
    """The files that sensors wait for. When the first look for one is taken, it is decided when, or if, it appears."""

    def __init__(
        self, world: World, timeline: Timeline, random: Random, compiled: Callable[[str], CompiledDag]
    ) -> None:
        self._world = world
        self._timeline = timeline
        self._random = random
        self._compiled = compiled

    def look(self, probe: Probe) -> bool:
        """Whether it is there now."""
        path = str(awaited_file(self._compiled(probe.run.version), probe.run, probe.task_no))
        if path not in self._world.files:
            comes = self._timeline.now + self._random.choice((0, 500, 5_000, 30_000, 10**12))
            self._world.files[path] = comes
        return self._world.file_is_there(path, self._timeline.now)


class Courier:
    """Delivers alerts after a while, mostly. What it knows dies with the scheduler's process."""

    def __init__(
        self, world: World, timeline: Timeline, random: Random, weather: Weather, wake: Callable[[], None]
    ) -> None:
        self._world = world
        self._timeline = timeline
        self._random = random
        self._weather = weather
        self._wake = wake
        self._on_the_way: set[int] = set()
        self._reports: list[Delivery] = []
        self.dead = False
        self.calm = False

    def take(self, alerts: Sequence[Outgoing]) -> None:
        """See `Courier` of the scheduler."""
        for alert in alerts:
            if alert.outbox_id not in self._on_the_way:
                self._on_the_way.add(alert.outbox_id)
                self._timeline.after(self._random.randint(1, 300), lambda alert=alert: self._arrives(alert))

    def reports(self) -> list[Delivery]:
        """See `Courier` of the scheduler."""
        reports, self._reports = self._reports, []
        for report in reports:
            self._on_the_way.discard(report.outbox_id)
        return reports

    def _arrives(self, alert: Outgoing) -> None:
        if self.dead:
            return
        now = self._timeline.wall()
        if not self.calm and self._random.random() < self._weather.refused_alert:
            self._reports.append(Delivery(alert.outbox_id, now, done=False, next_at=now + 1_000, error="refused"))
        else:
            self._world.deliveries.append(alert.outbox_id)
            self._reports.append(Delivery(alert.outbox_id, now, done=True))
        self._wake()


class Control:
    """One life of the scheduler's process. ``after_step`` is called after each step that went well."""

    def __init__(
        self,
        name: str,
        *,
        store: Store,
        timeline: Timeline,
        random: Random,
        weather: Weather,
        world: World,
        witness: Witness,
        network: Network,
        disk: Disk,
        trace: Trace,
        after_step: Callable[["Control"], None],
        ended: Callable[["Control"], None],
    ) -> None:
        self.name = name
        self.alive = True
        self.frozen = False
        self.rivalled = False
        self.calm = False
        self._timeline = timeline
        self._random = random
        self._weather = weather
        self._witness = witness
        self._trace = trace
        self._after_step = after_step
        self._ended = ended
        self._wake = 0
        self._hinted = True
        self.was_hinted = False
        self._last_instant: Instant = 0
        self._steps_now = 0
        self.steps = 0
        compiled = lru_cache(store.compiled)
        faulty = FaultyStore(store, witness, random, disk, self._point)
        self.port = Port(network, self._point, lambda: self._wake_in(random.randint(0, 2)))
        self.port.on_sent = self._sent
        self.courier = Courier(world, timeline, random, weather, lambda: self._wake_in(0))
        self.scheduler = Scheduler(
            faulty,
            self.port,
            Preparer(faulty, Shelf(), compiled),
            Answers(faulty, compiled, NeedHistory(faulty, compiled)),
            Files(world, timeline, random, compiled),
            self.courier,
            limits=Limits(),
            lead=partial(faulty.take_lead, name),
            spread=random.random,
        )
        trace.note(name, "starts")
        self._wake_in(1)

    def hint(self) -> None:
        """Somebody says that the state has changed."""
        if not self.alive:
            return
        self._hinted = True
        self._wake_in(1)

    def kill(self) -> None:
        """SIGKILL."""
        if self.alive:
            self._end("killed")

    def freeze(self) -> None:
        """SIGSTOP, or a machine that swaps: it does nothing, and does not know it."""
        self.frozen = True
        self._trace.note(self.name, "frozen")

    def thaw(self) -> None:
        """It goes on as if nothing had happened."""
        self.frozen = False
        self._trace.note(self.name, "thawed")
        self._wake_in(0)

    def _end(self, how: str) -> None:
        self._trace.note(self.name, how)
        self.alive = False
        self.courier.dead = True
        self.port.close()
        self._ended(self)

    def _point(self, where: str) -> None:
        """A place where the process may die."""
        if not self.calm and self._random.random() < self._weather.death_at_a_point:
            self._trace.note(self.name, "dies", where)
            raise Killed

    def _sent(self, message: ToAgent) -> None:
        self._witness.sent(message)

    def _wake_in(self, delay: int) -> None:
        self._wake += 1
        wake = self._wake
        self._timeline.after(delay, lambda: self._step() if wake == self._wake else None)

    def _step(self) -> None:
        if not self.alive or self.frozen:
            return
        self._not_spinning()
        self.was_hinted = hinted = self._hinted
        self._hinted = False
        now = self._timeline.wall()
        self.steps += 1
        try:
            due = self.scheduler.step(self.port.receive(), now, hinted=hinted)
        except Killed:
            self._end("is dead")
            return
        except FencedOut:
            demand(self.rivalled, f"{self.name} is fenced out, and there was no other")
            self._end("is fenced out")
            return
        trouble = self.scheduler.trouble
        if isinstance(trouble, InvariantBroken):
            raise Violation(f"the scheduler found itself wrong: {trouble}")
        if trouble is not None:
            self._trace.note(self.name, "in trouble:", trouble)
        else:
            self._after_step(self)
        if due is not None:
            self._wake_in(max(0, due - now))

    def _not_spinning(self) -> None:
        if self._timeline.now != self._last_instant:
            self._last_instant, self._steps_now = self._timeline.now, 0
        self._steps_now += 1
        demand(self._steps_now < SPINNING, "the scheduler steps and steps, and time stands still")
