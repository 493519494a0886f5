"""The product as the measurements use it: a scheduler in this process, its agent and two executors beside it."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ostinato.app import Running, hint, start
from ostinato.clock import SystemClock
from ostinato.decide.timetable import intervals_between, latest_complete
from ostinato.home import Home
from ostinato.model.change import NewBackfill, NewRun
from ostinato.model.record import run_key
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval
from ostinato.model.value import encode

from .processes import agents, cpu_seconds

DAGS = Path(__file__).parent / "dags"
SLOTS = 2


class Product:
    """One home with the given dag files deployed."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.running = running
        self.folder = folder
        self._nth = 0

    def trigger(self, dag_id: str) -> int:
        """Make a run of a dag, as a trigger does, and return its id."""
        self._nth += 1
        now = SystemClock().now()
        dag = self.running.store.dag(dag_id)
        interval = latest_complete(None, now)
        key = run_key(interval.start, self._nth)
        new = NewRun(dag_id, dag.version, key, "manual", interval.start, interval.end, encode({}), now, by="bench")
        return self.running.store.create_runs([new])[0].run_id

    def backfill(self, dag_id: str) -> list[int]:
        """Make a run for each of a dag's intervals, as a backfill does."""
        now = SystemClock().now()
        dag = self.running.store.dag(dag_id)
        spec = self.running.store.compiled(dag.version).spec
        intervals = list(intervals_between(spec.schedule, spec.start or 0, spec.end or now))
        new = [
            NewRun(dag_id, dag.version, run_key(at.start), "backfill", at.start, at.end, encode({}), now, by="bench")
            for at in intervals
        ]
        whole = (DataInterval(intervals[0].start, intervals[-1].end),)
        wanted = NewBackfill(dag_id, whole, encode({}), now, max_active_runs=spec.max_active_runs)
        _, runs = self.running.store.create_backfill(wanted, new)
        return [run.run_id for run in runs]

    def finish(self, run_ids: list[int]) -> None:
        """Turn the scheduler until the runs have succeeded; anything else is an error."""
        hint(self.running.home)
        self.running.step()
        while not self.running.scheduler.idle():
            self.running.step()
        for run_id in run_ids:
            run = self.running.store.run(run_id)
            if run.state is not RunState.SUCCESS:
                raise RuntimeError(f"run {run_id} ended as {run.state}")

    def cpu(self) -> float:
        """Processor seconds so far, of this process and of the agent's family."""
        return time.process_time() + cpu_seconds(self.agent_pid())

    def agent_pid(self) -> int:
        """The agent's process id."""
        return agents(self.running.home.path)[0]


@contextmanager
def product(*files: str, state: str | None = None) -> Iterator[Product]:
    """A product in a temporary folder, its state there or at an address, warm: its executors have run a task each."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home", state)
        with start(home, slots=SLOTS, dag_paths=[DAGS / file for file in files]) as running:
            yield Product(running, Path(folder))
