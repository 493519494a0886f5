"""How long work stands still when the leader of two schedulers is gone."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from threading import Event

from ostinato.home import STATE_VARIABLE
from ostinato.model.state import RunState
from ostinato.store import Store, open_store
from tests.acceptance.shell import going, until
from tests.postgres_server import PostgresServer

from .product import DAGS

_LOOK_S = 0.002


def seconds_until_work_goes_on(number: signal.Signals, rounds: int) -> list[float]:
    """From the signal to the leader until the other one has written a result, with work waiting all the time."""
    server = PostgresServer(durable=True)
    try:
        return [_once(server.new_database(), number) for _ in range(rounds)]
    finally:
        server.remove()


def _once(address: str, number: signal.Signals) -> float:
    with tempfile.TemporaryDirectory() as folder:
        surroundings = {STATE_VARIABLE: address, "OSTINATO_HOME": str(Path(folder) / "home")}
        file = str(DAGS / "unhurried.py")
        store = open_store(address)
        with going("agent", "--slots", "2", **surroundings), going("scheduler", file, **surroundings) as first:
            until(lambda: _leads(store, first.process) and bool(store.dags()))
            with going("scheduler", file, **surroundings) as second:
                subprocess.run(
                    [sys.executable, "-m", "ostinato", "trigger", "unhurried"],
                    env={**os.environ, **surroundings},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    check=True,
                )
                until(lambda: _done(store) > 50)
                Event().wait(1)  # the second one has looked by now, and looks on
                first.process.send_signal(number)
                began = time.perf_counter()
                until(lambda: _leads(store, second.process), _LOOK_S)
                before = _done(store)
                until(lambda: _done(store) > before, _LOOK_S)
                seconds = time.perf_counter() - began
                first.process.send_signal(signal.SIGCONT)
                until(lambda: store.runs()[0].state is not RunState.RUNNING)
                if store.runs()[0].state is not RunState.SUCCESS:
                    raise RuntimeError("the run did not succeed")
        store.close()
    return seconds


def _leads(store: Store, process: "subprocess.Popen[bytes]") -> bool:
    return (store.leader() or "").endswith(f":{process.pid}")


def _done(store: Store) -> int:
    run = store.runs()[0]
    return sum(task.state == "success" for task in store.tasks(run.run_id))


def figures(rounds: int = 5) -> dict[str, float]:
    """The medians and the worst, killed and hung."""
    killed = seconds_until_work_goes_on(signal.SIGKILL, rounds)
    hung = seconds_until_work_goes_on(signal.SIGSTOP, rounds)
    return {
        "seconds, killed, median": median(killed),
        "seconds, killed, worst": max(killed),
        "seconds, hung, median": median(hung),
        "seconds, hung, worst": max(hung),
    }
