"""What the scheduler reads of the store before it decides: work that is its own, and what people have said of tasks."""

from collections.abc import Sequence
from functools import partial

import pytest
from msgspec import structs

from ostinato.control.scheduler import Scheduler
from ostinato.decide.step import Calling, Dispatch, Needing, Probe, Unfolding
from ostinato.executors.port import Arrival
from ostinato.model.canonical import canonical, digest
from ostinato.model.cause import Cause
from ostinato.model.change import Carried, Commit, Delivery, NewRun
from ostinato.model.errors import UsageError
from ostinato.model.limits import Limits
from ostinato.model.message import Assignment, Finished, Hello, ToAgent
from ostinato.model.record import UNMAPPED, Deployment, Outgoing, Run
from ostinato.model.spec import After, CompiledDag, DagSpec, Every, TaskSpec
from ostinato.model.state import RunState, TaskState
from ostinato.store import Store
from tests.contract.leader import DAY, MAY_1, Leader, deploy, new_run, source_of

WHOLE = (0, UNMAPPED)


class Around:
    """All that a scheduler has around it, as far as these tests need it: an agent that does nothing, answers that are no."""

    def send(self, agent: str, messages: Sequence[ToAgent]) -> None:
        """Nothing hears it."""

    def drop(self) -> None:
        """There is no connection."""

    def prepare(self, dispatches: Sequence[Dispatch], now: int) -> tuple[list[Assignment], list[Finished]]:
        del dispatches, now
        return [], []

    def items(self, asked: Unfolding) -> Sequence[bytes]:
        raise UsageError(f"no items for {asked.scope_no}")

    def child(self, calling: Calling, now: int) -> NewRun:
        raise UsageError(f"no run for {calling.no} at {now}")

    def met(self, needing: Needing) -> bool:
        return not needing

    def look(self, probe: Probe) -> bool:
        return not probe

    def take(self, alerts: Sequence[Outgoing]) -> None:
        """They stay where they are."""

    def reports(self) -> list[Delivery]:
        return []


def scheduler(store: Store, only_run: int | None = None) -> Scheduler:
    around = Around()
    made = Scheduler(
        store,
        around,  # type: ignore[arg-type]
        around,
        around,
        around,
        around,
        limits=Limits(),
        lead=partial(store.take_lead, "test"),
        spread=lambda: 0.0,
        only_run=only_run,
    )
    made.step([], MAY_1)
    return made


def go(made: Scheduler, *, agent: bool = False) -> None:
    """One step, in which it looks at all that others have written."""
    arrived = [Arrival("a1", Hello("a1", 1, 2, 10, ()))] if agent else []
    made.step(arrived, MAY_1 + 1, hinted=True)
    assert made.trouble is None


def test_a_task_that_was_switched_off_while_nobody_scheduled_is_not_run_afterwards(store: Store) -> None:
    version = deploy(store)
    run = Leader(store).begin(version)
    store.switch_off("daily", "step_0", "skipped", "ann", MAY_1)
    go(scheduler(store), agent=True)
    assert next(task.state for task in store.tasks(run.run_id)) is TaskState.SKIPPED
    assert store.attempts(run.run_id) == []


def test_what_people_decide_is_done_and_taken_in(store: Store) -> None:
    run = Leader(store).begin(deploy(store))
    made = scheduler(store)
    store.decide(run.run_id, WHOLE, "mark_failed", "ann", MAY_1)
    go(made)
    assert store.run(run.run_id).state is RunState.FAILED
    assert store.interventions() == []


def test_a_decision_about_a_run_that_has_not_begun_outlives_the_scheduler_that_read_it(store: Store) -> None:
    leader, version = Leader(store), deploy(store)
    most = store.compiled(version).spec.max_active_runs
    going, *_ = [leader.begin(version, day) for day in range(most)]
    [waiting] = store.create_runs([new_run(version, most)])
    store.decide(waiting.run_id, WHOLE, "mark_success", "ann", MAY_1)
    go(scheduler(store))
    assert [each.run_id for each in store.interventions()] == [waiting.run_id]
    after = scheduler(store)
    store.request_cancel(going.run_id, "ann", MAY_1)
    go(after)
    go(after)
    assert next(task.state for task in store.tasks(waiting.run_id)) is TaskState.SUCCESS
    assert store.interventions() == []


def test_a_decision_that_has_no_effect_is_told_in_the_story_of_its_run(store: Store) -> None:
    run = Leader(store).begin(deploy(store))
    made = scheduler(store)
    store.decide(run.run_id, WHOLE, "approve", "ann", MAY_1)
    go(made)
    [told] = [event for event in store.events(run.run_id) if event.cause is Cause.DECISION_REFUSED]
    why = {"task": "step_0", "what": "approve", "by": "ann", "why": "it asks nobody anything"}
    assert (told.facts, store.interventions()) == (why, [])


def test_who_attends_to_one_run_leaves_decisions_about_others_to_others(store: Store) -> None:
    leader, version = Leader(store), deploy(store)
    mine, other = leader.begin(version), leader.begin(version, 1)
    made = scheduler(store, only_run=mine.run_id)
    for run in (mine, other):
        store.decide(run.run_id, WHOLE, "mark_failed", "ann", MAY_1)
    go(made)
    assert store.run(mine.run_id).state is RunState.FAILED
    assert [each.run_id for each in store.interventions()] == [other.run_id]
    go(scheduler(store))
    assert store.run(other.run_id).state is RunState.FAILED
    assert store.interventions() == []


@pytest.mark.parametrize("alone", [False, True])
def test_a_run_that_takes_over_from_another_is_run_by_who_attends_to_it(store: Store, *, alone: bool) -> None:
    leader, version = Leader(store), deploy(store, tasks=1)
    old = leader.begin(version)
    made = scheduler(store, only_run=old.run_id if alone else None)
    go(made)
    again = new_run(version, nth=2)
    carried = (Carried(0, UNMAPPED, TaskState.SUCCESS, Cause.CARRIED_SUCCESS),)
    fields = {name: getattr(again, name) for name in again.__struct_fields__}
    [run] = store.create_runs([NewRun(**fields | {"based_on": old.run_id, "carried": carried})])
    go(made)
    assert store.run(run.run_id).state is (RunState.QUEUED if alone else RunState.SUCCESS)


def deploy_after(store: Store, **more: object) -> None:
    """A dag ``report`` that runs after ``daily``, for the days of UTC."""
    days = Every(86_400)
    spec = structs.replace(DagSpec("report", (TaskSpec("t"),), After(("daily",), days)), **more)
    source = source_of("report.py")
    dag = CompiledDag(spec, "report.py", digest(source), digest(canonical(spec), digest(source).encode()))
    store.put_dags([Deployment("report.py", (dag,), source)], MAY_1, "ada")


def reports(store: Store) -> list[tuple[str, int]]:
    """The runs of ``report``, by kind and interval."""
    return [(run.kind, run.interval.start) for run in store.runs("report")]


def test_the_commit_of_a_success_makes_the_run_of_the_dag_that_comes_after(store: Store) -> None:
    run = Leader(store).begin(deploy(store, tasks=1))
    deploy_after(store)
    made = scheduler(store)
    store.decide(run.run_id, WHOLE, "mark_success", "ann", MAY_1)
    commits: list[tuple[int, int]] = []
    whole = store.commit

    def commit(change: Commit, epoch: int) -> list[Run]:
        commits.append((len(change.runs), len(change.new_runs)))
        return whole(change, epoch)

    store.commit = commit  # type: ignore[method-assign]
    go(made)
    assert (1, 1) in commits
    assert store.run(run.run_id).state is RunState.SUCCESS
    assert reports(store) == [("scheduled", MAY_1)]


@pytest.mark.parametrize(("catchup", "made"), [("last", [("scheduled", MAY_1)]), ("none", [])])
def test_what_others_complete_while_it_is_paused_follows_the_catchup(
    store: Store, catchup: str, made: list[tuple[str, int]]
) -> None:
    leader, version = Leader(store), deploy(store)
    deploy_after(store, catchup=catchup)
    go(scheduler(store))  # it takes note of when it first saw the dag
    store.set_paused("report", True, MAY_1, "ann")
    leader = Leader(store, now=MAY_1 + 2)
    run = leader.begin(version)
    leader.move_run(run.run_id, RunState.RUNNING, RunState.SUCCESS)
    leader.commit()
    go(scheduler(store))
    assert reports(store) == []
    store.set_paused("report", False, MAY_1, "ann")
    later = scheduler(store)
    later.step([], MAY_1 + 9 * DAY, hinted=True)
    assert reports(store) == made
