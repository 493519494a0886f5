"""One simulation: everything put together under one seed, a storm, then calm until all is over."""

from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b
from random import Random
from typing import Final

from msgspec import Struct, msgpack

from ostinato.model.message import Assignment, Call, Finished, Started
from ostinato.model.state import LIVE_ATTEMPT
from ostinato.model.time import Instant
from ostinato.store import open_store

from .agent import AgentLife
from .audit import audit
from .control import LOOK_MS, Control
from .disk import Disk
from .host import Host
from .lead import Lead
from .people import People
from .portrait import agenda_portrait, board_portrait, demand_equal, remembered
from .reasons import demand_explained, demand_reasons
from .retention import Retention
from .script import Act, act_of, part_of, temper_of
from .setback import Backup
from .timeline import BEGIN, Timeline
from .trace import Trace, demand
from .values import demand_arguments
from .weather import Weather, weather_of
from .witness import Witness
from .world import World

PATIENCE_MS: Final = 2 * 3_600_000
"""Once faults have stopped all work ends within this time: two hours for what takes minutes undisturbed."""

MOST_EVENTS: Final = 50_000
"""Four times as many as the liveliest seeds need; only what turns in circles needs more."""
PROBING: Final = 0.2
"""The share of steps that followed a hint, after which the scheduler's memory is compared with a fresh start."""


class Outcome(Struct, frozen=True):
    """What a simulation came to. ``history`` is the hash of all that was written, ``moves`` what the machines did."""

    seed: int
    history: str
    runs: int
    attempts: int
    commits: int
    schedulers: int
    agents: int
    virtual_s: float
    moves: set[tuple[str, str, str]]


class Simulation:
    """See the module. `run` raises Violation when something does not hold.

    ``often`` names faults and chances that come often, ``without`` those, and deeds of people, that never come;
    ``storm_ms`` cuts the storm short.
    """

    def __init__(
        self, seed: int, often: Sequence[str] = (), without: Collection[str] = (), storm_ms: int | None = None
    ) -> None:
        self.seed = seed
        self.random = random = Random(seed)
        self.fate = Random(f"set back {seed}")  # by itself, so that what a seed was without it, it still is
        self.weather: Weather = weather_of(random, self.fate, often).without(without)
        self.storm_ms = storm_ms or self.weather.storm_ms
        self.temper = temper_of(random)
        self.timeline = Timeline()
        self.trace = Trace(self.timeline)
        self.world = World()
        self.witness = Witness(self.world, self.timeline)
        self.store = open_store(None)
        self.hosts = [
            Host(f"machine-{no + 1}", self.timeline, random, self.trace) for no in range(self.weather.machines)
        ]
        self.disk = Disk(self.weather)
        self.lead = Lead(self.timeline, self._lead_changed)
        self.people = People(self.store, self.timeline, random, self.witness, self.trace, self._hint, self.weather.idle)
        self.controls: list[Control] = []
        self.alive: list[Control] = []
        self.agents = 0
        self.overtaking = False
        self.storming = True
        self.retention: Retention | None = None
        self.backup: Backup | None = None

    def run(self) -> Outcome:
        """The whole of it."""
        try:
            self.people.settle_in()
            for host in self.hosts:
                host.network.weather = self.weather
                self._start_agent(host)
            for no in range(self.weather.schedulers):
                self._start_control(self.hosts[no % len(self.hosts)])
            for fault in sorted(self.weather.every):
                self._later(fault, getattr(self, f"_{fault}"))
            self._after(self.random.randint(0, 3_000), self._people_act)
            self._until(BEGIN + self.storm_ms, lambda: False)
            self._calm_down()
            self._until(self.timeline.now + PATIENCE_MS, self._all_is_over)
            demand(self._all_is_over(), f"work is left after {PATIENCE_MS / 1000:.0f} s of calm: {self._left()}")
            audit(self.store, self.witness, self.world, self.people)
            return self._outcome()
        finally:
            if self.backup is not None:
                self.backup.close()
            self.store.close()

    # --- time ---------------------------------------------------------------------------------------------------

    def _until(self, end: Instant, over: Callable[[], bool]) -> None:
        for count in range(MOST_EVENTS):
            if not self.timeline.advance(end) or (count % 20 == 0 and over()):
                return
        demand(False, "too much happens in too little time")

    def _all_is_over(self) -> bool:
        waits = self.witness.open or self.witness.wishes.decisions or self.store.outbox_waiting(1)
        return not waits and self.world.rests()

    def _left(self) -> str:
        return ", ".join(
            f"run {seen.run.run_id} ({seen.run.state}: {' '.join(seen.states.values())})"
            for seen in list(map(self.witness.runs.__getitem__, self.witness.open))[:3]
        )

    def _after(self, delay: int, action: Callable[[], None]) -> None:
        """Do something, if the storm still goes on then."""
        self.timeline.after(delay, lambda: action() if self.storming else None)

    def _later(self, fault: str, strike: Callable[[], None]) -> None:
        """Let a fault strike from time to time."""

        def struck() -> None:
            strike()
            self._later(fault, strike)

        self._after(1 + round(self.random.expovariate(1 / self.weather.every[fault])), struck)

    # --- processes ----------------------------------------------------------------------------------------------

    def _start_control(self, host: Host) -> None:
        control = Control(
            f"scheduler-{len(self.controls) + 1}",
            host,
            store=self.store,
            lead=self.lead,
            timeline=self.timeline,
            random=self.random,
            weather=self.weather,
            world=self.world,
            witness=self.witness,
            disk=self.disk,
            trace=self.trace,
            overtake=self._overtake,
            after_step=self._look_at,
            ended=self._control_ended,
        )
        self.controls.append(control)
        self.alive.append(control)
        control.calm = not self.storming

    def _control_ended(self, control: Control) -> None:
        self.alive.remove(control)
        self.timeline.after(self.random.choice((1, 50, 3_000)), lambda: self._start_control(control.host))

    def _lead_changed(self) -> None:
        for control in self.alive:
            if control.leading is None:
                control.look_in(self.random.randint(0, LOOK_MS))
            else:
                control.is_overtaken()

    def _overtake(self, control: Control) -> None:
        """In the middle of a step of one, another takes the lead and does all that it would do first."""
        standing_by = [other for other in self.alive if other.leading is None and not other.frozen]
        if self.overtaking or not standing_by or not control.leads():
            return
        self.overtaking = True
        other = self.random.choice(standing_by)
        self.trace.note(other.name, "overtakes", control.name)
        other.come_forward()
        for _ in range(3):  # it takes the lead, reads what there is, and goes on
            other.step()
        other.wake_in(1)
        self.overtaking = False

    def _start_agent(self, host: Host) -> None:
        self.agents += 1
        name = f"agent-{self.agents}"
        self.witness.seats(name, host.name, self.weather.window)
        life = AgentLife(
            name,
            self.timeline,
            self.random,
            self.world,
            self.trace,
            self.weather,
            self._act_of,
            host.journals_on_disk,
            lambda: self.timeline.after(self.random.choice((1, 200, 2_000)), lambda: self._start_agent(host)),
        )
        self.trace.note(life.name, "starts on", host.name)
        host.lives.append(life)
        host.network.listener = life

    def _act_of(self, assignment: Assignment, call: Call) -> Act:
        spec = self.witness.specs[call.version]
        task = spec.tasks[call.task_no]
        demand(assignment.timeout == task.timeout, f"task {call.task_no} has another time limit", call.run_id)
        if assignment.attempt not in self.witness.lost:
            demand_arguments(self.witness, call)
        edges = self.witness.edges[call.version][task.scope]
        below = edges.below(call.task_no)
        return act_of(self.seed, self.temper, call, part_of(spec, call.task_no, below))

    def _hint(self) -> None:
        if self.storming and self.random.random() < self.weather.lost_hint:
            return
        delay = self.random.choice((1, 1, 100, 2_000)) if self.storming else 1
        self.timeline.after(delay, lambda: [control.hint() for control in self.controls])

    # --- faults -------------------------------------------------------------------------------------------------

    def _people_act(self) -> None:
        if self.disk.full:
            self.trace.note("somebody is told that the disk is full")
        else:
            self.people.act()
        self._after(self.random.randint(0, self.random.choice((500, 8_000))), self._people_act)

    def _scheduler_killed(self) -> None:
        if self.alive:
            self._some_control().kill()

    def _scheduler_frozen(self) -> None:
        """It hangs, another takes the lead, and then it goes on."""
        frozen = self._some_control() if self.alive else None
        if frozen is not None and not frozen.frozen:
            frozen.freeze()
            self.timeline.after(self.random.randint(1, 10_000), frozen.thaw)

    def _some_control(self) -> Control:
        """Mostly one that leads: more depends on that."""
        leading = [control for control in self.alive if control.leads()]
        return self.random.choice(leading if leading and self.random.random() < 0.7 else self.alive)

    def _some_host(self) -> Host:
        return self.random.choice(self.hosts)

    def _session_lost(self) -> None:
        for control in self.alive:
            if control.leads():
                control.lose_session()
                return

    def _machine_cut_off(self) -> None:
        """It does not reach the database, for a while."""
        host = self._some_host()
        if not host.cut_off:
            self.trace.note(host.name, "is cut off")
            host.cut_off = True
            self.lead.stands_still()
            self.timeline.after(self.random.choice((10, 800, 4_000, 9_000)), lambda: self._reaches_again(host))

    def _reaches_again(self, host: Host) -> None:
        self.trace.note(host.name, "reaches the database")
        host.cut_off = False

    def _agent_killed(self) -> None:
        life = self._some_host().life
        if life.alive:
            life.kill()

    def _agent_stopped(self) -> None:
        life = self._some_host().life
        if life.alive:
            life.stop(self.random.choice((0, 1_000)))

    def _connection_cut(self) -> None:
        host = self._some_host()
        self.trace.note("connections are cut on", host.name)
        host.network.cut()

    def _store_unavailable(self) -> None:
        self.trace.note("the disk stops")
        self.disk.broken = True
        self.timeline.after(self.random.choice((10, 800, 4_000)), self._store_available)

    def _store_available(self) -> None:
        self.disk.broken = False

    def _disk_full(self) -> None:
        self.trace.note("the disk is full")
        self.disk.full = True
        self.timeline.after(self.random.choice((10, 2_000, 15_000)), self._disk_has_room)

    def _disk_has_room(self) -> None:
        self.disk.full = False

    def _clock_set(self) -> None:
        by = self.random.choice((-2_000, -300, -7, 50, 3_000, 90_000))
        machine = self.random.choice(("people", *[host.name for host in self.hosts]))
        self.trace.note("the clock of", machine, "is set by", by, "ms")
        self.timeline.errors[machine] = self.timeline.errors.get(machine, 0) + by

    def _executor_killed(self) -> None:
        life = self._some_host().life
        alive = [executor for executor in life.executors.values() if executor.alive]
        if alive and life.alive:
            how = self.random.choice(((-9, "killed by somebody"), (None, "its zygote died")))
            self.random.choice(alive).die(*how)

    def _history_forgotten(self) -> None:
        if not self.disk.full:
            self.retention = Retention(self.store, self.timeline, self.witness, self.trace)

    def _state_set_back(self) -> None:
        """A backup is taken, between two portions of no retention; after a while the state is as it was then."""
        if self.backup is None and (self.retention is None or self.retention.over):
            self.trace.note("a backup is taken")
            self.backup = Backup(self.store, self.witness, self.people, self.world)
            self._after(self.fate.choice((1, 300, 3_000, 20_000)), self._restore)

    def _restore(self) -> None:
        """Schedulers are stopped, but for those that hang and nobody reaches. The clock there is right: see decision 020."""
        assert self.backup is not None
        again = self.fate.random() < 0.5
        self.trace.note("the backup is restored,", "to go on from where it was" if again else "and what was open stops")
        for control in list(self.alive):
            control.is_to_end()
        self.backup.restore(self.timeline.now, again=again)
        self.backup = None

    def _late_report(self) -> None:
        """A report of an attempt that ended long ago comes again, or an attempt that never was is reported."""
        ended = [no for no, attempt in self.witness.attempts.items() if attempt.state not in LIVE_ATTEMPT]
        attempt = self.random.choice([*ended[-20:], len(self.witness.attempts) + 1_000])
        now = self.timeline.now
        looks = attempt in ended and self.witness.task_of(attempt).sensor is not None
        verdict = self.random.choice(("success", "failed", "skipped", "cancelled", "interrupted", *["not_yet"] * looks))
        forged = self.random.choice((Finished(attempt, verdict, now, now, output=b"\x01"), Started(attempt, now)))
        for control in self.alive:
            if control.leading is not None:
                control.leading.port.forge(forged)

    def _calm_down(self) -> None:
        """No more faults. What was going on goes on."""
        self.trace.note("the storm is over")
        self.storming = self.witness.storming = False
        self.disk.heal()
        for host in self.hosts:
            host.network.weather = None
            host.cut_off = False
        for control in self.alive:
            control.be_calm()
            control.thaw()
        self.people.make_an_end()

    # --- what must hold after each step -------------------------------------------------------------------------

    def _look_at(self, control: Control) -> None:
        if control.leading is None or not control.leads():
            return  # it goes on as if it still led, and will be told when it wants to do anything
        scheduler = control.leading.scheduler
        board = scheduler.board
        if board is None:
            return
        now = self.timeline.wall(control.host.name)
        self.witness.steps()
        demand(not self.witness.promises.overdue(now), "a deadline has passed, and nobody is told")
        demand_reasons(board, self.witness)
        unset = now == self.timeline.latest  # after the clock was set back, what was due may be due again
        if control.was_hinted and unset and self.random.random() < PROBING:
            fresh_board, fresh_agenda = remembered(self.store, now)
            demand_equal("the board", board_portrait(board), board_portrait(fresh_board))
            demand_equal("the agenda", agenda_portrait(scheduler.agenda), agenda_portrait(fresh_agenda))
            for live in self.random.sample(list(board.runs.values()), min(2, len(board.runs))):
                demand_explained(self.store, board, live, self.witness, now)

    def _outcome(self) -> Outcome:
        hasher = blake2b(digest_size=16)
        for run in reversed(self.store.runs(limit=1_000_000)):
            hasher.update(msgpack.encode(run))
            hasher.update(msgpack.encode(self.store.events(run.run_id, limit=1_000_000)))
            hasher.update(msgpack.encode(self.store.attempts(run.run_id)))
        hasher.update(msgpack.encode(self.store.alerts(1_000_000)))
        return Outcome(
            seed=self.seed,
            history=hasher.hexdigest(),
            runs=len(self.witness.runs),
            attempts=len(self.witness.attempts),
            commits=self.witness.commits,
            schedulers=len(self.controls),
            agents=self.agents,
            virtual_s=(self.timeline.now - BEGIN) / 1000,
            moves=self.witness.moves,
        )
