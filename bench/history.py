"""What a long history costs: a state with a million task instances that are over, in 100,000 runs of ten dags."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from statistics import median

from ostinato.app import start
from ostinato.clock import SystemClock
from ostinato.home import Home
from ostinato.model.canonical import canonical, digest
from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, Commit, Event, NewAttempt, NewRun, Output, RunMove, TaskMove
from ostinato.model.message import LogRange
from ostinato.model.record import Deployment, Run, run_key
from ostinato.model.spec import CompiledDag, DagSpec, Every, Source, TaskSpec
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.model.value import encode
from ostinato.store import Store, drill, open_store

from .product import DAGS, SLOTS, Product

DAG_COUNT, RUNS, TASKS = 10, 10_000, 10
HOUR = 3_600_000
_RUNS_A_COMMIT = 500


def plant_history(database: Path) -> dict[str, float]:
    """Make the state: hourly runs up to now, each task with an output, a log and the events that it has in life.

    As in life, events are packed while the state grows; how fast that went.
    """
    store = open_store(database)
    now = SystemClock().now()
    epoch = store.take_lead("bench", now)
    attempt, random, steps = 0, Random(7), [0.0]
    for dag_no in range(DAG_COUNT):
        dag_id = f"hourly_{dag_no}"
        version = _deploy(store, dag_id, now)
        first = now // HOUR - RUNS
        for portion in range(0, RUNS, _RUNS_A_COMMIT):
            starts = [(first + portion + n) * HOUR for n in range(_RUNS_A_COMMIT)]
            params = encode({})
            new = [NewRun(dag_id, version, run_key(at), "scheduled", at, at + HOUR, params, at + HOUR) for at in starts]
            runs = store.commit(Commit(new_runs=new), epoch)
            commit = Commit()
            for run in runs:
                attempt = _live(commit, run, attempt, random)
            store.commit(commit, epoch)
            steps += _steps(store.pack(now))
    store.close()
    events = DAG_COUNT * RUNS * (2 * TASKS + 3)
    return {"packed events a second": events / sum(steps), "ms, one step of packing": 1e3 * median(steps)}


def _deploy(store: Store, dag_id: str, now: int) -> str:
    code = canonical(Source(f"{dag_id}.py", b"from ostinato import *"))
    tasks = tuple(TaskSpec(f"step_{n}", upstream=(n - 1,) if n else ()) for n in range(TASKS))
    spec = DagSpec(dag_id, tasks, schedule=Every(HOUR))
    compiled = CompiledDag(spec, f"{dag_id}.py", digest(code), digest(canonical(spec), digest(code).encode()))
    store.put_dags([Deployment(f"{dag_id}.py", (compiled,), code)], now, "ada")
    return compiled.version


def _live(commit: Commit, run: Run, attempt: int, random: Random) -> int:
    """The life of a run, from its admission to its end; the number of its last attempt. Nothing in it is regular."""
    at, run_id, seq = run.created_at, run.run_id, 1
    commit.runs.append(RunMove(run_id, RunState.QUEUED, RunState.RUNNING, at))
    commit.events.append(Event(run_id, seq, at, Cause.ADMITTED, RunState.QUEUED, RunState.RUNNING))
    for task_no in range(TASKS):
        attempt += random.randrange(1, 9)  # others go on meanwhile
        at += random.randrange(2, 50)
        start, takes = at + random.randrange(1, 9), random.randrange(200, 200_000)
        end = start + takes
        commit.tasks.append(TaskMove(run_id, task_no, TaskState.NONE, TaskState.QUEUED, at, attempt))
        commit.new_attempts.append(NewAttempt(attempt, run_id, task_no, 1, "agent-1", at))
        commit.tasks.append(TaskMove(run_id, task_no, TaskState.QUEUED, TaskState.SUCCESS, end, attempt))
        log = LogRange(f"agent-1-{run_id % 50}.log", random.randrange(20_000_000), random.randrange(2_000))
        commit.attempts.append(
            AttemptMove(
                attempt,
                AttemptState.QUEUED,
                AttemptState.SUCCESS,
                start,
                end,
                log=log,
                peak_kib=random.randrange(30_000, 300_000),
                cpu_ms=random.randrange(takes),
            )
        )
        commit.outputs.append(Output(run_id, task_no, encode({"rows": attempt})))
        for was, becomes, cause, when in (
            (TaskState.NONE, TaskState.QUEUED, Cause.READY, at),
            (TaskState.QUEUED, TaskState.SUCCESS, Cause.REPORTED_SUCCESS, end),
        ):
            seq += 1
            commit.events.append(Event(run_id, seq, when, cause, was, becomes, task_no, attempt))
        at = end
    commit.runs.append(RunMove(run_id, RunState.RUNNING, RunState.SUCCESS, at))
    commit.events.append(Event(run_id, seq + 1, at, Cause.TASKS_SUCCEEDED, RunState.RUNNING, RunState.SUCCESS))
    return attempt


def figures() -> dict[str, float]:
    """The size, lists, a chain of 50 tasks with that history and without, a backup, a drill, and half of it pruned."""
    with tempfile.TemporaryDirectory() as folder:
        home, empty = Home(Path(folder) / "home").create(), Home(Path(folder) / "empty").create()
        found = plant_history(home.database)
        found["MB"] = home.database.stat().st_size / 1e6
        store = open_store(home.database)
        for name, look in (
            ("dags", store.dags),
            ("runs", store.runs),
            ("runs of a dag", lambda: store.runs("hourly_3")),
            ("tasks of a run", lambda: store.tasks(50_000)),
            ("counts", store.counts),
        ):
            found[f"ms, {name}"] = 1e3 * median(_seconds(look) for _ in range(5))
        found |= {f"ms, ostinato {' '.join(words)}": _command(home, words) for words in _LISTS}
        found |= {"ms, chain, with history": _chain(home), "ms, chain, without": _chain(empty)}
        kept = Path(folder) / "kept.db"
        found["seconds, backup"] = _seconds(lambda: store.back_up(kept, SystemClock().now()))
        found["seconds, drill"] = _seconds(lambda: drill(kept, SystemClock().now()))
        found |= _pruned(store)
        store.close()
    return found


_LISTS = (
    ("dags",),
    ("runs",),
    ("runs", "hourly_3"),
    ("show", "50000"),
    ("gaps", "hourly_3"),
)


def _command(home: Home, words: tuple[str, ...]) -> float:
    command = [sys.executable, "-m", "ostinato", *words]
    environment = {**os.environ, "OSTINATO_HOME": str(home.path)}
    return 1e3 * median(
        _seconds(lambda: subprocess.run(command, env=environment, capture_output=True, check=True)) for _ in range(5)
    )


def _chain(home: Home) -> float:
    with start(home, slots=SLOTS, dag_paths=[DAGS / "chain.py"]) as running:
        ours = Product(running, home.path)
        ours.finish([ours.trigger("chain")])
        seconds = [_seconds(lambda: ours.finish([ours.trigger("chain")])) for _ in range(10)]
    return 1e3 * median(seconds)


def _pruned(store: Store) -> dict[str, float]:
    """Half of the history forgotten, without the pauses that a scheduler makes between two steps."""
    steps = _steps(store.prune(SystemClock().now() - RUNS // 2 * HOUR))
    return {
        "pruned task instances a second": DAG_COUNT * RUNS // 2 * TASKS / sum(steps),
        "ms, one step of pruning": 1e3 * median(steps),
        "ms, the longest step": 1e3 * max(steps),
    }


def _steps(portions: Iterator[int]) -> list[float]:
    """How many seconds each portion took."""
    steps: list[float] = []
    last = time.perf_counter()
    for _ in portions:
        now = time.perf_counter()
        steps.append(now - last)
        last = now
    return steps


def _seconds(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began
