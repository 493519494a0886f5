"""A state as a scheduler leaves it when it is killed at work: 1,000 open runs of 200 tasks, half of them unfinished."""

from pathlib import Path

from ostinato.clock import SystemClock
from ostinato.model.canonical import canonical, digest
from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, Commit, Event, NewAttempt, NewRun, RunMove, TaskMove
from ostinato.model.record import Deployment, Run, run_key
from ostinato.model.spec import CompiledDag, DagSpec, Source, TaskSpec
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.model.time import Instant
from ostinato.model.value import encode
from ostinato.store import Store, open_store

RUNS, TASKS = 1_000, 200
DAY = 86_400_000


def plant(database: Path) -> None:
    """Make the state. The unfinished half of the tasks waits for a retry that is due."""
    store = open_store(database)
    now = SystemClock().now()
    runs = _runs(store, now)
    epoch = store.take_lead("bench", now)
    for n, run in enumerate(runs):
        store.commit(_history(run, n * TASKS, now), epoch)
    store.close()


def _runs(store: Store, now: Instant) -> list[Run]:
    code = canonical(Source("bench.py", b"from ostinato import *"))
    spec = DagSpec("large", tuple(TaskSpec(f"t{n}") for n in range(TASKS)), max_active_runs=RUNS)
    compiled = CompiledDag(spec, "bench.py", digest(code), digest(canonical(spec), digest(code).encode()))
    store.put_dags([Deployment("bench.py", (compiled,), code)], now, "ada")
    return store.create_runs(
        [
            NewRun("large", compiled.version, run_key(n * DAY), "backfill", n * DAY, (n + 1) * DAY, encode({}), now)
            for n in range(RUNS)
        ]
    )


def _history(run: Run, attempts_before: int, now: Instant) -> Commit:
    commit = Commit(runs=[RunMove(run.run_id, RunState.QUEUED, RunState.RUNNING, now)])
    commit.events.append(Event(run.run_id, 1, now, Cause.ADMITTED, RunState.QUEUED, RunState.RUNNING))
    for task_no in range(TASKS):
        attempt = attempts_before + task_no + 1
        commit.tasks.append(TaskMove(run.run_id, task_no, TaskState.NONE, TaskState.QUEUED, now, attempt))
        commit.new_attempts.append(NewAttempt(attempt, run.run_id, task_no, 1, "gone", now))
        if task_no % 2:
            becomes, ended, error_class, due = TaskState.UP_FOR_RETRY, AttemptState.LOST, "resource", now
        else:
            becomes, ended, error_class, due = TaskState.SUCCESS, AttemptState.SUCCESS, None, None
        commit.tasks.append(TaskMove(run.run_id, task_no, TaskState.QUEUED, becomes, now, attempt, due))
        commit.attempts.append(AttemptMove(attempt, AttemptState.QUEUED, ended, now, now, error_class))
    return commit
