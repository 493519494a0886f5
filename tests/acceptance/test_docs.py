"""Every block of code in the documentation does what its page says."""

import doctest
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.markdown import Block, Command, blocks, commands

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SHOWN = {"text", "mermaid", "json", "csv"}
"""What is not code but what code reads, writes or draws."""

SERVERS_NAMES = {"db.example.com": "postgres_server", "maria.example.com": "mariadb_server"}
"""What a page calls the servers of its reader; here they are ours."""

NOT_RUN = {
    "git clone": "the reader puts in where this repository is",
    "python3 do test": "it is what runs this test",
    "python3 do check": "it is part of what runs this test",
    "python3 do bench": "it measures, for minutes",
    "python3 do docs": "another test compares what it would write",
    "python3 do lock": "it asks the package index for newer versions",
    "python3 do demo": "it runs for a minute, and other tests run the demonstration",
    "pip install": "it asks the package index",
}
"""Commands by how they begin, with why they are not run here."""

ANSWERS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
END = "\036"
PATIENCE_S = 300.0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_a_page_shows_is_what_happens(request: pytest.FixtureRequest, page: Path, tmp_path: Path) -> None:
    (tmp_path / "do").symlink_to(ROOT / "do")
    names = [name for name in SERVERS_NAMES if name in page.read_text()]
    servers = {name: request.getfixturevalue(SERVERS_NAMES[name]) for name in names}
    for block in blocks(page):
        for name, server in servers.items():
            block = replace(block, text=block.text.replace(name, f"127.0.0.1:{server.port}"))  # noqa: PLW2901
        where = f"{page.relative_to(ROOT)}:{block.line}"
        if block.title:
            place = tmp_path / block.title
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.text)
        if block.language == "console":
            answers(block, tmp_path, where)
        elif block.language == "python" and not block.title:
            runs(block, tmp_path, where)
        elif block.language == "sql" and servers:
            [server] = servers.values()
            for statement in block.text.rstrip("\n;").split(";\n"):
                server.execute(statement)
        elif block.language == "json":
            json.loads(block.text)
        else:
            assert block.title or block.language in SHOWN, (
                f"{where}: `{block.language}` is nothing that is run or shown"
            )


def runs(block: Block, folder: Path, where: str) -> None:
    """A block of Python runs as a program of its own."""
    code, said = ended([sys.executable, "-c", block.text], folder, where)
    assert code == 0, f"{where}:\n{said}"


def answers(block: Block, folder: Path, where: str) -> None:
    """Each command of a console block ends well, unless the next asks for its code, and answers what the page says."""
    wanted = [command for command in commands(block) if not command.text.startswith(tuple(NOT_RUN))]
    script = "\n".join(f"{one.text}\ncode=$?; printf '{END}%s{END}' $code; (exit $code)" for one in wanted)
    _, everything = ended(["bash", "-c", script], folder, where)
    said = everything.split(END)
    assert len(said) == 2 * len(wanted) + 1, f"{where}: the shell ended early:\n{everything}"
    for command, following, answer, code in zip(wanted, [*wanted[1:], None], said[::2], said[1::2], strict=False):
        asked = following is not None and following.text == "echo $?"
        assert code == "0" or asked, f"{where}: `{command.text}` ended with {code}:\n{answer}"
        assert fits(command, answer), f"{where}: `{command.text}` answered:\n{answer}\nand not:\n{command.answer}"


def ended(command: list[str], folder: Path, where: str) -> tuple[int, str]:
    """The exit code of a command and all it said. One that does not end is ended, with all that it started."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=surroundings(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail(f"{where}: it did not end:\n{process.communicate()[0]}")
    return process.returncode, said


def fits(command: Command, answer: str) -> bool:
    """Whether an answer is what the page shows; what it shows nothing of may be anything, ``...`` stands for any text."""
    return not command.answer.strip() or doctest.OutputChecker().check_output(command.answer, answer, ANSWERS)


def surroundings() -> dict[str, str]:
    """A reader's environment: the installed commands first, an ordinary terminal's width, no settings of ours."""
    kept = {
        name: value for name, value in os.environ.items() if name != "OSTINATO_HOME" and not name.startswith("COV_")
    }
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return kept | {"PATH": path, "COLUMNS": "120", "PYTHONFAULTHANDLER": "1"}  # should one crash, it says where


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_shows_is_used_by_a_command_on_it(page: Path) -> None:
    typed = " ".join(block.text for block in blocks(page) if block.language == "console")
    assert [block.title for block in blocks(page) if block.title.endswith(".py") and block.title not in typed] == []
