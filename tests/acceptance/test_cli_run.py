"""``ostinato run``, with nothing else there: a real file, a real agent, and what people see of it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ostinato.home import Home
from tests.acceptance.shell import going, on_a_terminal, ostinato, until

HELLO = """
from ostinato import dag, task

@task
def greet(name: str) -> str:
    print("greeting", name)
    return f"hello {name}"

@task
def shout(text: str) -> None:
    print(text.upper())

@dag(params={"name": "world"})
def hello() -> None:
    from ostinato import param
    shout(greet(param("name", str)))
"""
TROUBLE = """
from ostinato import TransientError, context, dag, task

@task
def blink() -> int:
    if context().number == 1:
        raise TransientError("the network blinked")
    return 1

@task
def stumble(number: int) -> None:
    print("about to divide")
    number / 0

@task
def never(nothing: None) -> None: ...

@dag()
def trouble() -> None:
    never(stumble(blink()))
"""
ENDLESS = """
import select
from ostinato import dag, task

@task
def wait() -> None:
    print("waiting", flush=True)
    select.select([], [], [])

@dag()
def endless() -> None:
    wait()
"""


@pytest.fixture
def folder(tmp_path: Path, home: Home) -> Path:
    """A folder with three dag files."""
    del home
    for name, code in (("hello", HELLO), ("trouble", TROUBLE), ("endless", ENDLESS)):
        (tmp_path / f"{name}.py").write_text(code)
    return tmp_path


def test_a_file_is_run_and_what_its_tasks_print_is_seen(folder: Path) -> None:
    said = ostinato("run", "hello.py", "--date", "2025-05-01", cwd=folder)
    assert said.code == 0
    assert "run 1 of hello for 2025-05-01: success" in said.out
    assert "greeting world" in said.err
    assert "HELLO WORLD" in said.err
    assert "next: ostinato show 1" in said.err


def test_a_run_that_was_run_so_can_be_looked_at_afterwards(folder: Path) -> None:
    ostinato("run", "hello.py:hello", "--param", "name=ada", cwd=folder)
    shown = json.loads(ostinato("show", "hello", "--json", cwd=folder).out)
    assert [task["state"] for task in shown["tasks"]] == ["success", "success"]
    assert shown["run"]["params"] == {"name": "ada"}
    assert ostinato("logs", "1", "shout", cwd=folder).out == "HELLO ADA\n"
    assert "run 1 of hello" in ostinato("why", "1", cwd=folder).out
    events = json.loads(ostinato("show", "1", "--events", "--json", cwd=folder).out)["events"]
    assert events[-1]["becomes"] == "success"


def test_a_failed_run_ends_with_one_and_shows_the_users_frames_only(folder: Path) -> None:
    said = ostinato("run", "trouble.py", cwd=folder)
    assert said.code == 1
    assert "transient error TransientError" in said.err
    assert "about to divide" in said.err
    assert "stumble failed on try 1, a logic error" in said.out
    assert f'File "{folder}/trouble.py", line 13, in stumble' in said.out
    assert "ZeroDivisionError" in said.out
    assert "src/ostinato" not in said.out + said.err
    assert "never" in ostinato("why", "trouble@" + _date(said.out) + "/never", cwd=folder).out


def test_a_run_can_be_answered_as_one_document(folder: Path) -> None:
    said = ostinato("run", "trouble.py", "--json", cwd=folder)
    assert said.code == 1
    assert json.loads(said.out)["run"]["state"] == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interrupted_run_is_cancelled_and_leaves_nothing_behind(folder: Path, number: signal.Signals) -> None:
    with going("run", "endless.py", cwd=folder) as run:
        until(lambda: _state(folder) == ["running", "running"])
        with going("dev", cwd=folder) as second:
            second.until("error[OST-305]")
            assert second.end() == 6
        assert run.end(number) == 130
    assert "stopping run 1" in run.text
    assert run.text.splitlines()[-1] == "interrupted"
    assert _state(folder) == ["cancelled", "cancelled"]


def test_output_that_nobody_reads_to_its_end_is_no_trouble(folder: Path) -> None:
    ostinato("run", "hello.py", cwd=folder)
    script = f"{sys.executable} -m ostinato show 1 --json | head -c 1"
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout == "{"
    assert "Traceback" not in done.stderr
    assert "OST-999" not in done.stderr


def _state(folder: Path) -> list[str]:
    """The states of run 1 and its task; nothing as long as it is not there."""
    said = ostinato("show", "1", "--json", cwd=folder)
    if said.code:
        return []
    shown = json.loads(said.out)
    return [shown["run"]["state"], *(task["state"] for task in shown["tasks"])]


def _date(out: str) -> str:
    return out.partition(" for ")[2][:10]


@pytest.mark.parametrize("coloured", [True, False], ids=["coloured", "plain"])
def test_on_a_terminal_the_tasks_are_drawn_as_they_move(
    folder: Path, monkeypatch: pytest.MonkeyPatch, coloured: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if not coloured:
        monkeypatch.setenv("NO_COLOR", "1")
    slow = HELLO.replace('print("greeting", name)', "import select; select.select([], [], [], 0.6)")
    (folder / "hello.py").write_text(slow)
    drawn = on_a_terminal("run", "hello.py", cwd=folder)
    assert "0 of 2 tasks" in drawn
    assert "\x1b[?25l" in drawn  # the cursor is hidden while the picture stands,
    assert drawn.rindex("\x1b[?25h") > drawn.rindex("\x1b[?25l")  # and shown again
    assert ("\x1b[32msuccess" in drawn) == coloured
    assert "HELLO" in drawn[drawn.rindex("\x1b[?25h") :]
