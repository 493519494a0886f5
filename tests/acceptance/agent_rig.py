"""A scheduler for tests of the agent: it sends attempts to a real agent process and collects what comes back."""

import os
import re
import select
from collections.abc import Callable
from pathlib import Path

from msgspec import msgpack

from ostinato.executors.local import LocalAgent
from ostinato.home import Home
from ostinato.model.canonical import canonical, digest
from ostinato.model.message import (
    Acknowledge,
    Assignment,
    Call,
    CancelAttempts,
    Finished,
    Hello,
    Launch,
    LogRange,
    Started,
    ToAgent,
)
from ostinato.model.spec import Isolation, Source
from ostinato.model.value import decode, encode

PATIENCE_S = 20.0
HEADER = """
import ctypes, logging, os, signal, subprocess, sys, threading
from pathlib import Path
from ostinato import context, dag, task
"""


class Rig:
    """One connection to the agent of a home. Attempts are numbered from 1, also across connections."""

    def __init__(self, home: Home, slots: int = 2, first: int = 1) -> None:
        self.home = home
        self.acknowledging = True
        self.arrived: list[Finished] = []
        self.started: list[Started] = []
        self._next = first
        self._source = ""
        self._hello: Hello | None = None
        self._slots = slots
        self._agent = LocalAgent(home, slots)
        self.hello = self.connect()

    def connect(self) -> Hello:
        """Wait for the agent's first word."""
        self.pump(lambda: self._hello is not None)
        assert self._hello is not None
        return self._hello

    def reconnect(self) -> Hello:
        """Hang up and connect again."""
        self._agent.drop()
        self._hello = None
        self.take_in()
        self.hello = self.connect()
        return self.hello

    def come_back(self) -> Hello:
        """Connect again after `hang_up`, as another scheduler would."""
        self._hello = None
        self._agent = LocalAgent(self.home, self._slots)
        self.hello = self.connect()
        return self.hello

    def wait_for_successor(self) -> Hello:
        """Wait until another agent has taken the place of one that was killed."""
        dead = self.hello.agent
        self.pump(lambda: self._hello is not None and self._hello.agent != dead)
        self.hello = self.connect()
        return self.hello

    def code(self, tasks: str, name: str = "d") -> str:
        """Deploy tasks, each a function with ``@task`` above it; return the digest to ``launch`` them by."""
        calls = "".join(f"    {found}()\n" for found in re.findall(r"@task\ndef (\w+)", tasks))
        text = f"{HEADER}{tasks}\n@dag(dag_id='d')\ndef d() -> None:\n{calls}"
        data = canonical(Source(str(self.home.path / f"{name}.py"), text.encode()))
        self._source = digest(data)
        (self.home.sources / self._source).write_bytes(data)
        return self._source

    def assignment(
        self,
        task: str,
        source: str = "",
        isolation: Isolation = "reuse",
        priority: int = 0,
        timeout: float | None = None,
        memory: int | None = None,
        params: object = None,
    ) -> Assignment:
        """A new attempt at a task."""
        attempt = self._next
        self._next += 1
        call = Call(
            dag_id="d",
            version="v",
            file=str(self.home.path / "d.py"),
            task_no=0,
            task_id=task,
            run_id=1,
            attempt=attempt,
            number=1,
            start=0,
            end=86_400_000,
            params=encode(params or {}),
        )
        return Assignment(attempt, source or self._source, isolation, priority, timeout, memory, msgpack.encode(call))

    def launch(self, task: str, **options: object) -> int:
        """Send a new attempt at a task; see `assignment` for the options. Returns its id."""
        return self.launch_all([self.assignment(task, **options)])[0]  # type: ignore[arg-type]

    def launch_all(self, assignments: list[Assignment]) -> list[int]:
        self.send(Launch(tuple(assignments)))
        return [assignment.attempt for assignment in assignments]

    def cancel(self, *attempts: int) -> None:
        self.send(CancelAttempts(attempts))

    def acknowledge(self, *attempts: int) -> None:
        self.send(Acknowledge(attempts))

    def send(self, *messages: ToAgent) -> None:
        self._agent.send(self.hello.agent, messages)

    def result(self, attempt: int) -> Finished:
        """Wait until an attempt has ended. That it did so once only, `results` tells."""
        self.pump(lambda: bool(self.results(attempt)))
        return self.results(attempt)[0]

    def results(self, attempt: int) -> list[Finished]:
        """All that has been said of the end of an attempt so far."""
        return [finished for finished in self.arrived if finished.attempt == attempt]

    def perform(self, task: str, **options: object) -> Finished:
        """Launch and wait."""
        return self.result(self.launch(task, **options))

    def value(self, task: str, **options: object) -> object:
        """What an attempt at a task returns."""
        finished = self.perform(task, **options)
        assert finished.verdict == "success", (finished, self.log(finished.log))
        return None if finished.output is None else decode(finished.output)

    def wait_until_running(self, attempt: int) -> Started:
        """Wait until an attempt has been running for a beat."""
        self.pump(lambda: any(started.attempt == attempt for started in self.started))
        return next(started for started in self.started if started.attempt == attempt)

    def log(self, log: LogRange | None) -> str:
        """The text of a log range."""
        if log is None:
            return ""
        with (self.home.logs / log.segment).open("rb") as file:
            file.seek(log.offset)
            return file.read(log.length).decode()

    def printed(self, started: Started) -> str:
        """What a running attempt has printed so far."""
        assert started.log is not None
        with (self.home.logs / started.log.segment).open("rb") as file:
            file.seek(started.log.offset)
            return file.read().decode()

    def pump(self, until: Callable[[], bool]) -> None:
        """Take in what arrives, and acknowledge results, until that is the case."""
        while not until():
            assert select.select([self._agent], [], [], PATIENCE_S)[0], f"nothing came for {PATIENCE_S} s"
            self.take_in()

    def take_in(self) -> None:
        """Take in what has arrived."""
        for arrival in self._agent.receive():
            match arrival.message:
                case Finished() as finished:
                    self.arrived.append(finished)
                    if self.acknowledging:
                        self._agent.send(arrival.agent, [Acknowledge((finished.attempt,))])
                case Started() as started:
                    self.started.append(started)
                case Hello() as hello:
                    self._hello = hello
                case None:
                    self._hello = None

    def stop(self, grace: float = 0.0) -> None:
        """Stop the agent in order."""
        self._agent.stop(grace)
        try:
            self.pump(lambda: not self._agent.connected())
        finally:
            self._agent.close()

    def hang_up(self) -> None:
        """Leave; the agent goes on."""
        self._agent.close()


def descendants(pid: int) -> dict[int, str]:
    """The living processes below one, with their names."""
    found: dict[int, str] = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        name = Path(f"/proc/{child}/comm").read_text().strip()
        found[int(child)] = name
        found |= descendants(int(child))
    return found


def wait_for_end(pid: int) -> None:
    """Wait until a process is gone (or only waits to be reaped)."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([watched], [], [], PATIENCE_S)[0], f"process {pid} still lives"
    finally:
        os.close(watched)


def alive(pid: int) -> bool:
    """Whether a process lives; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
