"""How fast agent and executors perform tasks that do nothing, without scheduler or database.

This script sends assignments over the agent's socket, keeps its window full, and acknowledges.

    python bench/agent_throughput.py [--tasks 20000] [--slots 2] [--isolation reuse|process] [--rounds 5]

CPU is that of the agent, its zygote and all executors, living or ended, as the kernel counts it.
"""

import argparse
import os
import select
import tempfile
import time
from pathlib import Path

from msgspec import msgpack

from ostinato.executors.local import LocalAgent
from ostinato.home import Home
from ostinato.model.canonical import canonical, digest
from ostinato.model.message import Acknowledge, Assignment, Call, Finished, Hello, Launch, ToAgent
from ostinato.model.spec import Isolation, Source
from ostinato.model.value import encode

DAG = b"""
from ostinato import dag, task

@task
def nothing() -> None:
    pass

@dag
def empty() -> None:
    nothing()
"""
TICK = os.sysconf("SC_CLK_TCK")


class Bench:
    """A scheduler that only counts."""

    def __init__(self, home: Home, slots: int, isolation: Isolation) -> None:
        source = Source(str(home.path / "empty.py"), DAG)
        self._digest = digest(canonical(source))
        (home.sources / self._digest).write_bytes(canonical(source))
        self._file = source.file
        self._isolation: Isolation = isolation
        self._next = 1
        self.agent = LocalAgent(home, slots)
        self.hello = self._greeting()

    def run(self, tasks: int) -> float:
        """Seconds that so many tasks take."""
        begun = time.perf_counter()
        left, away = tasks, 0
        while left or away:
            done = [] if not away else self._finished()
            away -= len(done)
            more = min(left, self.hello.window - away)
            out: list[ToAgent] = [Acknowledge(tuple(done))] if done else []
            if more:
                out.append(Launch(tuple(self._assignment() for _ in range(more))))
            left, away = left - more, away + more
            self.agent.send(self.hello.agent, out)
        return time.perf_counter() - begun

    def _assignment(self) -> Assignment:
        self._next += 1
        call = Call(
            dag_id="empty",
            version="v",
            file=self._file,
            task_no=0,
            task_id="nothing",
            run_id=1,
            attempt=self._next,
            number=1,
            start=0,
            end=86_400_000,
            params=encode({}),
        )
        return Assignment(self._next, self._digest, self._isolation, 0, None, None, msgpack.encode(call))

    def _finished(self) -> list[int]:
        select.select([self.agent], [], [])
        messages = [arrival.message for arrival in self.agent.receive()]
        done = [message for message in messages if isinstance(message, Finished)]
        assert all(message.verdict == "success" for message in done), done[0]
        return [message.attempt for message in done]

    def _greeting(self) -> Hello:
        while True:
            select.select([self.agent], [], [])
            for arrival in self.agent.receive():
                if isinstance(arrival.message, Hello):
                    return arrival.message


def cpu_s(agent: int) -> float:
    """Processor time of an agent, its living descendants, and the ended ones that were waited for."""
    return sum(_cpu_s(pid) for pid in [agent, *_descendants(agent)])


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[11:15]) / TICK


def _descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return children + [found for child in children for found in _descendants(child)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", type=int, default=20_000)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--isolation", choices=["reuse", "process"], default="reuse")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Home(Path(folder)).create(), options.slots, options.isolation)
        bench.run(100)
        for _ in range(options.rounds):
            before, ours = cpu_s(bench.hello.pid), time.process_time()
            seconds = bench.run(options.tasks)
            cpu, mine = cpu_s(bench.hello.pid) - before, time.process_time() - ours
            each = 1_000_000 / options.tasks
            print(
                f"{options.tasks:,} tasks in {seconds:.2f} s: {options.tasks / seconds:,.0f} tasks/s, "
                f"agent and executors {cpu * each:.0f} us CPU a task, this script {mine * each:.0f} us"
            )
        bench.agent.stop(0)
        while bench.agent.connected():
            select.select([bench.agent], [], [])
            bench.agent.receive()
        bench.agent.close()


if __name__ == "__main__":
    main()
