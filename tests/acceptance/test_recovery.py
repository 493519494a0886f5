"""Real processes, killed for real: what was accepted is done, and takes effect once."""

import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ostinato.home import Home
from ostinato.model.record import Run
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.store import open_store
from tests.acceptance.marks import dag_of, executed
from tests.acceptance.processes import agent_family, kill_all
from tests.acceptance.shell import PATIENCE_S, until
from tests.places import SERVERS, put_state_on

TASKS = 300


@pytest.fixture(params=["sqlite-file", *SERVERS])
def home(request: pytest.FixtureRequest, home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home whose state is a file in it, or on a server."""
    if request.param == "sqlite-file":
        return home
    return put_state_on(request.getfixturevalue(SERVERS[request.param]), home, monkeypatch)


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which each execution leaves its number, and a dag that makes them."""
    path = tmp_path / "marks"
    path.touch()
    monkeypatch.setenv("MARKS", str(path))
    (tmp_path / "marks.py").write_text(dag_of(TASKS, looks=2_000))
    return path


@contextmanager
def dev(marks: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``ostinato dev`` as a process of its own; stopped in order at the end if it still lives."""
    command = [sys.executable, "-m", "ostinato", "dev", str(marks.with_name("marks.py")), "--slots", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE_S)


def trigger() -> None:
    subprocess.run([sys.executable, "-m", "ostinato", "trigger", "marks"], check=True, capture_output=True)


def latest(home: Home) -> Run | None:
    store = open_store(home.state)
    try:
        return next(iter(store.runs(limit=1)), None)
    finally:
        store.close()


def deployed(home: Home) -> bool:
    if home.address is None and not home.database.exists():
        return False
    store = open_store(home.state)
    try:
        return bool(store.dags())
    finally:
        store.close()


def succeeded(home: Home) -> bool:
    run = latest(home)
    return run is not None and run.state is RunState.SUCCESS


def test_r1_when_only_the_scheduler_is_killed_nothing_is_lost_and_nothing_is_repeated(home: Home, marks: Path) -> None:
    with dev(marks) as process:
        until(lambda: deployed(home))
        trigger()
        until(lambda: len(executed(marks)) > TASKS // 4)
        process.kill()
    with dev(marks):
        until(lambda: succeeded(home))
    assert executed(marks) == Counter(range(TASKS))


def test_when_everything_is_killed_only_what_was_running_is_repeated(home: Home, marks: Path) -> None:
    with dev(marks) as process:
        until(lambda: deployed(home))
        trigger()
        until(lambda: len(executed(marks)) > TASKS // 4)
        process.kill()
        kill_all(agent_family(home.path))
    with dev(marks):
        until(lambda: succeeded(home))
    store = open_store(home.state)
    run = store.runs(limit=1)[0]
    attempts = store.attempts(run.run_id)
    tasks = store.tasks(run.run_id)
    store.close()
    assert set(executed(marks)) == set(range(TASKS))
    assert all(task.state is TaskState.SUCCESS for task in tasks)
    successes = Counter(attempt.task_no for attempt in attempts if attempt.state is AttemptState.SUCCESS)
    assert successes == Counter(range(TASKS))
    unfinished = [attempt for attempt in attempts if attempt.state is AttemptState.LOST]
    assert unfinished, "nothing was in flight when everything was killed: the test proves nothing"
    spent = [attempt for attempt in unfinished if attempt.error_class is not None]
    repeated = sum(executed(marks).values()) - TASKS
    assert repeated <= len(spent)


def test_r11_an_interrupt_stops_scheduler_and_agent_and_the_work_goes_on_later(home: Home, marks: Path) -> None:
    with dev(marks) as process:
        until(lambda: deployed(home))
        trigger()
        until(lambda: len(executed(marks)) > TASKS // 4)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 130
        assert b"Traceback" not in (process.stderr.read() if process.stderr else b"")
    assert agent_family(home.path) == []
    assert not succeeded(home)
    with dev(marks):
        until(lambda: succeeded(home))
    store = open_store(home.state)
    attempts = store.attempts(store.runs(limit=1)[0].run_id)
    store.close()
    assert [attempt.error_class for attempt in attempts if attempt.error_class] == []
    assert set(executed(marks)) == set(range(TASKS))


def test_when_the_server_of_the_state_is_gone_for_a_while_nothing_is_lost_and_nothing_is_repeated(
    request: pytest.FixtureRequest, home: Home, marks: Path
) -> None:
    if home.address is None:
        return  # a file is not gone
    server = request.getfixturevalue(next(name for kind, name in SERVERS.items() if kind in request.node.name))
    with dev(marks) as process:
        until(lambda: deployed(home))
        trigger()
        until(lambda: len(executed(marks)) > TASKS // 4)
        server.stop("immediate")
        server.start()
        until(lambda: succeeded(home) or process.poll() is not None)
        assert process.poll() is None, process.stderr and process.stderr.read()
    assert executed(marks) == Counter(range(TASKS))


def test_a_second_scheduler_on_the_same_home_is_refused(home: Home, marks: Path) -> None:
    with dev(marks):
        until(lambda: deployed(home))
        command = [sys.executable, "-m", "ostinato", "dev", str(marks.with_name("marks.py"))]
        second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert second.returncode == 6
    assert "OST-305" in second.stderr
    assert "Traceback" not in second.stderr
