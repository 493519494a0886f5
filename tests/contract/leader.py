"""A stand-in for the scheduler: it deploys dags, leads, and writes commits in few words, each move with its event."""

from collections import defaultdict
from typing import Any

from ostinato.model.canonical import canonical, digest
from ostinato.model.cause import Cause
from ostinato.model.change import (
    AttemptMove,
    Commit,
    Event,
    NewAttempt,
    NewBackfill,
    NewRun,
    Output,
    RunMove,
    TaskMove,
)
from ostinato.model.errors import ErrorClass
from ostinato.model.message import Failure, LogRange
from ostinato.model.record import Deployment, Run, run_key
from ostinato.model.spec import CompiledDag, DagSpec, Source, TaskSpec
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.model.time import DataInterval
from ostinato.store import Store

MAY_1 = 1_367_366_400_000
DAY = 86_400_000
NO_PARAMS = b"\x80"

RUN_CAUSES = {
    RunState.RUNNING: Cause.ADMITTED,
    RunState.SUCCESS: Cause.TASKS_SUCCEEDED,
    RunState.FAILED: Cause.TASKS_FAILED,
    RunState.CANCELLED: Cause.CANCEL_CONFIRMED,
}
TASK_CAUSES = {
    TaskState.QUEUED: Cause.READY,
    TaskState.RUNNING: Cause.STARTED,
    TaskState.DEFERRED: Cause.REPORTED_NOT_YET,
    TaskState.UP_FOR_RETRY: Cause.FAILED_WILL_RETRY,
    TaskState.SUCCESS: Cause.REPORTED_SUCCESS,
    TaskState.FAILED: Cause.FAILED_FINALLY,
    TaskState.SKIPPED: Cause.REPORTED_SKIP,
    TaskState.UPSTREAM_FAILED: Cause.UPSTREAM_FAILED,
    TaskState.CANCELLED: Cause.CANCELLED,
}


def source_of(file: str, text: str = "") -> bytes:
    """The canonical source of a dag file."""
    return canonical(Source(file, text.encode()))


def compiled(dag_id: str, file: str = "dags.py", tasks: int = 3, text: str = "") -> CompiledDag:
    """A dag of so many tasks in a row, as compiled from a file with this text."""
    spec = DagSpec(dag_id, tuple(TaskSpec(f"step_{n}", upstream=(n - 1,) if n else ()) for n in range(tasks)))
    name = digest(source_of(file, text))
    return CompiledDag(spec, file, name, digest(canonical(spec), name.encode()))


def deploy(store: Store, dag_id: str = "daily", *, tasks: int = 3, file: str = "dags.py", now: int = MAY_1) -> str:
    """Put one dag, the only one of its file; return its version."""
    dag = compiled(dag_id, file, tasks)
    store.put_dags([Deployment(file, (dag,), source_of(file))], now, "ada")
    return dag.version


def new_run(
    version: str, day: int = 0, nth: int = 1, dag_id: str = "daily", kind: str = "scheduled", by: str = ""
) -> NewRun:
    """The nth run for a day's interval, counted from 1 May 2013."""
    start = MAY_1 + day * DAY
    return NewRun(
        dag_id=dag_id,
        version=version,
        run_key=run_key(start, nth),
        kind=kind,  # pyright: ignore[reportArgumentType]
        start=start,
        end=start + DAY,
        params=NO_PARAMS,
        at=start + DAY + 1,
        by=by,
    )


def new_backfill(days: int = 1, **more: Any) -> NewBackfill:
    """A backfill of so many days, counted from 1 May 2013, by Ada."""
    return NewBackfill("daily", (DataInterval(MAY_1, MAY_1 + days * DAY),), NO_PARAMS, MAY_1, "ada", **more)


def everything(store: Store) -> object:
    """All that can be read of a store, to compare."""
    runs = store.runs(limit=1_000)
    return (
        runs,
        [(store.tasks(run.run_id), store.attempts(run.run_id), store.events(run.run_id)) for run in runs],
        [store.output(run.run_id, task_no) for run in runs for task_no in range(5)],
        store.alerts(),
        store.open_expectations(),
        store.dags(retired=True),
        store.rejected(),
    )


class Leader:
    """Collects moves in ``change`` until `commit` writes them. Keeps what a scheduler keeps: ids, numbers, states."""

    def __init__(self, store: Store, owner: str = "leader", now: int = MAY_1) -> None:
        self.store = store
        self.now = now
        self.epoch = store.take_lead(owner, now)
        self.change = Commit()
        self.next_attempt = store.last_attempt() + 1
        self.next_seq: defaultdict[int, int] = defaultdict(lambda: 1)
        self.attempts: dict[tuple[int, int], int] = {}
        self.tries: defaultdict[tuple[int, int], int] = defaultdict(int)
        self.agent = "agent-1"

    def commit(self) -> list[Run]:
        """Write what was collected; if that fails it is forgotten all the same."""
        change, self.change = self.change, Commit()
        return self.store.commit(change, self.epoch)

    def begin(self, version: str, day: int = 0, **more: str) -> Run:
        """A new run, admitted."""
        [run] = self.store.create_runs([new_run(version, day, **more)])  # pyright: ignore[reportArgumentType]
        self.move_run(run.run_id, RunState.QUEUED, RunState.RUNNING)
        self.commit()
        return run

    def move_run(self, run_id: int, was: RunState, becomes: RunState) -> None:
        """Move a run."""
        self.change.runs.append(RunMove(run_id, was, becomes, self.now))
        self.record(run_id, RUN_CAUSES[becomes], was, becomes)

    def move_task(
        self, run_id: int, task_no: int, was: TaskState, becomes: TaskState, due_at: int | None = None
    ) -> None:
        """Move a task instance; its attempt is the newest that was dispatched."""
        attempt = self.attempts.get((run_id, task_no))
        self.change.tasks.append(TaskMove(run_id, task_no, was, becomes, self.now, attempt, due_at))
        self.record(run_id, TASK_CAUSES[becomes], was, becomes, task_no, attempt)

    def record(
        self,
        run_id: int,
        cause: Cause,
        was: str,
        becomes: str,
        task_no: int | None = None,
        attempt: int | None = None,
        facts: dict[str, object] | None = None,
    ) -> None:
        """Write a line of a run's history."""
        seq = self.next_seq[run_id]
        self.next_seq[run_id] += 1
        self.change.events.append(Event(run_id, seq, self.now, cause, was, becomes, task_no, attempt, facts))

    def dispatch(self, run_id: int, *task_nos: int, was: TaskState = TaskState.NONE) -> list[int]:
        """Make attempts and queue their task instances; return the attempts' ids."""
        made: list[int] = []
        for task_no in task_nos:
            key = (run_id, task_no)
            attempt = self.next_attempt
            self.next_attempt += 1
            self.attempts[key] = attempt
            self.tries[key] += 1
            self.change.new_attempts.append(NewAttempt(attempt, run_id, task_no, self.tries[key], self.agent, self.now))
            self.move_task(run_id, task_no, was, TaskState.QUEUED)
            made.append(attempt)
        return made

    def succeed(self, run_id: int, *task_nos: int, output: bytes | None = None) -> None:
        """End queued task instances well."""
        for task_no in task_nos:
            move = AttemptMove(
                self.attempts[run_id, task_no],
                AttemptState.QUEUED,
                AttemptState.SUCCESS,
                started_at=self.now + 10,
                finished_at=self.now + 40,
                log=LogRange("executor-1.log", 100 * task_no, 100),
                peak_kib=40_000,
                cpu_ms=7,
            )
            self.change.attempts.append(move)
            self.move_task(run_id, task_no, TaskState.QUEUED, TaskState.SUCCESS)
            if output is not None:
                self.change.outputs.append(Output(run_id, task_no, output))

    def fail(
        self,
        run_id: int,
        task_no: int,
        error_class: ErrorClass = ErrorClass.LOGIC,
        becomes: TaskState = TaskState.FAILED,
        due_at: int | None = None,
    ) -> None:
        """End a queued task instance badly."""
        move = AttemptMove(
            self.attempts[run_id, task_no],
            AttemptState.QUEUED,
            AttemptState.FAILED,
            started_at=self.now + 10,
            finished_at=self.now + 20,
            error_class=error_class,
            failure=Failure("raised", "no such column: ß", ("KeyError", "LookupError"), "Traceback ..."),
        )
        self.change.attempts.append(move)
        self.move_task(run_id, task_no, TaskState.QUEUED, becomes, due_at)
