"""Situations to explain: run 12 of ``sales``, on May 2nd 2025 at ten, in the state that a test asks for."""

from collections.abc import Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from ostinato.decide import explain
from ostinato.decide.reason import Code
from ostinato.decide.situation import PoolRoom, RunSituation
from ostinato.model.cause import Cause
from ostinato.model.message import Failure
from ostinato.model.record import UNMAPPED, Attempt, Instance, LoggedEvent, Run, Task, run_key
from ostinato.model.spec import Scope, Sensor, TaskSpec
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.model.time import DataInterval, instant
from tests.unit.decide.boards import shape_of

MINUTE, DAY = 60_000, 86_400_000
NOW = instant(datetime(2025, 5, 2, 10, tzinfo=UTC))
START = instant(datetime(2025, 5, 1, 6, tzinfo=UTC))
RUN = Run(
    run_id=12,
    dag_id="sales",
    version="v",
    run_key=run_key(START),
    kind="scheduled",
    state=RunState.RUNNING,
    interval=DataInterval(START, START + DAY),
    params=b"",
    created_at=NOW - MINUTE,
)
EXTRACT, LOAD, REPORT = 0, 1, 2
CHAIN = (
    TaskSpec("extract"),
    TaskSpec("load", upstream=(EXTRACT,), slots=2, timeout=600.0),
    TaskSpec("report", upstream=(LOAD,)),
)
NO_CAUSES: Mapping[Instance, tuple[Cause, dict[str, object]]] = {}
ARRIVED = TaskSpec(
    "arrived", kind="file_sensor", sensor=Sensor(every=30.0, timeout=3600.0, path="raw/{{ logical_date }}.csv")
)
CONFIRMED = TaskSpec("confirmed", kind="sensor", sensor=Sensor(every=30.0, timeout=3600.0))


def row(task_no: int, state: TaskState, **facts) -> Task:
    """The row of a task, or of an instance of it (``map_index``)."""
    return Task(RUN.run_id, task_no, state, changed_at=NOW - MINUTE, **facts)


def attempt(task_no: int, number: int = 1, state: AttemptState = AttemptState.RUNNING, **facts) -> Attempt:
    """A try of a task."""
    return Attempt(100 * task_no + number, RUN.run_id, task_no, number, state, "agent", queued_at=NOW - MINUTE, **facts)


def failed(task_no: int, number: int, http_status: int, error_class: str) -> Attempt:
    """A try that raised what a server answered."""
    failure = Failure(how="raised", message="no luck", types=("builtins.OSError",), http_status=http_status)
    return attempt(task_no, number, AttemptState.FAILED, error_class=error_class, failure=failure)


def situation(
    *rows: Task,
    tasks: tuple[TaskSpec, ...] = CHAIN,
    scopes: tuple[Scope, ...] = (),
    attempts: tuple[Attempt, ...] = (),
    causes: Mapping[Instance, tuple[Cause, dict[str, object]]] = NO_CAUSES,
    **changes,
) -> RunSituation:
    """The run as it stands with these rows; ``causes`` say what moved an instance last, with facts."""
    whole = RunSituation(
        now=NOW,
        scheduler=True,
        agent=True,
        shape=shape_of(*tasks, most=3, scopes=scopes),
        run=RUN,
        tasks=(states := {(task.task_no, task.map_index): task for task in rows}),
        news={at: news(at, states[at].state, *cause) for at, cause in causes.items()},
        attempts=attempts,
        pools={"default": PoolRoom(slots=4, used=0)},
        running_runs=1,
    )
    return replace(whole, **changes)


def news(at: Instance, becomes: str, cause: Cause, facts: dict[str, object] | None = None) -> LoggedEvent:
    """What moved a task instance last."""
    return LoggedEvent(RUN.run_id, 1, NOW, cause, "none", becomes, at[0], None, facts, map_index=at[1])


def why_task(situation: RunSituation, task_no: int):
    """Why a task is where it is, that is in no scope."""
    return explain.why_task(situation, (task_no, UNMAPPED))


def why_instance(situation: RunSituation, task_no: int, map_index: int):
    """Why an instance of a task is where it is."""
    return explain.why_task(situation, (task_no, map_index))


def codes(chain) -> list[Code]:
    """The codes of a chain."""
    return [reason.code for reason in chain]
