"""A control plane to which nothing happens but work: for figures, in virtual time, that are the same on every machine."""

from collections.abc import Sequence
from random import Random

from ostinato.model.change import NewBackfill, NewRun
from ostinato.model.limits import Limits
from ostinato.model.message import Assignment, Call
from ostinato.model.record import Deployment, Run, run_key
from ostinato.model.spec import DagSpec
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant
from ostinato.model.value import encode
from ostinato.store import open_store

from .agent import AgentLife
from .control import Control
from .disk import Disk
from .host import Host
from .lead import Lead
from .script import Act
from .timeline import Timeline
from .trace import Trace
from .weather import Weather
from .wishes import Granted
from .witness import Witness
from .workload import compiled
from .world import World

MINUTE = 60_000


class Quiet:
    """One scheduler, one agent with so many executors, a pool ``p``. A task takes five to fifteen minutes."""

    def __init__(self, dags: Sequence[DagSpec], *, executors: int, slots: int) -> None:
        self.timeline = Timeline()
        self.store = open_store(None)
        random, trace, world = Random(1), Trace(self.timeline), World()
        weather = _fair(executors)
        self.witness = Witness(world, self.timeline)
        for spec in dags:
            dag, source = compiled(spec)
            self.store.put_dags([Deployment(dag.file, (dag,), source)], self.timeline.wall(), "ada")
            self.witness.deployed(dag)
        self.store.set_pool("p", slots, "ada", self.timeline.wall())
        self.witness.pool_set("p", slots)
        host = Host("machine", self.timeline, random, trace)
        self.witness.seats("agent", host.name, weather.window)
        life = AgentLife("agent", self.timeline, random, world, trace, weather, _act_of, [], lambda: None)
        host.lives.append(life)
        host.network.listener = life
        self.control = Control(
            "scheduler",
            host,
            store=self.store,
            lead=Lead(self.timeline, lambda: None),
            timeline=self.timeline,
            random=random,
            weather=weather,
            world=world,
            witness=self.witness,
            disk=Disk(weather),
            trace=trace,
            overtake=lambda _control: None,
            after_step=lambda _control: None,
            ended=lambda _control: None,
        )

    def close(self) -> None:
        """It is over."""
        self.store.close()

    def until(self, end: Instant) -> None:
        """Let time pass."""
        while self.timeline.advance(end):
            pass

    def backfill(self, spec: DagSpec, intervals: Sequence[DataInterval], **terms: object) -> None:
        """Somebody backfills."""
        now, params = self.timeline.wall(), encode({})
        version = compiled(spec)[0].version
        runs = [
            NewRun(spec.dag_id, version, run_key(each.start), "backfill", each.start, each.end, params, now)
            for each in intervals
        ]
        new = NewBackfill(spec.dag_id, tuple(intervals), params, now, **terms)
        backfill, created = self.store.create_backfill(new, runs)
        self.witness.wishes.granted[backfill.backfill_id] = Granted(new.max_active_runs)
        self.witness.created(created)
        self.control.hint()

    def ended(self, kind: str) -> list[Run]:
        """The runs of a kind that have succeeded."""
        runs = self.store.runs(limit=1_000_000)
        return [run for run in reversed(runs) if run.kind == kind and run.state is RunState.SUCCESS]


def _act_of(_: Assignment, call: Call) -> Act:
    minutes = Random(f"{call.dag_id}/{call.task_id}/{call.start}").randint(5, 15)
    return Act(minutes * MINUTE, "success")


def _fair(executors: int) -> Weather:
    return Weather(
        storm_ms=0,
        every={},
        machines=1,
        schedulers=1,
        death_at_a_point=0.0,
        overtaken=0.0,
        worst_point="",
        refused_commit=0.0,
        lost_answer=0.0,
        doubled_message=0.0,
        lost_hint=0.0,
        lost_journal=0.0,
        not_made=0.0,
        not_handed=0.0,
        refused_alert=0.0,
        delay_ms=0,
        slots=executors,
        window=executors * Limits().window_per_slot,
    )
