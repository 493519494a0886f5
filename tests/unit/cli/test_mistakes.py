"""Scripted mistakes of users: each ends with a coded error that says what to do, never with a trace of ours."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from ostinato.home import Home
from ostinato.model.record import Run
from tests.unit.cli.planting import Answer, Planter

Command = Callable[..., Answer]
Story = dict[str, Run]


class Mistake(NamedTuple):
    """Words that somebody types, the exit code, and something that the error says."""

    words: tuple[str, ...]
    code: int
    says: str


def typed(line: str, code: int, says: str) -> Mistake:
    """A mistake from a line as it is typed."""
    return Mistake(tuple(line.split()), code, says)


WRONG_WORDS = [
    typed("rnus", 2, "Did you mean runs?"),
    typed("--frobnicate", 2, 'there is no command "--frobnicate"'),
    typed("runs --sate failed", 2, "--state"),
    typed("runs --state finished", 2, 'there is no state "finished"'),
    typed("runs --state sucess", 2, "Did you mean success?"),
    typed("runs --limit many", 2, "--limit"),
    typed("runs --limit 0", 2, "--limit"),
    typed("runs sales extra", 2, "extra"),
    typed("runs slaes", 4, "sales"),
    typed("show", 2, "RUN"),
    typed("show 99", 4, "there is no run 99"),
    typed("show slaes", 4, "sales"),
    typed("show sales@2025-13-01", 2, "no day of the calendar"),
    typed("show sales@yesterday", 2, "is not a date"),
    typed("show sales@2024-01-01", 4, "there is no run sales@2024-01-01"),
    typed("show 99999999999999999999999", 4, "there is no run"),
    typed("logs 1 laod", 4, "Did you mean load?"),
    typed("logs 1 load --attempt 7", 4, "So far there were 2"),
    typed("logs 1 --follow --json", 2, "do not go together"),
    typed("trigger slaes", 4, "sales"),
    typed("trigger sales --date 01.05.2025", 2, "Write it as 2013-05-01"),
    typed("trigger sales --date 2025-05-01T09:30", 2, "no interval of the schedule starts"),
    typed("trigger sales --param region", 2, "is not NAME=VALUE"),
    typed("trigger sales --param regoin=eu", 2, "region"),
    typed("trigger sales --param limit=ten", 2, "integer"),
    typed("trigger sales --param limit=1 --param limit=2", 2, "given twice"),
    typed("cancel sales", 4, "names no run"),
    typed("cancel 1", 6, "run 1 is over"),
    typed("backfill sales", 2, "--from"),
    typed("backfill sales --from 2025-05-31 --to 2025-05-01", 2, "Exchange the two"),
    typed("backfill sales --from 2025-02-30 --to 2025-05-01", 2, "no day of the calendar"),
    typed("backfill sales --from 2025-05-01 --to 2025-05-02 --reprocess everything", 2, "missing, failed, all"),
    typed("backfill sales --from 2025-05-01 --to 2025-05-02 --reprocess fialed", 2, "Did you mean failed?"),
    typed("backfill sales --from 0001-01-01 --to 9999-12-31", 2, "too far away"),
    typed("backfill sales --from 2025-05-01", 2, "--intervals"),
    typed("backfill sales --from 2025-05-01 --to 2025-05-02 --intervals 2025-05-03", 2, "which dates?"),
    typed("backfill sales --intervals ,", 2, "2025-01-03,2025-01-07"),
    typed("backfill sales --intervals 2025-05-01,yesterday", 2, "is not a date"),
    typed("backfill sales --intervals 2025-05-01T09:30", 2, "no interval of the schedule starts at"),
    typed("backfill sales --from 2025-05-01 --to 2025-05-02 --batch 0", 2, "batch"),
    typed("backfill sales --from 2025-05-01 --to 2025-05-02 --share 2", 2, "share"),
    typed("backfill pause 7", 4, "there is no backfill 7"),
    typed("backfill resume 7", 4, "there is no backfill 7"),
    typed("gaps slaes", 4, "sales"),
    typed("gaps sales --from tomorrow", 2, "is not a date"),
    typed("backfill show 7", 4, "there is no backfill 7"),
    typed("backfill cancel seven", 2, "ID"),
    typed("dlq show sale 2025-05-01", 4, "sales"),
    typed("dlq show sales 2025-05-09", 4, "2025-05-01"),
    typed("dags pause slaes", 4, "sales"),
    typed("dags puase sales", 2, "puase"),
    typed("check nowhere.py", 4, "there is no file nowhere.py"),
    typed("check notes.txt", 2, "is no dag file"),
    typed("run nowhere.py", 4, "there is no file nowhere.py"),
    typed("run .", 2, "is a folder"),
    typed("run two.py", 2, "two.py:first"),
    typed("run two.py:frist", 4, "Did you mean first?"),
    typed("run empty.py", 4, "defines no dag"),
    typed("dev nowhere", 4, "there is no file nowhere"),
    typed("why slaes", 4, "sales"),
    typed("why 1/laod", 4, "Did you mean load?"),
]

TWO = """
from ostinato import dag, task

@task
def work() -> None: ...

@dag()
def first() -> None:
    work()

@dag()
def second() -> None:
    work()
"""


@pytest.mark.parametrize("mistake", WRONG_WORDS, ids=lambda mistake: " ".join(mistake.words))
def test_wrong_words_get_a_coded_answer(ostinato: Command, story: Story, tmp_path: Path, mistake: Mistake) -> None:
    (tmp_path / "notes.txt").write_text("buy milk")
    (tmp_path / "two.py").write_text(TWO)
    (tmp_path / "empty.py").write_text("import ostinato\n")
    answer = ostinato(*mistake.words)
    assert answer.code == mistake.code, answer.err
    explained(answer)
    assert mistake.says in answer.err
    assert answer.out == "" or answer.json["schema"] == "error/1"


BROKEN_FILES = {
    "a word that is no Python": "def broken(:\n",
    "tabs and spaces": "if True:\n\tx = 1\n        y = 2\n",
    "a module that is not there": "import pandass\n",
    "an error while importing": "raise RuntimeError('no')\n",
    "a name that is not defined": "print(undefined_name)\n",
    "an exit while importing": "import sys\nsys.exit(3)\n",
    "a hard end while importing": "import os\nos._exit(9)\n",
    "a cron of six fields": "from ostinato import *\n@task\ndef t() -> None: ...\n@dag(schedule=cron('1 2 3 4 5 6'))\ndef d() -> None:\n    t()\n",
    "an unknown time zone": "from ostinato import *\n@task\ndef t() -> None: ...\n@dag(schedule=cron('0 6 * * *', tz='Europe/Berlni'))\ndef d() -> None:\n    t()\n",
    "a dag without tasks": "from ostinato import *\n@dag()\ndef d() -> None: ...\n",
    "the same task twice": "from ostinato import *\n@task\ndef t() -> None: ...\n@dag()\ndef d() -> None:\n    t()\n    t()\n",
    "an unknown template": "from ostinato import *\n@task\ndef t(x: str) -> None: ...\n@dag()\ndef d() -> None:\n    t('{{ logical_dat }}')\n",
    "an unknown parameter": "from ostinato import *\n@task\ndef t(x: str) -> None: ...\n@dag()\ndef d() -> None:\n    t(param('regoin'))\n",
    "no text": "\x00\x01",
}


@pytest.mark.parametrize("code", BROKEN_FILES.values(), ids=BROKEN_FILES)
@pytest.mark.parametrize("command", ["check", "run"])
def test_broken_dag_files_get_a_coded_answer_with_the_place(
    ostinato: Command, tmp_path: Path, command: str, code: str
) -> None:
    (tmp_path / "broken.py").write_text(code)
    answer = ostinato(command, "broken.py")
    assert answer.code == 3, answer.err
    said = answer.out + answer.err
    assert "error[OST-1" in said
    assert "--> broken.py" in said
    no_trace(said)


def test_a_file_that_is_not_utf8_gets_a_coded_answer(ostinato: Command, tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes("# Stra\xdfe\nimport ostinato\n".encode("latin-1"))
    answer = ostinato("check", "latin.py")
    assert answer.code == 3
    assert "error[OST-1" in answer.out


def test_a_problem_is_drawn_with_its_line_and_a_mark_under_the_spot(ostinato: Command, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("x = 1\nimport pandass\n")
    answer = ostinato("check", "broken.py")
    assert "--> broken.py:2" in answer.out
    assert "2 | import pandass" in answer.out


@pytest.mark.parametrize("words", [("runs",), ("show", "1"), ("dags",), ("trigger", "sales"), ("backfill", "ls")])
def test_reading_where_nothing_ever_ran_says_how_to_begin(ostinato: Command, words: tuple[str, ...]) -> None:
    answer = ostinato(*words)
    assert answer.code == 4
    assert "there is no state here yet" in answer.err
    explained(answer)


EVERYTHING = [("runs",), ("dags", "pause", "sales"), ("trigger", "sales"), ("run", "two.py:first"), ("dev", "two.py")]


@pytest.mark.parametrize("words", EVERYTHING, ids=" ".join)
def test_a_home_that_is_a_file_is_named(
    ostinato: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    (tmp_path / "two.py").write_text(TWO)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OSTINATO_HOME", str(tmp_path / "file"))
    answer = ostinato(*words)
    assert answer.code == 3
    assert "error[OST-306]" in answer.err
    assert str(tmp_path / "file") in answer.err
    explained(answer)


@pytest.mark.parametrize("words", [("run", "two.py:first"), ("dev", "two.py")], ids=" ".join)
def test_a_home_that_cannot_be_made_is_named(
    ostinato: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    (tmp_path / "two.py").write_text(TWO)
    monkeypatch.setenv("OSTINATO_HOME", "/proc/nowhere/home")
    answer = ostinato(*words)
    assert answer.code == 3
    assert "error[OST-306]" in answer.err
    explained(answer)


@pytest.mark.parametrize("words", EVERYTHING, ids=" ".join)
def test_a_damaged_database_is_named(
    ostinato: Command, story: Story, plant: Planter, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "two.py").write_text(TWO)
    plant.damage()
    answer = ostinato(*words)
    assert answer.code == 3
    assert "error[OST-304]" in answer.err
    explained(answer)


@pytest.mark.parametrize("words", EVERYTHING, ids=" ".join)
def test_a_database_from_the_future_is_named(
    ostinato: Command, story: Story, home: Home, tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "two.py").write_text(TWO)
    with closing(sqlite3.connect(home.database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from the future'")
    answer = ostinato(*words)
    assert answer.code == 3
    assert "error[OST-303]" in answer.err
    explained(answer)


def test_dead_letters_that_were_deleted_are_named(ostinato: Command, story: Story, home: Home) -> None:
    (home.path / "dlq" / "errors.json").unlink()
    answer = ostinato("dlq", "show", "sales", "2025-05-01")
    assert answer.code == 4
    assert "errors.json" in answer.err
    explained(answer)


def test_dead_letters_that_were_edited_are_named_with_their_line(ostinato: Command, story: Story, home: Home) -> None:
    with (home.path / "dlq" / "errors.json").open("r+") as file:
        file.write("[]")
    answer = ostinato("dlq", "show", "sales", "2025-05-01")
    assert answer.code == 3
    assert "errors.json:1" in answer.err
    explained(answer)


def explained(answer: Answer) -> None:
    """The error has a code and says what to do or where, without a trace."""
    assert "error[OST-" in answer.err
    assert "OST-999" not in answer.err
    assert "help: " in answer.err or "  --> " in answer.err
    no_trace(answer.out + answer.err)


def no_trace(text: str) -> None:
    """No frames of ours are shown."""
    assert "Traceback" not in text
    assert "site-packages" not in text
    assert "src/ostinato" not in text
