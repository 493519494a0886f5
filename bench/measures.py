"""The measurements, by their number in the list of targets. Each returns figures by name; several are medians."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from threading import Event

from ostinato.app import start
from ostinato.clock import SystemClock
from ostinato.control.compile import import_apart
from ostinato.control.file_mark import unchanged
from ostinato.control.steady import compile_steady
from ostinato.home import Home
from ostinato.model.limits import Limits
from tests.mariadb_server import MariaDBServer, is_installed
from tests.mysql_server import MySQLServer
from tests.mysql_server import program as mysqld
from tests.postgres_server import PostgresServer

from .against import figures as figures_of_peers
from .failover import figures as seconds_of_failover
from .history import figures as figures_of_history
from .migration import figures as figures_of_migration
from .plant import plant
from .processes import agents, cpu_seconds, pss_mb
from .product import DAGS, SLOTS, Product, product
from .rehearsals import seconds_of_a_month, seconds_of_dags
from .schedules import schedules
from .soak import hour, year

Figures = dict[str, float]

TASKS = 10_000
IDLE_SECONDS = 60.0


def _nothing() -> None:
    """What the bare pool runs."""


def throughput(rounds: int = 5) -> Figures:
    """P1: 10,000 tasks in one run, in turn with the same through a bare process pool that keeps no state."""
    return _throughput(rounds, state=None)


def throughput_on_postgres(rounds: int = 5) -> Figures:
    """P9: P1 with the state in a PostgreSQL server on this machine, whose own processor time is not counted."""
    return _throughput_on(PostgresServer(durable=True), rounds)


def throughput_on_mariadb(rounds: int = 5) -> Figures:
    """P9 with MariaDB: P1 with the state in a MariaDB server on this machine, whose own processor time is not counted."""
    return _throughput_on(MariaDBServer(durable=True), rounds) if is_installed() else {}


def throughput_on_mysql(rounds: int = 5) -> Figures:
    """P9 with MySQL: the same with the server that OSTINATO_TEST_MYSQLD names."""
    return _throughput_on(MySQLServer(durable=True), rounds) if mysqld() else {}


def _throughput_on(server: MariaDBServer | PostgresServer, rounds: int) -> Figures:
    try:
        return _throughput(rounds, server.new_database())
    finally:
        server.remove()


def failover() -> Figures:
    """P10: two schedulers; from the death, or the hanging, of the one that leads until the other has written a result."""
    return seconds_of_failover()


def _throughput(rounds: int, state: str | None) -> Figures:
    wall: list[float] = []
    cpu: list[float] = []
    wall_ratio: list[float] = []
    cpu_ratio: list[float] = []
    with product("independent.py", state=state) as ours:
        ours.finish([ours.trigger("warm_up")])
        for _ in range(rounds):
            pool_wall, pool_cpu = _pool()
            before, began = ours.cpu(), time.perf_counter()
            ours.finish([ours.trigger("independent")])
            wall.append(time.perf_counter() - began)
            cpu.append(ours.cpu() - before)
            wall_ratio.append(wall[-1] / pool_wall)
            cpu_ratio.append(cpu[-1] / pool_cpu)
    return {
        "seconds": median(wall),
        "tasks per second": TASKS / median(wall),
        "tasks per second, best": TASKS / min(wall),
        "CPU µs per task": median(cpu) / TASKS * 1e6,
        "wall, ratio to the bare pool": median(wall_ratio),
        "CPU, ratio to the bare pool": median(cpu_ratio),
    }


def layers(rounds: int = 5) -> Figures:
    """P12: ten layers of 1,000 tasks, each after all of the layer before: compiled, and run in turn with as many plain ones."""
    compiled: list[float] = []
    wall: list[float] = []
    ratio: list[float] = []
    for _ in range(rounds):
        before = os.times()
        if import_apart(DAGS / "layers.py", Limits()).compilation().problems:
            raise RuntimeError("the dag does not compile")
        compiled.append(sum(os.times()[:4]) - sum(before[:4]))
    with product("independent.py", "layers.py") as ours:
        ours.finish([ours.trigger("warm_up")])
        for _ in range(rounds):
            plain, ours_took = _took(ours, "independent"), _took(ours, "layers")
            wall.append(ours_took)
            ratio.append(ours_took / plain)
    return {
        "CPU s to compile, once": median(compiled),
        "tasks per second": TASKS / median(wall),
        "wall, ratio to plain tasks": median(ratio),
    }


def _took(ours: Product, dag_id: str) -> float:
    began = time.perf_counter()
    ours.finish([ours.trigger(dag_id)])
    return time.perf_counter() - began


def _pool() -> tuple[float, float]:
    with ProcessPoolExecutor(SLOTS) as pool:
        for warm in [pool.submit(_nothing) for _ in range(100)]:
            warm.result()
        before, began = cpu_seconds(os.getpid()), time.perf_counter()
        for future in [pool.submit(_nothing) for _ in range(TASKS)]:
            future.result()
        return time.perf_counter() - began, cpu_seconds(os.getpid()) - before


def chain(rounds: int = 10) -> Figures:
    """P2: a chain of 50 tasks."""
    seconds: list[float] = []
    with product("chain.py") as ours:
        ours.finish([ours.trigger("chain")])
        for _ in range(rounds):
            began = time.perf_counter()
            ours.finish([ours.trigger("chain")])
            seconds.append(time.perf_counter() - began)
    return {"ms": median(seconds) * 1e3, "ms, best": min(seconds) * 1e3, "ms per step": median(seconds) * 1e3 / 50}


def latency(rounds: int = 30) -> Figures:
    """P3: from the trigger to the start of the first task."""
    ms: list[float] = []
    with product("daily.py") as ours:
        ours.finish([ours.trigger("single")])
        for _ in range(rounds):
            at = SystemClock().now()
            run = ours.trigger("single")
            ours.finish([run])
            (attempt,) = ours.running.store.attempts(run)
            ms.append((attempt.started_at or at) - at)
    return {"ms, median": median(ms), "ms, worst": max(ms)}


def compiling() -> Figures:
    """P4: one file that generates 500 dags of 10 tasks; and looking at it again, unchanged."""
    return _compiling("generated.py", 500)


def compiling_many() -> Figures:
    """P4 with 5,000 dags of 10 tasks in one file."""
    return _compiling("many.py", 5_000)


def _compiling(file: str, dags: int, rounds: int = 5) -> Figures:
    cold: list[float] = []
    again: list[float] = []
    for _ in range(rounds):
        before = os.times()
        compilation = compile_steady(DAGS / file, Limits())
        after = os.times()
        cold.append(sum(after[:4]) - sum(before[:4]))
        began = time.process_time()
        if unchanged(compilation.files) is None:
            raise RuntimeError("the file is as it was and was taken for changed")
        again.append(time.process_time() - began)
        if len(compilation.dags) != dags:
            raise RuntimeError(f"{len(compilation.dags)} dags, problems: {compilation.problems}")
    return {"CPU s, cold": median(cold), "CPU ms, unchanged": median(again) * 1e3}


def backfill(rounds: int = 3) -> Figures:
    """P5: 365 days of three tasks."""
    seconds: list[float] = []
    for _ in range(rounds):
        with product("daily.py") as ours:
            ours.finish([ours.trigger("single")])
            began = time.perf_counter()
            ours.finish(ours.backfill("daily"))
            seconds.append(time.perf_counter() - began)
    return {"seconds": median(seconds), "tasks per second": 365 * 3 / median(seconds)}


def idle() -> Figures:
    """P6: 500 dags loaded, nothing due: what `ostinato dev` costs in a minute, and the memory it holds."""
    return _idle("generated.py")


def idle_many() -> Figures:
    """P6 with 5,000 dags."""
    return _idle("many.py")


def _idle(file: str) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "OSTINATO_HOME": str(Path(folder) / "home")}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "ostinato", "dev", str(DAGS / file), "--slots", str(SLOTS)]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as dev:
            try:
                agent = _agent_of(Home(Path(folder) / "home"))
                Event().wait(5)
                before = cpu_seconds(dev.pid) + cpu_seconds(agent)
                Event().wait(IDLE_SECONDS)
                spent = cpu_seconds(dev.pid) + cpu_seconds(agent) - before
                memory = pss_mb(dev.pid) + pss_mb(agent)
            finally:
                dev.terminate()
                dev.wait()
    return {"CPU ms a minute": spent * 1e3 * 60 / IDLE_SECONDS, "PSS MB": memory}


def _agent_of(home: Home) -> int:
    patience = Event()
    for _ in range(300):
        if found := agents(home.path):
            return found[0]
        patience.wait(0.1)
    raise RuntimeError("the agent did not start")


def history() -> Figures:
    """P7: a state with a million task instances that are over: its size, lists, a chain, a backup, pruning."""
    return figures_of_history()


def restart() -> Figures:
    """P8: start over a state with 100,000 unfinished task instances in 1,000 runs, until work goes on."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home").create()
        plant(home.database)
        began = time.perf_counter()
        with start(home, slots=SLOTS) as running:
            while running.scheduler.board is None or not running.scheduler.board.attempts:
                running.step()
            seconds = time.perf_counter() - began
    return {"seconds": seconds}


def rehearsals(rounds: int = 5) -> Figures:
    """P13: small dags (three tasks in a row) rehearsed by `dag.test`; a month of a daily and an hourly dag by `simulate`."""
    seconds_of_dags(100)
    plain = [seconds_of_dags(1_000) for _ in range(rounds)]
    failing = [seconds_of_dags(1_000, failing=True) for _ in range(rounds)]
    month = [seconds_of_a_month() for _ in range(rounds)]
    return {
        "dags per second": 1_000 / median(wall for wall, _ in plain),
        "dags per CPU second": 1_000 / median(cpu for _, cpu in plain),
        "dags per CPU second, failing twice": 1_000 / median(cpu for _, cpu in failing),
        "seconds for a month": median(wall for wall, _ in month),
        "CPU s for a month": median(cpu for _, cpu in month),
    }


def soak_hour() -> Figures:
    """Soak: an hour of `ostinato up` with 30 runs a minute; what memory, files and processes come to."""
    return hour()


def soak_year() -> Figures:
    """Soak: a year on a clock that is set, history kept for 30 days; what memory and the database come to."""
    return year()


def migration() -> Figures:
    """Upgrade: a state with a million runs, as the second version of the schema had it, until it can be used."""
    return figures_of_migration()


def peers() -> Figures:
    """Peers: 50 tasks that do nothing, on two workers, beside each other orchestrator that is installed."""
    return figures_of_peers()


TAKES_LONG = {"soak-hour", "peers"}
"""What is measured only if it is asked for by name."""

MEASURES: dict[str, Callable[[], Figures]] = {
    "P1": throughput,
    "P2": chain,
    "P3": latency,
    "P4": compiling,
    "P4-5000": compiling_many,
    "P5": backfill,
    "P6": idle,
    "P6-5000": idle_many,
    "P7": history,
    "P8": restart,
    "P9": throughput_on_postgres,
    "P9-mariadb": throughput_on_mariadb,
    "P9-mysql": throughput_on_mysql,
    "P10": failover,
    "P12": layers,
    "R4": schedules,
    "P13": rehearsals,
    "upgrade": migration,
    "soak-year": soak_year,
    "soak-hour": soak_hour,
    "peers": peers,
}
