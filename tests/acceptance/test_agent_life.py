"""The agent outlives its scheduler, recovers from what kills its processes, and leaves a true account when it dies."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ostinato.home import Home
from ostinato.model.message import Stop
from tests.acceptance.agent_rig import PATIENCE_S, Rig, alive, descendants, wait_for_end

TASKS = """
@task
def hello() -> int:
    return os.getpid()

@task
def waits() -> None:
    print(os.getpid())
    signal.pause()

@task
def waits_with_a_child() -> None:
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    print(os.getpid(), child.pid)
    signal.pause()

@task
def waits_for_a_word() -> str:
    fifo = Path(__file__).with_name("fifo")
    return fifo.read_text()

@task
def says_a_word() -> None:
    Path(__file__).with_name("fifo").write_text("word")

@task
def kills_the_zygote() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()

@task
def leaves_a_mark() -> None:
    with Path(__file__).with_name("marks").open("a") as file:
        file.write(f"{context().attempt}\\n")
"""


@pytest.fixture
def rig(home: Home) -> Iterator[Rig]:
    rig = Rig(home)
    rig.code(TASKS)
    yield rig
    assert rig.perform("hello").verdict == "success"
    rig.stop()


def zygote(rig: Rig) -> int:
    """The process id of the zygote."""
    return next(pid for pid, name in descendants(rig.hello.pid).items() if name == "ostinato-zygote")


def marks(rig: Rig) -> list[int]:
    """The attempts that have left a mark, in the order in which they ran."""
    return [int(line) for line in (rig.home.path / "marks").read_text().split()]


def test_an_agent_says_who_it_is_and_what_it_can_hold(rig: Rig) -> None:
    assert rig.hello.slots == 2
    assert rig.hello.window == 2 * 128
    assert (rig.hello.holds, rig.hello.predecessors) == ((), ())
    assert os.getsid(rig.hello.pid) != os.getsid(0)
    assert os.getsid(rig.hello.pid) == os.getpgid(rig.hello.pid)


def test_results_that_nobody_acknowledged_come_again_and_are_not_performed_again(rig: Rig) -> None:
    rig.acknowledging = False
    attempts = [rig.launch("leaves_a_mark") for _ in range(5)]
    for attempt in attempts:
        rig.result(attempt)
    rig.acknowledge(*attempts[:2])
    rig.arrived.clear()
    hello = rig.reconnect()
    assert sorted(hello.holds) == attempts[2:]
    for attempt in attempts[2:]:
        rig.result(attempt)
    assert sorted(finished.attempt for finished in rig.arrived) == attempts[2:]
    rig.acknowledge(*attempts[2:])
    assert rig.reconnect().holds == ()
    assert sorted(marks(rig)) == attempts
    rig.acknowledging = True


def test_r2_a_launch_that_comes_twice_is_performed_once_and_answered_twice(rig: Rig) -> None:
    rig.acknowledging = False
    assignments = [rig.assignment("leaves_a_mark") for _ in range(20)]
    attempts = rig.launch_all(assignments)
    rig.launch_all(assignments)
    for attempt in attempts:
        rig.result(attempt)
    rig.arrived.clear()
    rig.launch_all(assignments)
    for attempt in attempts:
        assert rig.result(attempt).verdict == "success"
    assert sorted(marks(rig)) == attempts
    rig.acknowledge(*attempts)
    rig.acknowledging = True


def test_what_runs_goes_on_without_a_scheduler_and_its_end_is_told_to_the_next(rig: Rig) -> None:
    os.mkfifo(rig.home.path / "fifo")
    attempt = rig.launch("waits_for_a_word")
    rig.wait_until_running(attempt)
    rig.hang_up()
    (rig.home.path / "fifo").write_text("word")
    before = rig.hello
    hello = rig.come_back()
    assert (hello.agent, hello.pid, hello.holds) == (before.agent, before.pid, (attempt,))
    finished = rig.result(attempt)
    assert (finished.verdict, finished.output) == ("success", b"\xa4word")


def test_a_start_is_told_again_to_who_connects_later(rig: Rig) -> None:
    attempt = rig.launch("waits")
    first = rig.wait_until_running(attempt)
    rig.started.clear()
    rig.reconnect()
    assert rig.wait_until_running(attempt) == first
    rig.cancel(attempt)
    rig.result(attempt)


def test_short_tasks_are_not_said_to_have_started(rig: Rig) -> None:
    for _ in range(20):
        rig.perform("hello")
    assert rig.started == []


@pytest.mark.parametrize("isolation", ["reuse", "process"])
def test_a_zygote_that_is_killed_is_replaced_and_what_ran_is_lost(rig: Rig, isolation: str) -> None:
    attempt = rig.launch("waits_with_a_child", isolation=isolation)
    pid, child = map(int, rig.printed(rig.wait_until_running(attempt)).split())
    os.kill(zygote(rig), signal.SIGKILL)
    finished = rig.result(attempt)
    assert finished.failure is not None
    assert finished.failure.how == "lost"
    assert not alive(pid)
    assert not alive(child)
    assert rig.perform("hello").verdict == "success"


def test_a_task_that_kills_the_zygote_loses_itself_and_no_more(rig: Rig) -> None:
    attempts = [rig.launch("kills_the_zygote"), *[rig.launch("leaves_a_mark") for _ in range(10)]]
    lost = rig.result(attempts[0]).failure
    assert lost is not None
    assert lost.how == "lost"
    for attempt in attempts[1:]:
        assert rig.result(attempt).verdict == "success" or rig.result(attempt).failure is not None
    ran = marks(rig)
    assert len(set(ran)) == len(ran)


def test_when_the_agent_is_killed_all_that_it_ran_dies_with_it(rig: Rig) -> None:
    attempt = rig.launch("waits_with_a_child")
    pids = list(map(int, rig.printed(rig.wait_until_running(attempt)).split()))
    family = [*descendants(rig.hello.pid), *pids]
    os.kill(rig.hello.pid, signal.SIGKILL)
    rig.wait_for_successor()
    assert [pid for pid in family if alive(pid)] == []


def test_a_successor_knows_which_attempts_of_the_dead_had_begun(rig: Rig) -> None:
    rig.acknowledging = False
    done = rig.launch("hello")
    unacknowledged = rig.launch("hello")
    rig.result(done)
    rig.result(unacknowledged)
    rig.acknowledge(done)
    running = [rig.launch("waits"), rig.launch("waits")]
    for attempt in running:
        rig.wait_until_running(attempt)
    waiting = [rig.launch("hello") for _ in range(10)]
    assert set(rig.reconnect().holds) == {unacknowledged, *running, *waiting}
    dead = rig.hello.agent
    os.kill(rig.hello.pid, signal.SIGKILL)
    hello = rig.wait_for_successor()
    assert hello.holds == ()
    assert hello.predecessors == ((dead, (unacknowledged, *running)),)
    rig.acknowledging = True


def test_the_dead_are_spoken_of_until_a_scheduler_that_heard_it_has_spoken(rig: Rig) -> None:
    dead = [rig.hello.agent]
    os.kill(rig.hello.pid, signal.SIGKILL)
    dead.append(rig.wait_for_successor().agent)
    os.kill(rig.hello.pid, signal.SIGKILL)
    hello = rig.wait_for_successor()
    assert [name for name, _ in hello.predecessors] == dead
    assert [name for name, _ in rig.reconnect().predecessors] == dead
    rig.perform("hello")
    assert rig.reconnect().predecessors == ()


def test_of_a_life_before_a_reboot_nothing_is_said(rig: Rig) -> None:
    rig.acknowledging = False
    rig.perform("hello")
    journal = rig.home.agent / f"{rig.hello.agent}.journal"
    os.kill(rig.hello.pid, signal.SIGKILL)
    wait_for_end(rig.hello.pid)
    with journal.open("r+b") as file:
        file.write(b"another boot")
    assert rig.wait_for_successor().predecessors == ()
    rig.acknowledging = True


def test_stopping_gives_what_runs_a_grace_and_interrupts_the_rest(home: Home) -> None:
    rig = Rig(home)
    rig.code(TASKS)
    os.mkfifo(home.path / "fifo")
    soon, never = rig.launch("waits_for_a_word"), rig.launch("waits")
    rig.wait_until_running(soon)
    rig.wait_until_running(never)
    waiting = [rig.launch("hello") for _ in range(3)]
    rig.send(Stop(grace=PATIENCE_S))
    assert [rig.result(attempt).verdict for attempt in waiting] == ["interrupted"] * 3
    (home.path / "fifo").write_text("in time")
    assert rig.result(soon).verdict == "success"
    assert rig.results(never) == []
    rig.stop(grace=0.1)
    assert rig.result(never).verdict == "interrupted"
    wait_for_end(rig.hello.pid)


def test_sigterm_stops_an_idle_agent_at_once(home: Home) -> None:
    rig = Rig(home)
    os.kill(rig.hello.pid, signal.SIGTERM)
    wait_for_end(rig.hello.pid)
    rig.hang_up()
    assert not home.agent_socket.exists()


def test_an_idle_agent_that_nobody_needs_goes_by_itself(home: Home) -> None:
    command = [sys.executable, "-m", "ostinato.agent", "--home", str(home.path), "--slots", "1", "--linger", "0.2"]
    assert subprocess.run(command, timeout=PATIENCE_S, check=False).returncode == 0


def test_an_agent_keeps_results_that_nobody_has_taken_for_as_long_as_its_home_is_there(home: Home) -> None:
    read, write = os.pipe()
    command = [sys.executable, "-m", "ostinato.agent", "--home", str(home.path), "--slots", "1", "--linger", "0.2"]
    agent = subprocess.Popen([*command, "--announce", str(write)], pass_fds=[write])
    os.close(write)
    assert os.read(read, 100) == b"ready"
    os.close(read)
    agent.wait()
    rig = Rig(home)
    rig.code(TASKS)
    rig.acknowledging = False
    rig.perform("hello")
    rig.hang_up()
    watched = os.pidfd_open(rig.hello.pid)
    assert select.select([watched], [], [], 1.0)[0] == []
    home.agent_socket.unlink()
    assert select.select([watched], [], [], PATIENCE_S)[0] == [watched]
    os.close(watched)


def test_a_second_agent_for_a_home_leaves_it_to_the_first(rig: Rig) -> None:
    command = [sys.executable, "-m", "ostinato.agent", "--home", str(rig.home.path), "--slots", "1"]
    assert subprocess.run(command, timeout=PATIENCE_S, check=False).returncode == 0
    assert rig.perform("hello").verdict == "success"


def test_an_agent_that_cannot_begin_says_why(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    command = [sys.executable, "-m", "ostinato.agent", "--home", str(tmp_path / "home"), "--slots", "1"]
    ended = subprocess.run(command, timeout=PATIENCE_S, check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr.startswith("OST-306: the state folder cannot be made")


def test_an_agent_with_nothing_to_do_does_not_even_wake(rig: Rig) -> None:
    rig.perform("hello")
    rig.reconnect()
    select.select([], [], [], 0.3)
    family = [rig.hello.pid, *descendants(rig.hello.pid)]
    before = [switches(pid) for pid in family]
    select.select([], [], [], 1.0)
    assert [switches(pid) for pid in family] == before


def switches(pid: int) -> str:
    """How often a process has gone to sleep of its own will."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(line for line in status.splitlines() if line.startswith("voluntary_ctxt_switches"))


def test_a_call_and_a_result_of_a_megabyte_go_through(rig: Rig) -> None:
    rig.code(TASKS + "\n@task\ndef echo() -> str:\n    return context().params['text']\n")
    text = "x" * 1_000_000
    assert rig.value("echo", params={"text": text}) == text
    attempts = rig.launch_all([rig.assignment("echo", params={"text": text}) for _ in range(20)])
    assert {rig.result(attempt).verdict for attempt in attempts} == {"success"}


def test_a_scheduler_that_does_not_read_blocks_nobody(rig: Rig) -> None:
    rig.code(TASKS + "\n@task\ndef large() -> str:\n    return 'x' * 1_000_000\n")
    os.mkfifo(rig.home.path / "fifo")
    attempts = [*rig.launch_all([rig.assignment("large") for _ in range(30)]), rig.launch("says_a_word")]
    assert (rig.home.path / "fifo").read_text() == "word"  # until then nobody reads the socket
    for attempt in attempts:
        assert rig.result(attempt).verdict == "success"
