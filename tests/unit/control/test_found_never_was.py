"""Found while the simulation was made to look: a run that was cancelled before it began says nothing of its tasks."""

from typing import cast

from msgspec import Struct

from ostinato.control.need_history import NeedHistory
from ostinato.decide.need import is_met
from ostinato.model.record import Run, Task
from ostinato.model.spec import CompiledDag, DagSpec, Every, Need, Schedule, TaskSpec
from ostinato.model.state import RunState, TaskState
from ostinato.store import Store
from tests.unit.decide.past import run

COMPILED = CompiledDag(DagSpec("raw", (TaskSpec("check"),), schedule=Every(1)), "raw.py", "source", "version")


class Kept(Struct):
    """As much of a store as is asked: runs of one dag, whose task succeeded in the first."""

    kept: list[Run]

    def runs_over(self, *_: object) -> list[Run]:
        return self.kept

    def tasks(self, run_id: int) -> list[Task]:
        return [Task(1, 0, TaskState.SUCCESS, 5)] if run_id == 1 else []


class History(NeedHistory):
    def schedule(self, dag_id: str) -> Schedule | None:
        del dag_id
        return COMPILED.spec.schedule


def test_what_a_task_came_to_is_not_undone_by_a_run_that_was_cancelled_before_it_began() -> None:
    done = run(1, 1_000, RunState.SUCCESS, length=1_000)
    never = run(2, 1_000, RunState.CANCELLED, length=1_000, began=False)
    asks = run(9, 1_000, RunState.RUNNING, length=1_000, dag_id="sales")
    history = History(cast("Store", Kept([done, never])), lambda _: COMPILED)
    assert is_met(Need("raw", "check"), asks, history)
