"""People, and what deploys for them: they trigger, backfill, cancel, pause, deploy and resize, as through the CLI."""

from collections.abc import Callable, Collection
from random import Random
from typing import Final

from ostinato.decide.backfill import Wish, plan
from ostinato.decide.timetable import interval_at, intervals_between
from ostinato.model.change import NewBackfill, NewRun
from ostinato.model.record import Deployment, Run, run_key
from ostinato.model.spec import DagSpec
from ostinato.model.time import DataInterval
from ostinato.model.value import encode
from ostinato.store import Store

from .attendants import Attendants
from .timeline import Timeline
from .trace import Trace, demand
from .wishes import Granted
from .witness import Witness
from .workload import after_each_other, changed, compiled, dag_by_chance

DEEDS: Final = {
    "trigger": 10,
    "backfill": 3,
    "cancel": 3,
    "pause": 2,
    "redeploy": 2,
    "resize": 2,
    "retire": 1,
    "decide": 6,
    "steer_backfill": 4,
    "switch": 1,
}
"""What people do, and how often beside the rest."""


class People:
    """They write to the store in their own processes; ``hint`` tells the scheduler, if it is heard."""

    def __init__(
        self,
        store: Store,
        timeline: Timeline,
        random: Random,
        witness: Witness,
        trace: Trace,
        hint: Callable[[], None],
        idle: Collection[str],
    ) -> None:
        self._store = store
        self._timeline = timeline
        self._random = random
        self._witness = witness
        self._trace = trace
        self._hint = hint
        self._idle = idle
        self._attendants = Attendants(store, timeline, random, witness, trace)
        self.dags: dict[str, DagSpec] = {}
        self.batches: dict[int, int] = {}
        self.disturbed: set[str] = set()
        self.accepted: list[tuple[str, str]] = []

    def settle_in(self) -> None:
        """The first dags and pools."""
        numbers = range(self._random.randint(1, 4))
        dags = [dag_by_chance(self._random, f"dag_{number}", self._timeline.wall()) for number in numbers]
        for spec in after_each_other(dags):
            self._deploy(spec)
            self._witness.followers.deployed(spec)
        self._set_pool("narrow", self._random.randint(1, 3))
        self._set_pool("wide", self._random.randint(3, 9))

    def act(self) -> None:
        """One thing that somebody does."""
        deeds = {name: often for name, often in DEEDS.items() if name not in self._idle}
        if deeds:
            name = self._random.choices(list(deeds), list(deeds.values()))[0]
            getattr(self, f"_{name}")()
            self._hint()

    def make_an_end(self) -> None:
        """No new work, and room for what there is."""
        for dag_id in sorted(self.dags):
            self._store.set_paused(dag_id, True, self._timeline.wall(), "people")
            self._witness.followers.disturbed(dag_id)
        for pool in ("narrow", "wide", "unmade"):
            self._set_pool(pool, 3)
        self._clear_up()

    def _clear_up(self) -> None:
        """Again and again: whoever is answered may ask again."""
        self._attendants.clear_up()
        self._hint()
        self._timeline.after(20_000, self._clear_up)

    def set_back(self, deployed: dict[str, DagSpec]) -> None:
        """The state is as of an earlier moment: whoever begins then deploys what is in the files."""
        for dag_id, spec in sorted(deployed.items()):
            self.disturbed.add(dag_id)
            self._deploy(spec)

    # --- deeds --------------------------------------------------------------------------------------------------

    def _trigger(self) -> None:
        dag_id, spec = self._some_dag()
        at = self._timeline.wall() - self._random.choice((0, 20_000, 200_000))
        interval = interval_at(spec.schedule, at)
        if self._random.random() < 0.3:
            self._trace.note("somebody triggers", dag_id, interval.start, "twice at once")
            self._create([self._new_run(dag_id, interval, 1, "manual")] * 2)
        else:
            self._create([self._new_run(dag_id, interval, self._next_number(dag_id, interval), "manual")])

    def _backfill(self) -> None:
        dag_id, spec = self._some_dag()
        now, batch = self._timeline.wall(), self._random.choice((1, 1, 3))
        first = now - self._random.choice((20_000, 60_000, 300_000))
        if spec.schedule is None:
            first = now - 3 * 86_400_000
        intervals = list(intervals_between(spec.schedule, first, now))[:8]
        if not intervals:
            return
        reprocess = self._random.choice(("missing", "failed", "all"))
        wish = Wish(dag_id, tuple(intervals), reprocess, newest_first=self._random.random() < 0.3, batch=batch)
        made = plan(wish, {dag_id: spec}, self._store.runs_over, now)
        runs = [self._new_run(dag_id, each.interval, each.nth, "backfill") for each in made.create]
        going = [self._witness.runs[run_id].run for run_id in self._witness.open]
        doubled = [(run, each) for run in going for each in made.create if _meet(run, dag_id, each.interval)]
        demand(not doubled, f"a backfill doubles what is being run: {doubled}")
        most, share = self._random.choice((1, 2, 16)), self._random.choice((0.0, 0.1, 0.5))
        terms = {"batch": batch, "max_active_runs": most, "share": share}
        new = NewBackfill(dag_id, tuple(intervals), encode({}), now, by="people", reprocess=reprocess, **terms)
        backfill, created = self._store.create_backfill(new, runs)
        self.batches[backfill.backfill_id] = batch
        self._witness.wishes.granted[backfill.backfill_id] = Granted(most)
        self._trace.note("somebody backfills", dag_id, len(created), "runs")
        self.accepted += [(run.dag_id, run.run_key) for run in created]
        self._witness.created(created)

    def _cancel(self) -> None:
        runs = (
            list(self._witness.open)
            if self._random.random() < 0.9
            else [run.run_id for run in self._store.runs(limit=9)]
        )
        if runs:
            run_id = self._random.choice(runs)
            asked = self._store.request_cancel(run_id, "people", self._timeline.wall())
            if asked:
                self._witness.wishes.asked_to_stop.add(run_id)
            self._trace.note("somebody cancels", run_id, "" if asked else "in vain")

    def _decide(self) -> None:
        self._attendants.decide()

    def _steer_backfill(self) -> None:
        self._attendants.steer_backfill()

    def _switch(self) -> None:
        self._attendants.switch(*self._some_dag())

    def _pause(self) -> None:
        dag_id, _ = self._some_dag()
        paused = self._random.random() < 0.5
        self._disturb(dag_id)
        self._store.set_paused(dag_id, paused, self._timeline.wall(), "people")
        self._trace.note("somebody pauses" if paused else "somebody unpauses", dag_id)

    def _redeploy(self) -> None:
        dag_id, spec = self._some_dag()
        self._disturb(dag_id)
        self._deploy(changed(self._random, spec))
        self._trace.note("somebody deploys", dag_id)

    def _resize(self) -> None:
        self._set_pool(self._random.choice(("narrow", "wide")), self._random.randint(0, 5))

    def _retire(self) -> None:
        dag_id, spec = self._some_dag()
        self._disturb(dag_id)
        self._store.put_dags([Deployment(f"/dags/{dag_id}.py")], self._timeline.wall(), "ada")
        self._witness.retired(dag_id)
        self._trace.note("somebody removes", dag_id)
        if self._random.random() < 0.7:
            self._timeline.after(self._random.randint(1, 20_000), lambda: self._deploy(spec))

    # --- how ----------------------------------------------------------------------------------------------------

    def _some_dag(self) -> tuple[str, DagSpec]:
        return self._random.choice(sorted(self.dags.items(), key=lambda item: item[0]))

    def _disturb(self, dag_id: str) -> None:
        self.disturbed.add(dag_id)
        self._witness.followers.disturbed(dag_id)

    def _deploy(self, spec: DagSpec) -> None:
        dag, source = compiled(spec)
        self._store.put_dags([Deployment(dag.file, (dag,), source)], self._timeline.wall(), "ada")
        self._witness.deployed(dag)
        self.dags[spec.dag_id] = spec

    def _set_pool(self, name: str, slots: int) -> None:
        self._store.set_pool(name, slots, "ada", self._timeline.wall())
        self._witness.pool_set(name, slots)
        self._trace.note("pool", name, "has", slots, "slots")

    def _create(self, runs: list[NewRun]) -> None:
        created = self._store.create_runs(runs)
        self._witness.created(created)
        self.accepted += [(new.dag_id, new.run_key) for new in runs]
        self._trace.note("somebody triggers", *[f"{run.run_id} ({run.dag_id} {run.run_key})" for run in created])

    def _new_run(self, dag_id: str, interval: DataInterval, number: int, kind: str) -> NewRun:
        return NewRun(
            dag_id=dag_id,
            version=self._store.dag(dag_id).version,
            run_key=run_key(interval.start, number),
            kind=kind,
            start=interval.start,
            end=interval.end,
            params=encode({"size": 4, "mode": "part"}),
            at=self._timeline.wall(),
            by="people",
        )

    def _next_number(self, dag_id: str, interval: DataInterval) -> int:
        newest = self._store.latest_by_interval(dag_id, interval.start, interval.start + 1).get(interval.start)
        return 1 if newest is None else _number(newest.run_key) + 1


def _meet(run: Run, dag_id: str, interval: DataInterval) -> bool:
    """Whether a run is for any of the time of an interval of a dag."""
    return run.dag_id == dag_id and run.interval.start < interval.end and interval.start < run.interval.end


def _number(key: str) -> int:
    return int(key.partition("#")[2] or 1)
