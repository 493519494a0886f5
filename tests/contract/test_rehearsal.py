"""A rehearsal comes to what the scheduler comes to over a real store, by the same moves."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import integers
from msgspec import msgpack
from msgspec.structs import replace

from ostinato.authoring.perform import perform
from ostinato.control.answers import Answers
from ostinato.control.need_history import NeedHistory
from ostinato.control.prepare import Preparer
from ostinato.control.scheduler import Scheduler
from ostinato.decide.step import Probe
from ostinato.executors.port import Arrival
from ostinato.model.canonical import canonical, digest
from ostinato.model.change import Delivery, NewRun
from ostinato.model.limits import Limits
from ostinato.model.message import Call, Finished, Hello, Launch, ToAgent
from ostinato.model.record import Deployment, LoggedEvent, Outgoing, Run, instance_name, run_key
from ostinato.model.spec import CompiledDag, DagSpec, Source, TaskSpec
from ostinato.model.state import FINAL_RUN, TaskState
from ostinato.model.value import decode
from ostinato.store import Store
from ostinato.testing import Script
from ostinato.testing.outside import Outside
from ostinato.testing.part import Part, part
from ostinato.testing.script import Raising
from tests.unit.decide.boards import LOGIC
from tests.unit.testing.authored import Rehearsed, rehearsed
from tests.unit.testing.plays import DAY

FILE = "drawn.py"
SOURCE = canonical(Source(FILE, b""))
NUMBERED = {"run", "run_key"}
"""Facts that name other runs, which have other numbers."""
_nth = count(1)


class Around:
    """What a scheduler has around it: an agent that performs at once, files that are there, alerts that wait."""

    def __init__(self, store: Store, own: Part, scripts: Mapping[str, Script]) -> None:
        self.store = store
        self.own = own
        self.scripts = scripts
        self.ended: list[Arrival] = []

    def send(self, agent: str, messages: Sequence[ToAgent]) -> None:
        for message in messages:
            for assignment in message.assignments if isinstance(message, Launch) else ():
                call = msgpack.decode(assignment.call, type=Call)
                self.ended.append(Arrival(agent, self._performed(call)))

    def _performed(self, call: Call) -> Finished:
        report = Finished(call.attempt, "success", call.end, call.end)
        parent = self.store.run(call.run_id).parent
        if parent is not None:  # the dag that is called ends as the script of its caller says
            fails = isinstance(self._script(*parent[1:]).act(1).stand_in, Raising)
            return replace(report, verdict="failed", failure=LOGIC) if fails else report
        done = perform(self.own.loaded, call, self._script(call.task_no, call.map_index).act(call.number).stand_in)
        return replace(report, verdict=done.verdict, output=done.output, failure=done.failure, follow=done.follow)

    def _script(self, task_no: int, map_index: int) -> Script:
        return self.scripts[instance_name(self.own.spec, task_no, map_index)]

    def drop(self) -> None:
        """It stays connected."""

    def ensure(self, source: str) -> None:
        """Nothing is loaded from the shelf."""

    def look(self, probe: Probe) -> bool:
        return isinstance(probe, Probe)

    def take(self, alerts: Sequence[Outgoing]) -> None:
        """They stay where they are."""

    def reports(self) -> list[Delivery]:
        return []


def really_run(store: Store, drawn: Rehearsed, like: Run, scripts: Mapping[str, Script]) -> Run:
    """A run like another one, by the scheduler: what attempts come to is scripted, all else is real."""
    own = part(drawn.dag)
    child = CompiledDag(DagSpec("child", (TaskSpec("t"),)), FILE, digest(SOURCE), "child")
    mine = replace(own.compiled, file=FILE, source=digest(SOURCE))
    store.put_dags([Deployment(FILE, (mine, child), SOURCE)], 0, "ada")
    start, end = like.interval.start, like.interval.end
    new = NewRun("drawn", mine.version, run_key(start, next(_nth)), "manual", start, end, like.params, end, by="test")
    (run,) = store.create_runs([new])
    around = Around(store, own, scripts)
    scheduler = Scheduler(
        store,
        around,  # type: ignore[arg-type]
        Preparer(store, around, store.compiled),  # type: ignore[arg-type]
        Answers(store, store.compiled, Outside(NeedHistory(store, store.compiled), {})),
        around,
        around,
        limits=Limits(),
        lead=partial(store.take_lead, "test"),
        spread=lambda: 0.0,
        only_run=run.run_id,
    )
    scheduler.step([], end)
    scheduler.step([Arrival("a1", Hello("a1", 1, 1_000, 1_000, ()))], end, hinted=True)
    while store.run(run.run_id).state not in FINAL_RUN:
        assert scheduler.trouble is None
        for task in store.tasks(run.run_id):
            if task.state is TaskState.DEFERRED and mine.spec.tasks[task.task_no].approval is not None:
                yes = drawn.play.end_of((task.task_no, task.map_index)) == "success"
                instance = task.task_no, task.map_index
                store.decide(run.run_id, instance, "approve" if yes else "decline", "test", end)
        arrived, around.ended = around.ended, []
        scheduler.step(arrived, end, hinted=True)
    return store.run(run.run_id)


def story(events: Sequence[LoggedEvent]) -> dict[tuple[int | None, int], list[tuple[object, ...]]]:
    """Every move of the run and of each task instance, with its cause and the facts that were decisive."""
    told: dict[tuple[int | None, int], list[tuple[object, ...]]] = {}
    for event in events:
        facts = {name: fact for name, fact in (event.facts or {}).items() if name not in NUMBERED}
        told.setdefault((event.task_no, event.map_index), []).append((event.cause, event.was, event.becomes, facts))
    return told


def kept(store: Store, run: Run, spec: DagSpec) -> dict[str, object]:
    """What the task instances of a run returned, but for None."""
    found = {
        instance_name(spec, task.task_no, task.map_index): store.output(run.run_id, task.task_no, task.map_index)
        for task in store.tasks(run.run_id)
    }
    return {name: decode(output) for name, output in found.items() if output is not None}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(drawn=rehearsed(), blips=integers(0, 2))
def test_a_rehearsal_and_the_scheduler_end_a_run_the_same_way(store: Store, drawn: Rehearsed, blips: int) -> None:
    at_once = replace(drawn, long=(0,))
    scripts = at_once.scripts(blips)
    rehearsal = at_once.dag.test(DAY, outcomes=scripts)
    run = really_run(store, at_once, rehearsal.run, scripts)
    assert run.state == rehearsal.run.state
    assert story(store.events(run.run_id)) == story(rehearsal.events)
    assert kept(store, run, at_once.play.spec) == rehearsal.outputs
