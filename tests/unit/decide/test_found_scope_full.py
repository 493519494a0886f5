"""Found by the simulation: an instance that has begun and still wants a slot has no row, and counts all the same."""

from ostinato.decide.reason import Code
from ostinato.decide.situation import PoolRoom, RunSituation
from ostinato.model.record import Task
from ostinato.model.spec import Scope, TaskSpec, Value
from ostinato.model.state import TaskState
from tests.unit.decide.situations import row, situation, why_instance

LOAD, CHECK = 0, 1
EACH = Scope("each_shop", "each", over=(("shop", Value([1, 2])),), max_active=1)
BOTH_GO = row(LOAD, TaskState.RUNNING), row(CHECK, TaskState.RUNNING)


def unfolded(*rows: Task) -> RunSituation:
    """The scope has two instances, of which one goes at a time; the pool is full."""
    tasks = (TaskSpec("load", scope=0), TaskSpec("check", scope=0))
    full = {"default": PoolRoom(1, 1)}
    return situation(*BOTH_GO, *rows, tasks=tasks, scopes=(EACH,), items={0: 2}, pools=full)


def test_of_two_instances_that_have_no_row_the_second_waits_for_the_first() -> None:
    assert why_instance(unfolded(), LOAD, 0)[0].code is Code.POOL_FULL
    assert why_instance(unfolded(), LOAD, 1)[0].code is Code.SCOPE_FULL


def test_an_instance_that_somebody_has_decided_about_waits_for_its_turn_all_the_same() -> None:
    decided = unfolded(row(CHECK, TaskState.FAILED, map_index=1))
    assert why_instance(decided, LOAD, 1)[0].code is Code.SCOPE_FULL
