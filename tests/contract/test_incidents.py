"""What has gone wrong in other schedulers, each once more against ours. docs/explanation/incidents.md lists them all."""

from collections.abc import Sequence
from functools import partial

import pytest
from msgspec import structs

from ostinato.control.prepare import Preparer
from ostinato.control.scheduler import Scheduler
from ostinato.executors.port import Arrival
from ostinato.model.canonical import canonical, digest
from ostinato.model.cause import Cause
from ostinato.model.change import NewRun
from ostinato.model.errors import FencedOut
from ostinato.model.limits import Limits
from ostinato.model.message import Acknowledge, CancelAttempts, Failure, Finished, Hello, Launch, ToAgent
from ostinato.model.record import Deployment, run_key
from ostinato.model.spec import CompiledDag, DagSpec, TaskSpec
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.store import Store
from tests.contract.leader import DAY, MAY_1, NO_PARAMS, source_of
from tests.contract.test_scheduler import Around


class Shelf:
    """Sources for executors, of which there are none."""

    def ensure(self, digest: str) -> None:
        """Nothing to do."""
        del digest


class Plant(Around):
    """A scheduler with agents that do what a test says, and a clock that it sets."""

    def __init__(self, store: Store, owner: str = "first") -> None:
        self.store = store
        self.now = MAY_1
        self.sent: list[tuple[str, ToAgent]] = []
        self.scheduler = Scheduler(
            store,
            self,  # type: ignore[arg-type]
            Preparer(store, Shelf(), store.compiled),  # type: ignore[arg-type]
            self,
            self,
            self,
            limits=Limits(),
            lead=partial(store.take_lead, owner),
            spread=lambda: 0.0,
        )
        self.hears()

    def send(self, agent: str, messages: Sequence[ToAgent]) -> None:
        self.sent += [(agent, message) for message in messages]

    def hears(self, *arrived: tuple[str, Finished | Hello | None], after: int = 1) -> None:
        """So many milliseconds later this has arrived, and people may have asked for something."""
        self.now += after
        due = self.scheduler.step([Arrival(*each) for each in arrived], self.now, hinted=True)
        while due is not None and due <= self.now:
            due = self.scheduler.step([], self.now)
        assert self.scheduler.trouble is None

    def launched(self) -> list[tuple[str, int]]:
        """The attempts that were sent since the last call, and to whom."""
        found = [
            (agent, each.attempt)
            for agent, message in self.sent
            if isinstance(message, Launch)
            for each in message.assignments
        ]
        self.sent.clear()
        return found

    def said(self, kind: type[Acknowledge] | type[CancelAttempts]) -> list[int]:
        """The attempts that agents were told something of since `launched` was called."""
        return [attempt for _, message in self.sent if isinstance(message, kind) for attempt in message.attempts]


def hello(name: str, *holds: int, dead: tuple[tuple[str, tuple[int, ...]], ...] = ()) -> tuple[str, Hello]:
    return name, Hello(name, 1, 2, 10, holds, dead)


def ended(name: str, attempt: int, verdict: str = "success", now: int = MAY_1) -> tuple[str, Finished]:
    failure = Failure("raised", "no") if verdict == "failed" else None
    return name, Finished(attempt, verdict, now, now, failure=failure)  # pyright: ignore[reportArgumentType]


def run_of(store: Store, *tasks: TaskSpec) -> int:
    """A run of a dag that has these tasks."""
    spec = DagSpec("daily", tasks or (TaskSpec("t"),))
    source = source_of("daily.py")
    dag = CompiledDag(spec, "daily.py", digest(source), digest(canonical(spec), digest(source).encode()))
    store.put_dags([Deployment("daily.py", (dag,), source)], MAY_1, "ada")
    new = NewRun("daily", dag.version, run_key(MAY_1), "manual", MAY_1, MAY_1 + DAY, NO_PARAMS, MAY_1, by="ada")
    return store.create_runs([new])[0].run_id


@pytest.fixture
def plant(store: Store) -> Plant:
    """A scheduler, one run with one task, and an agent that has been given it."""
    run_of(store)
    made = Plant(store)
    made.hears(hello("a1"))
    return made


def test_r3_a_dead_agents_attempt_is_buried_once_however_many_schedulers_see_it(store: Store) -> None:
    run_of(store)
    first = Plant(store)
    first.hears(hello("a1"))
    [(_, attempt)] = first.launched()
    second = Plant(store, "second")
    tidings = hello("a2", dead=(("a1", (attempt,)),))
    second.hears(tidings)
    with pytest.raises(FencedOut):
        first.hears(tidings)
    causes = [event.cause for event in store.events(1) if event.attempt == attempt]
    assert causes.count(Cause.LOST_WILL_RETRY) == 1
    assert [each.state for each in store.attempts(1)][:1] == [AttemptState.LOST]


def test_r4_a_worker_that_is_gone_gives_its_slot_back(store: Store) -> None:
    store.set_pool("narrow", 1, "ada", MAY_1)
    run_of(store, *(TaskSpec(name, pool="narrow") for name in ("a", "b")))
    plant = Plant(store)
    plant.hears(hello("a1"))
    [(_, first)] = plant.launched()
    plant.hears(("a1", None))
    plant.hears(hello("a2", dead=(("a1", (first,)),)), after=60_000)
    [(agent, other)] = plant.launched()  # one at a time, and the slot of the dead one is not held for ever
    assert agent == "a2"
    plant.hears(ended("a2", other), after=3_600_000)
    [(_, again)] = plant.launched()
    plant.hears(ended("a2", again))
    assert store.run(1).state is RunState.SUCCESS


def test_r5_what_a_worker_died_with_before_it_began_is_sent_again_and_costs_no_try(plant: Plant) -> None:
    [(_, lost)] = plant.launched()
    plant.hears(("a1", None))
    plant.hears(hello("a2", dead=(("a1", ()),)))
    [(agent, again)] = plant.launched()
    assert (agent, again != lost) == ("a2", True)
    first, second = plant.store.attempts(1)
    assert (first.state, first.error_class) == (AttemptState.LOST, None)
    plant.hears(ended("a2", second.attempt))
    assert plant.store.run(1).state is RunState.SUCCESS


@pytest.mark.parametrize("late", ["success", "failed", "cancelled", "interrupted"])
@pytest.mark.parametrize("was", ["success", "failed"])
def test_r7_what_is_over_stays_as_it_is_whatever_is_said_of_it_later(plant: Plant, was: str, late: str) -> None:
    [(_, attempt)] = plant.launched()
    plant.hears(ended("a1", attempt, was))
    before = plant.store.run(1), plant.store.tasks(1), plant.store.attempts(1), plant.store.events(1)
    assert before[0].state == was
    plant.launched()
    plant.hears(ended("a1", attempt, late), after=60_000)
    assert (plant.store.run(1), plant.store.tasks(1), plant.store.attempts(1), plant.store.events(1)) == before
    assert plant.said(Acknowledge) == [attempt]  # or it would be said again for ever


def test_r8_a_task_that_kills_every_worker_it_gets_is_given_up_in_the_end(store: Store) -> None:
    task = TaskSpec("t")
    run_of(store, structs.replace(task, retry=structs.replace(task.retry, resource=4)))
    plant = Plant(store)
    plant.hears(hello("a0"))
    for life in range(50):
        launched = plant.launched()
        if not launched:
            break
        [(agent, attempt)] = launched
        plant.hears((agent, None))
        plant.hears(hello(f"a{life + 1}", dead=((agent, (attempt,)),)), after=86_400_000)
        plant.hears(after=86_400_000)
    assert life == 5
    assert store.run(1).state is RunState.FAILED
    assert [task.state for task in store.tasks(1)] == [TaskState.FAILED]
    assert [alert.action for alert in store.alerts()] == ["trigger"]
