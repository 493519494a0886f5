"""Several schedulers, one database: when the one that leads is gone, another takes over, and nothing happens twice."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from ostinato.home import STATE_VARIABLE, Home
from ostinato.model.state import RunState
from ostinato.store import Store, open_store
from tests.acceptance.cable import Cable
from tests.acceptance.marks import dag_of, executed
from tests.acceptance.processes import agent_family, kill_all
from tests.acceptance.shell import Going, going, ostinato, until
from tests.places import Server, put_state_on

TASKS = 300


class Site:
    """A database, a dag that leaves a mark for each execution of a task, and schedulers that know it."""

    def __init__(self, folder: Path, store: Store, stack: ExitStack) -> None:
        self.store = store
        self._marks = folder / "marks"
        self._dags = str(folder / "marks.py")
        self._stack = stack

    def scheduler(self, command: str = "scheduler", **environment: str) -> Going:
        """Another scheduler."""
        words = [command, self._dags, *(("--slots", "2") if command == "up" else ())]
        return self._stack.enter_context(going(*words, **environment))

    def leads(self, one: Going) -> None:
        """Wait until it is seen to lead."""
        until(lambda: (self.store.leader() or "").endswith(f":{one.process.pid}"))

    def begin(self) -> None:
        """Ask for a run, and wait until a part of it is done."""
        until(lambda: bool(self.store.dags()))
        assert ostinato("trigger", "marks").code == 0
        self.goes_on()

    def goes_on(self) -> None:
        """Wait until more has been executed than now."""
        now = len(self.executed())
        until(lambda: len(self.executed()) > now + TASKS // 10)

    def executed(self) -> Counter[int]:
        return executed(self._marks)

    def succeeds(self) -> None:
        """Wait until the run has succeeded."""
        until(lambda: self.store.runs()[0].state is RunState.SUCCESS)
        self.store.check()


@contextmanager
def site(folder: Path, address: str) -> Iterator[Site]:
    (folder / "marks").touch()
    (folder / "marks.py").write_text(dag_of(TASKS, looks=4_000))
    with ExitStack() as stack:
        store = open_store(address)
        stack.callback(store.close)
        yield Site(folder, store, stack)


@pytest.fixture
def here(home: Home, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Schedulers and an agent, each a process of its own, that share a home on this machine."""
    address = put_state_on(server, home, monkeypatch).state
    monkeypatch.setenv("MARKS", str(tmp_path / "marks"))
    with going("agent", "--slots", "2"), site(tmp_path, str(address)) as made:
        yield made


ALL_ONCE = Counter(range(TASKS))


def test_when_the_leader_is_killed_another_one_goes_on_with_what_the_agent_has(here: Site) -> None:
    first = here.scheduler()
    here.leads(first)
    second = here.scheduler()
    second.until(f":{first.process.pid} leads; standing by")
    here.begin()
    first.process.kill()
    here.leads(second)
    here.succeeds()
    assert here.executed() == ALL_ONCE


def test_when_the_leader_is_stopped_in_order_another_one_goes_on_with_what_the_agent_has(here: Site) -> None:
    first = here.scheduler()
    here.leads(first)
    second = here.scheduler()
    second.until("standing by")
    here.begin()
    assert first.end(signal.SIGTERM) == 130
    here.leads(second)
    here.succeeds()
    assert here.executed() == ALL_ONCE


def test_when_the_leader_hangs_another_one_takes_over_and_it_stands_by_when_it_goes_on(here: Site) -> None:
    first = here.scheduler()
    here.leads(first)
    second = here.scheduler()
    second.until("standing by")
    here.begin()
    first.process.send_signal(signal.SIGSTOP)
    here.leads(second)
    here.goes_on()
    first.process.send_signal(signal.SIGCONT)
    said = first.until(f":{second.process.pid} leads; standing by")
    assert "the lead was taken by" in said
    here.succeeds()
    assert here.executed() == ALL_ONCE
    assert second.process.poll() is None
    assert first.process.poll() is None


@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_when_the_leader_loses_its_database_another_one_takes_over_and_it_stands_by_when_it_has_it_again(
    here: Site, server: Server, how: str
) -> None:
    cable = Cable(server.port)
    by_cable = here.store._engine.url.set(port=cable.port).render_as_string(hide_password=False)
    first = here.scheduler(**{STATE_VARIABLE: by_cable})
    here.leads(first)
    second = here.scheduler()
    second.until("standing by")
    here.begin()
    getattr(cable, how)()
    here.leads(second)
    here.goes_on()
    cable.mend()
    first.until(f":{second.process.pid} leads; standing by")
    here.succeeds()
    assert here.executed() == ALL_ONCE
    first.process.kill()
    cable.close()


def test_when_a_whole_machine_is_gone_another_one_does_again_only_what_was_running_there(
    here: Site, tmp_path: Path
) -> None:
    there = Home(tmp_path / "there")
    first = here.scheduler("up", OSTINATO_HOME=str(there.path))
    here.leads(first)
    second = here.scheduler("up", OSTINATO_HOME=str(tmp_path / "elsewhere"))
    second.until("standing by")
    here.begin()
    first.process.kill()
    kill_all(agent_family(there.path))
    here.succeeds()
    executed = here.executed()
    assert set(executed) == set(ALL_ONCE)
    spent = [row for row in here.store.attempts(here.store.runs()[0].run_id) if row.error_class is not None]
    assert 0 < sum(executed.values()) - TASKS + 1 <= len(spent) + 1


GATED = """
import os
from pathlib import Path

from ostinato import dag, retry, task

MARKS, GATE = Path(os.environ["MARKS"]), Path(os.environ["GATE"])


def say(word: str) -> None:
    with MARKS.open("a") as file:
        file.write(f"{word} {os.getpid()}\\n")


@task(retry=retry(resource=20, first_delay="10ms"))
def wait(number: int) -> None:
    say("begins")
    while not GATE.exists():
        pass
    say("ends")


@dag()
def gated() -> None:
    for n in range(2):
        wait.named(f"wait_{n}")(n)
"""


def pids(marks: Path, word: str) -> list[int]:
    return [int(line.split()[1]) for line in marks.read_text().splitlines() if line.startswith(word)]


def test_r10_when_a_machine_was_only_suspended_its_tasks_are_told_no_and_stop(
    home: Home, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = put_state_on(server, home, monkeypatch).state
    marks, gate = tmp_path / "marks", tmp_path / "gate"
    marks.touch()
    (tmp_path / "gated.py").write_text(GATED)
    monkeypatch.setenv("MARKS", str(marks))
    monkeypatch.setenv("GATE", str(gate))
    with (
        closing(open_store(address)) as store,
        going("up", str(tmp_path / "gated.py"), "--slots", "2", OSTINATO_HOME=str(home.path)) as first,
        going("up", str(tmp_path / "gated.py"), "--slots", "2", OSTINATO_HOME=str(tmp_path / "other")) as second,
    ):
        either = {first.process.pid: (first, second), second.process.pid: (second, first)}
        until(lambda: store.leader() is not None and bool(store.dags()))
        leads, stands_by = either[int((store.leader() or "").rpartition(":")[2])]
        its_home = home.path if leads is first else tmp_path / "other"
        assert ostinato("trigger", "gated").code == 0
        until(lambda: len(pids(marks, "begins")) == 2)
        suspended = [leads.process.pid, *agent_family(its_home)]
        zombies = pids(marks, "begins")
        kill_all(suspended, signal.SIGSTOP)
        until(lambda: len(pids(marks, "begins")) == 4)
        kill_all(suspended, signal.SIGCONT)
        leads.until(f":{stands_by.process.pid} leads; standing by")
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in zombies))
        gate.touch()
        until(lambda: store.runs()[0].state is RunState.SUCCESS)
        assert sorted(pids(marks, "ends")) == sorted(pids(marks, "begins")[2:])
        store.check()
        assert leads.end(signal.SIGINT) == 130
        assert agent_family(its_home) == [], "who stands by and is stopped takes its agent along"
