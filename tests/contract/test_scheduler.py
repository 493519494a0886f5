"""What the scheduler reads of the store before it decides: work that is its own, and what people have said of tasks."""

from collections.abc import Sequence

import pytest

from ostinato.control.scheduler import Scheduler
from ostinato.decide.step import Calling, Dispatch, Needing, Probe, Unfolding
from ostinato.executors.port import Arrival
from ostinato.model.cause import Cause
from ostinato.model.change import Carried, Delivery, NewRun
from ostinato.model.errors import UsageError
from ostinato.model.limits import Limits
from ostinato.model.message import Assignment, Finished, Hello, ToAgent
from ostinato.model.record import UNMAPPED, Outgoing
from ostinato.model.state import RunState, TaskState
from ostinato.store import Store
from tests.contract.leader import MAY_1, Leader, deploy, new_run

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
        owner="test",
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
