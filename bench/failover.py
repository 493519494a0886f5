"""How long work stands still when the leader of two schedulers is gone."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from threading import Event

from ostinato.home import STATE_VARIABLE
from ostinato.model.state import RunState
from ostinato.store import Store, open_store
from tests.postgres_server import PostgresServer

from .product import DAGS

_LOOK_S = 0.002
_PATIENCE_S = 60.0


def seconds_until_work_goes_on(number: signal.Signals, rounds: int) -> list[float]:
    """From the signal to the leader until the other one has written a result, with work waiting all the time."""
    server = PostgresServer(durable=True)
    try:
        return [_once(server.new_database(), number) for _ in range(rounds)]
    finally:
        server.remove()


def _once(address: str, number: signal.Signals) -> float:
    with tempfile.TemporaryDirectory() as folder:
        surroundings = {**os.environ, STATE_VARIABLE: address, "OSTINATO_HOME": str(Path(folder) / "home")}
        file = str(DAGS / "unhurried.py")
        store = open_store(address)
        with _going(surroundings, "agent", "--slots", "2"), _going(surroundings, "scheduler", file) as first:
            _until(lambda: _leads(store, first) and bool(store.dags()))
            with _going(surroundings, "scheduler", file) as second:
                subprocess.run(
                    [sys.executable, "-m", "ostinato", "trigger", "unhurried"],
                    env=surroundings,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    check=True,
                )
                _until(lambda: _done(store) > 50)
                Event().wait(1)  # the second one has looked by now, and looks on
                first.send_signal(number)
                began = time.perf_counter()
                _until(lambda: _leads(store, second))
                before = _done(store)
                _until(lambda: _done(store) > before)
                seconds = time.perf_counter() - began
                first.send_signal(signal.SIGCONT)
                _until(lambda: store.runs()[0].state is not RunState.RUNNING)
                if store.runs()[0].state is not RunState.SUCCESS:
                    raise RuntimeError("the run did not succeed")
        store.close()
    return seconds


@contextmanager
def _going(surroundings: dict[str, str], *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "ostinato", *words]
    with subprocess.Popen(command, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def _leads(store: Store, process: "subprocess.Popen[bytes]") -> bool:
    return (store.leader() or "").endswith(f":{process.pid}")


def _done(store: Store) -> int:
    run = store.runs()[0]
    return sum(task.state == "success" for task in store.tasks(run.run_id))


def _until(condition: Callable[[], bool]) -> None:
    deadline, pause = time.perf_counter() + _PATIENCE_S, Event()
    while not condition():
        if time.perf_counter() > deadline:
            raise RuntimeError("waited in vain")
        pause.wait(_LOOK_S)


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
