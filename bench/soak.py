"""What stays behind when it goes on and on: an hour of real time with real processes, a year on a clock that is set."""

import gc
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic
from typing import IO

from ostinato.control.answers import Answers
from ostinato.control.need_history import NeedHistory
from ostinato.control.prepare import Preparer
from ostinato.control.scheduler import Scheduler
from ostinato.decide.step import Probe
from ostinato.executors.port import Arrival
from ostinato.home import Home
from ostinato.model.canonical import canonical, digest
from ostinato.model.change import Delivery
from ostinato.model.limits import Limits
from ostinato.model.message import Failure, Finished, Hello, Launch, ToAgent
from ostinato.model.record import Deployment, Outgoing
from ostinato.model.spec import CompiledDag, DagSpec, Every, Source, TaskSpec
from ostinato.model.time import Instant
from ostinato.model.value import encode
from ostinato.store import Store, open_store

from .processes import agents, pss_mb
from .product import DAGS

HOUR, DAY = 3_600_000, 86_400_000
BEGIN = 1_735_689_600_000
KEPT_DAYS = 30
HOURLY_DAGS, TASKS = 4, 3
ONE_FAILS_IN = 50
SETTLED_S = 5


class Elsewhere:
    """An agent that performs everything at once, now and then badly; channels that take every alert."""

    def __init__(self) -> None:
        self._random = Random(1)
        self._said: list[Arrival] = [Arrival("a", Hello("a", 1, 8, 1_000, ()))]
        self._delivered: list[Delivery] = []
        self.now: Instant = BEGIN
        self.attempts = 0

    def send(self, agent: str, messages: Sequence[ToAgent]) -> None:
        """What is launched ends at once."""
        for message in messages:
            if isinstance(message, Launch):
                self._said += [Arrival(agent, self._end(each.attempt)) for each in message.assignments]

    def _end(self, attempt: int) -> Finished:
        self.attempts += 1
        if self._random.randrange(ONE_FAILS_IN):
            return Finished(attempt, "success", self.now, self.now, output=encode({"rows": attempt}))
        return Finished(attempt, "failed", self.now, self.now, failure=Failure("raised", "no", declared="transient"))

    def drop(self) -> None:
        """It says who it is once more."""
        self._said[:0] = [Arrival("a", Hello("a", 1, 8, 1_000, ()))]

    @property
    def has_said(self) -> bool:
        """Whether there is something to receive."""
        return bool(self._said)

    def receive(self) -> list[Arrival]:
        """What it has said since the last call."""
        said, self._said = self._said, []
        return said

    def take(self, alerts: Sequence[Outgoing]) -> None:
        """All are taken."""
        self._delivered += [Delivery(alert.outbox_id, self.now, done=True) for alert in alerts]

    def reports(self) -> list[Delivery]:
        """What was taken since the last call."""
        delivered, self._delivered = self._delivered, []
        return delivered

    def look(self, probe: Probe) -> bool:
        """Every file is there."""
        return bool(probe)

    def ensure(self, digest: str) -> None:
        """No executor reads a source."""
        del digest


def year() -> dict[str, float]:
    """The real scheduler and the real store; four dags of three tasks every hour, history kept for 30 days."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        store = open_store(path)
        _deploy(store)
        months = list(_lived(store, path))
        store.check()
        store.close()
    settled = months[2:]
    return {
        "runs": months[-1][2],
        "MB of memory, third month": settled[0][0],
        "MB of memory, last month": settled[-1][0],
        "MB on disk, third month": settled[0][1],
        "MB on disk, last month": settled[-1][1],
        "runs a month that stay, bytes each": 1e6 * (settled[-1][1] - settled[0][1]) / (settled[-1][2] - settled[0][2]),
    }


def _deploy(store: Store) -> None:
    source = canonical(Source("hourly.py", b"from ostinato import *"))
    tasks = tuple(TaskSpec(f"t{n}", upstream=(n - 1,) if n else ()) for n in range(TASKS))
    specs = [DagSpec(f"hourly_{n}", tasks, schedule=Every(HOUR // 1000)) for n in range(HOURLY_DAGS)]
    name = digest(source)
    dags = tuple(CompiledDag(spec, "hourly.py", name, digest(canonical(spec), name.encode())) for spec in specs)
    store.put_dags([Deployment("hourly.py", dags, source)], BEGIN, "bench")


def _lived(store: Store, path: Path) -> Iterator[tuple[float, float, int]]:
    """For each month: memory and disk in MB, and runs so far."""
    around = Elsewhere()
    scheduler = Scheduler(
        store,
        around,
        Preparer(store, around, store.compiled),  # type: ignore[arg-type]
        Answers(store, store.compiled, NeedHistory(store, store.compiled)),
        around,
        around,
        limits=Limits(safety_scan_s=3_600.0),  # nobody else writes
        lead=partial(store.take_lead, "bench"),
        spread=lambda: 0.5,
    )
    for month in range(12):
        end = BEGIN + (month + 1) * 365 * DAY // 12
        for midnight in range(BEGIN + month * 365 * DAY // 12, end, DAY):
            while around.now < midnight + DAY:
                due = scheduler.step(around.receive(), around.now)
                if scheduler.trouble is not None:
                    raise scheduler.trouble
                if not around.has_said:
                    around.now = max(around.now + 1, min(due or end, midnight + DAY))
            for _ in chain(store.prune(around.now - KEPT_DAYS * DAY), store.pack(around.now - HOUR)):
                pass
        gc.collect()
        yield _memory_mb(), path.stat().st_size / 1e6, store.runs(limit=1)[0].run_id


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def hour(minutes: float = 60.0) -> dict[str, float]:
    """``ostinato up`` and its agent; a run of ten tasks every two seconds, of which one fails and is tried again."""
    found: list[tuple[float, float, int, int]] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        with (Path(folder) / "said").open("wb") as said, _up(home, said) as up:
            pause, begun = Event(), monotonic()
            pause.wait(SETTLED_S)
            [agent, *_] = agents(home.path)  # later processes may have lower numbers
            while monotonic() - begun < minutes * 60:
                pause.wait(minutes * 6)
                files = _files(up.pid) + _files(agent)
                found.append((pss_mb(up.pid), pss_mb(agent), files, 1 + len(agents(home.path))))
        store = open_store(home.database)
        counts = store.counts()
        size = home.database.stat().st_size / 1e6
        store.close()
    tenth, last = found[0], found[-1]
    return {
        "runs": sum(counts["runs"].values()),
        "runs that did not succeed": sum(counts["runs"].values()) - counts["runs"].get("success", 0),
        "scheduler, MB after a tenth": tenth[0],
        "scheduler, MB at the end": last[0],
        "agent, MB after a tenth": tenth[1],
        "agent, MB at the end": last[1],
        "open files after a tenth": tenth[2],
        "open files at the end": last[2],
        "processes after a tenth": tenth[3],
        "processes at the end": last[3],
        "bytes of state a task instance": 1e6 * size / max(1, sum(counts["tasks"].values())),
    }


@contextmanager
def _up(home: Home, said: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """What it says goes to a file: in a pipe that nobody reads it would stand still after some hundred runs."""
    command = [sys.executable, "-m", "ostinato", "up", str(DAGS / "steady.py"), "--slots", "2"]
    with subprocess.Popen(
        command, env={**os.environ, "OSTINATO_HOME": str(home.path)}, stdout=said, stderr=said
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
