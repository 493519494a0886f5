"""The agent by itself: it waits for schedulers, works for each that comes, and ends in order."""

import signal
from pathlib import Path

from ostinato.home import Home, agent_alive
from tests.acceptance.shell import going, ostinato, until

DAG = """
from ostinato import dag, task


@task
def hello() -> None:
    print("hello")


@dag()
def greeting() -> None:
    hello()
"""


def test_it_works_for_one_scheduler_after_another_and_ends_when_asked(home: Home, tmp_path: Path) -> None:
    (tmp_path / "greeting.py").write_text(DAG)
    with going("agent", "--slots", "1") as agent:
        agent.until("stop with Ctrl-C")
        until(home.agent_socket.exists)
        one = agent_alive(home)
        for _ in range(2):
            with going("scheduler", str(tmp_path / "greeting.py")) as scheduler:
                scheduler.until("ostinato trigger")
                assert ostinato("trigger", "greeting", "--wait").code == 0
                assert scheduler.end(signal.SIGTERM) == 130
            assert agent_alive(home) == one
        assert agent.end(signal.SIGTERM) == 130
    assert agent_alive(home) is None


def test_a_scheduler_that_is_there_first_finds_the_agent_that_comes_later(home: Home, tmp_path: Path) -> None:
    (tmp_path / "greeting.py").write_text(DAG)
    with going("scheduler", str(tmp_path / "greeting.py")) as scheduler:
        scheduler.until("ostinato trigger")
        assert ostinato("trigger", "greeting").code == 0
        assert "W-102" in ostinato("why", "1").out
        assert agent_alive(home) is None
        with going("agent", "--slots", "1"):
            scheduler.until("success")


def test_a_second_agent_is_refused(home: Home) -> None:
    with going("agent", "--slots", "1"):
        until(lambda: agent_alive(home) is not None)
        second = ostinato("agent")
    assert (second.code, "OST-402" in second.err, "Traceback" in second.err) == (6, True, False)


def test_a_second_scheduler_on_a_file_is_refused(home: Home, tmp_path: Path) -> None:
    (tmp_path / "greeting.py").write_text(DAG)
    assert home.path.exists()
    with going("up", str(tmp_path), "--slots", "1") as first:
        first.until("ostinato trigger")
        second = ostinato("up", str(tmp_path))
    assert (second.code, "OST-305" in second.err) == (6, True)
