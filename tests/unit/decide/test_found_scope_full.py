"""Found by the simulation: an instance that has begun and still wants a slot has no row, and counts all the same."""

from ostinato.decide.explain import why_task
from ostinato.decide.reason import Code
from ostinato.decide.situation import PoolRoom, RunSituation
from ostinato.model.change import RunKind
from ostinato.model.record import UNMAPPED, Run, Task
from ostinato.model.spec import DagSpec, Scope, TaskSpec, Value
from ostinato.model.state import RunState, TaskState
from ostinato.model.time import DataInterval

MANUAL: RunKind = "manual"
SPEC = DagSpec(
    "sales",
    (TaskSpec("load", scope=0),),
    scopes=(Scope("each_shop", "each", over=(("shop", Value([1, 2])),), max_active=1),),
)
RUN = Run(1, "sales", "v", "1970-01-01T00:00:00Z", MANUAL, RunState.RUNNING, DataInterval(0, 10), b"\x80", 10)
WHOLE = Task(1, 0, TaskState.RUNNING, 10)


def test_of_two_instances_that_have_no_row_the_second_waits_for_the_first() -> None:
    situation = RunSituation(
        now=20,
        scheduler=True,
        agent=True,
        spec=SPEC,
        run=RUN,
        tasks={(0, UNMAPPED): WHOLE},
        attempts=[],
        pools={"default": PoolRoom(1, 1)},
        running_runs=1,
    )
    assert why_task(situation, (0, 0))[0].code is Code.POOL_FULL
    assert why_task(situation, (0, 1))[0].code is Code.SCOPE_FULL


def test_an_instance_that_somebody_has_decided_about_waits_for_its_turn_all_the_same() -> None:
    spec = DagSpec("sales", (TaskSpec("load", scope=0), TaskSpec("check", scope=0)), scopes=SPEC.scopes)
    rows = {(0, UNMAPPED): WHOLE, (1, UNMAPPED): WHOLE, (1, 1): Task(1, 1, TaskState.FAILED, 11, map_index=1)}
    situation = RunSituation(
        now=20,
        scheduler=True,
        agent=True,
        spec=spec,
        run=RUN,
        tasks=rows,
        attempts=[],
        pools={"default": PoolRoom(1, 1)},
        running_runs=1,
    )
    assert why_task(situation, (0, 1))[0].code is Code.SCOPE_FULL
