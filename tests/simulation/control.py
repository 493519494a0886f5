"""A scheduler's process: it stands by until it leads, is stepped when something comes or is due, and dies or freezes anywhere."""

from collections.abc import Callable, Sequence
from functools import lru_cache
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
from .host import Host
from .lead import Lead
from .network import Port
from .timeline import Timeline
from .trace import Trace, Violation, demand
from .visit import Visit
from .weather import WORSE, Weather
from .witness import Witness
from .world import World

SPINNING = 300
"""So many steps at one instant are no progress."""

LOOK_MS = 250
VISIT_MS = 2_000
"""How often who stands by looks who leads, and after the agent of its machine. See `control.standby`."""
VISITS = 3
"""After so many visits nothing is on its way any more that was sent before."""


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


class Leading:
    """What a scheduler is made of once it is its turn."""

    def __init__(self, control: "Control", store: FaultyStore, world: World) -> None:
        timeline, random, host = control.timeline, control.random, control.host
        compiled = lru_cache(store.compiled)
        self.port = Port(host.network, control.point, lambda: control.wake_in(random.randint(0, 2)))
        self.port.on_sent = control.sent
        self.courier = Courier(world, timeline, random, control.weather, lambda: control.wake_in(0))
        self.courier.calm = control.calm
        self.scheduler = Scheduler(
            store,
            self.port,
            Preparer(store, Shelf(), compiled),
            Answers(store, compiled, NeedHistory(store, compiled)),
            Files(world, timeline, random, compiled),
            self.courier,
            limits=Limits(),
            lead=control.take_lead,
            spread=random.random,
        )


class Control:
    """One life of a scheduler's process. ``after_step`` is called after each step that went well.

    ``overtake`` may let another one take the lead, and begin, while this one is in the middle of a step.
    """

    def __init__(
        self,
        name: str,
        host: Host,
        *,
        store: Store,
        lead: Lead,
        timeline: Timeline,
        random: Random,
        weather: Weather,
        world: World,
        witness: Witness,
        disk: Disk,
        trace: Trace,
        overtake: Callable[["Control"], None],
        after_step: Callable[["Control"], None],
        ended: Callable[["Control"], None],
    ) -> None:
        self.name = name
        self.host = host
        self.timeline = timeline
        self.random = random
        self.weather = weather
        self.alive = True
        self.frozen = False
        self.calm = False
        self.was_hinted = False
        self._outlived = False
        self.steps = 0
        self.leading: Leading | None = None
        self._lead = lead
        self._disk = disk
        self._world = world
        self._witness = witness
        self._trace = trace
        self._overtake = overtake
        self._after_step = after_step
        self._ended = ended
        self._wake = 0
        self._hinted = True
        self._looked_at = 0
        self._visits = 0
        self._last_instant: Instant = 0
        self._steps_now = 0
        self._store = store
        self._faulty = FaultyStore(store, witness, random, host, disk, self.point)
        trace.note(name, "starts on", host.name)
        self.look_in(1)
        self.visit_in(random.randint(1, VISIT_MS))

    # --- standing by --------------------------------------------------------------------------------------------

    def look_in(self, delay: int) -> None:
        """Look who leads."""
        self.timeline.after(delay, self._look)

    def _look(self) -> None:
        if not self.alive or self.frozen or self.leading is not None:
            return
        if not self._reaches():
            self.look_in(LOOK_MS)
            return
        wait = self._lead.look()
        if wait == 0:
            self.come_forward()
            self.wake_in(self.random.choice((1, 1, 40, 1_000)))
        elif wait is not None:
            self.look_in(wait + self.random.randint(0, LOOK_MS))

    def come_forward(self) -> None:
        """It sees nobody lead: it makes everything ready and will take the lead."""
        self._trace.note(self.name, "comes forward")
        self._looked_at = self._witness.epoch
        self.leading = Leading(self, self._faulty, self._world)
        self.host.leading += 1

    def take_lead(self, now: Instant) -> int:
        """Take the lead, unless somebody was quicker. See `Lease.take`."""
        if self._witness.epoch != self._looked_at:
            raise FencedOut("another one was quicker")
        epoch = self._faulty.take_lead(self.name, now)
        self._lead.taken(self)
        return epoch

    def visit_in(self, delay: int) -> None:
        """Look after the agent of the machine, as long as it has something to do and nobody leads there."""
        self.timeline.after(delay, self._visit)

    def _visit(self) -> None:
        if not self.alive or self.leading is not None:
            return
        life = self.host.life
        if life.alive and not (self.frozen or self.host.leading) and self._reaches():
            Visit(self._store, self._world, self.host)
        self._visits += 1
        if self._visits < VISITS or not life.alive or not life.ledger.at_rest:
            self.visit_in(VISIT_MS)

    def _reaches(self) -> bool:
        return not (self.host.cut_off or self._disk.broken)

    # --- what is done to it -------------------------------------------------------------------------------------

    def hint(self) -> None:
        """Somebody says that the state has changed."""
        if self.alive and self.leading is not None:
            self._hinted = True
            self.wake_in(1)

    def kill(self) -> None:
        """SIGKILL."""
        if self.alive:
            self._end("killed")

    def is_to_end(self) -> None:
        """The state is set back: somebody stops it, unless it hangs. Then it goes on some time, and its beat finds nothing."""
        if not self.frozen:
            self.kill()
            return
        self._lead.let_go(self)
        self._outlived = True
        if self.leading is not None:
            self.leading.courier.dead = True

    def freeze(self) -> None:
        """SIGSTOP, or a machine that swaps: it does nothing, and does not know it."""
        self.frozen = True
        self._trace.note(self.name, "frozen")
        self._lead.stands_still()

    def thaw(self) -> None:
        """It goes on as if nothing had happened."""
        if self.alive and self.frozen:
            self.frozen = False
            self._trace.note(self.name, "thawed")
            if self._outlived:
                self.timeline.after(LOOK_MS, self._notice)
            self.look_in(0)
            self.wake_in(0)

    def beats(self) -> bool:
        """See `Holder`."""
        return self.alive and not self.frozen and self._reaches()

    def be_calm(self) -> None:
        """Nothing more happens to it."""
        self.calm = True
        if self.leading is not None:
            self.leading.courier.calm = True

    def lose_session(self) -> None:
        """The session in which it leads ends, and with it the lock; it goes on, and takes the lock again if it is free."""
        self._trace.note(self.name, "loses its session")
        self._lead.let_go(self)
        self.timeline.after(self.random.randint(1, 500), self._regain)

    def _regain(self) -> None:
        if self.leads() and self.beats():
            self._lead.regained(self)

    def is_overtaken(self) -> None:
        """Somebody has taken the lead: the thread that beats notices, unless the next commit is quicker."""
        if self.leading is not None and self._epoch() is not None and not self._lead.is_held_by(self):
            self.timeline.after(self.random.randint(1, 500), self._notice)

    def _notice(self) -> None:
        if self.alive and not self.frozen and self.leading is not None and self._epoch() != self._witness.epoch:
            self._end("is told that it has lost the lead")

    def _epoch(self) -> int | None:
        return None if self.leading is None else self.leading.scheduler._epoch

    def leads(self) -> bool:
        """Whether what it writes is taken."""
        return self.alive and self._epoch() == self._witness.epoch

    def _end(self, how: str) -> None:
        self._trace.note(self.name, how)
        self.alive = False
        if self.leading is not None:
            self.leading.courier.dead = True
            self.leading.port.close()
            self.host.leading -= 1
        self._lead.let_go(self)
        self._ended(self)

    # --- its steps ----------------------------------------------------------------------------------------------

    def point(self, where: str) -> None:
        """A place where the process may die, or another one may take the lead."""
        if self.calm:
            return
        often = WORSE if where == self.weather.worst_point else 1
        if self.random.random() < self.weather.death_at_a_point * often:
            self._trace.note(self.name, "dies", where)
            raise Killed
        if self.random.random() < self.weather.overtaken * often:
            self._overtake(self)

    def sent(self, message: ToAgent) -> None:
        """It says something to an agent."""
        self._witness.sent(message, leads=self.leads())

    def wake_in(self, delay: int) -> None:
        """Take a step then, unless something comes earlier."""
        self._wake += 1
        wake = self._wake
        self.timeline.after(delay, lambda: self.step() if wake == self._wake else None)

    def step(self) -> None:
        """Take in what has come, and do what is due."""
        if not self.alive or self.frozen or self.leading is None:
            return
        self._not_spinning()
        self.was_hinted = hinted = self._hinted
        self._hinted = False
        scheduler, now = self.leading.scheduler, self.timeline.wall(self.host.name)
        self.steps += 1
        try:
            due = scheduler.step(self.leading.port.receive(), now, hinted=hinted)
        except Killed:
            self._end("is dead")
            return
        except FencedOut:
            demand(self._epoch() != self._witness.epoch, f"{self.name} is fenced out, and there was no other")
            self._end("is fenced out")
            return
        trouble = scheduler.trouble
        if isinstance(trouble, InvariantBroken):
            raise Violation(f"the scheduler found itself wrong: {trouble}")
        if trouble is not None:
            self._trace.note(self.name, "in trouble:", trouble)
        else:
            self._after_step(self)
        if due is not None:
            self.wake_in(max(0, due - now))

    def _not_spinning(self) -> None:
        if self.timeline.now != self._last_instant:
            self._last_instant, self._steps_now = self.timeline.now, 0
        self._steps_now += 1
        demand(self._steps_now < SPINNING, "the scheduler steps and steps, and time stands still")
