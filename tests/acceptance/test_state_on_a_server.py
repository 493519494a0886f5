"""The state in PostgreSQL, by what the environment says: commands work as on a file, and its password is nobody's."""

import json
from pathlib import Path

import pytest

from ostinato.home import STATE_VARIABLE, Home
from tests.acceptance.shell import ostinato
from tests.places import put_state_on
from tests.postgres_server import PASSWORD, QUOTED, PostgresServer

SPY = """
import os

from ostinato import dag, task


@task
def spy() -> None:
    assert [name for name, value in os.environ.items() if "postgresql:" in value] == []


@dag()
def spying() -> None:
    spy()
"""


@pytest.fixture
def on_server(home: Home, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Home:
    return put_state_on(postgres_server, home, monkeypatch)


def test_commands_work_on_it_and_tasks_do_not_learn_its_address(on_server: Home, tmp_path: Path) -> None:
    (tmp_path / "spying.py").write_text(SPY)
    said = ostinato("run", "spying.py", cwd=tmp_path)
    assert said.code == 0, said.err
    [run] = json.loads(ostinato("runs", "--json").out)["runs"]
    assert run["state"] == "success"
    assert not on_server.database.exists()


def test_doctor_names_the_database_without_its_password(on_server: Home) -> None:
    said = ostinato("doctor")
    assert said.code == 0
    assert "postgresql://postgres:***@127.0.0.1" in said.out
    assert "is whole" in said.out
    for secret in (PASSWORD, QUOTED):
        assert secret not in said.out + said.err


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("mysql+nothing://x", 2, "OST-308"),
        ("postgresql://somebody:geheim@127.0.0.1:1/state", 7, "OST-301"),
    ],
)
@pytest.mark.parametrize("words", [("runs",), ("pools", "set", "gpu", "2"), ("doctor",)], ids=" ".join)
def test_a_database_that_cannot_be_reached_is_told_without_a_trace(
    home: Home, monkeypatch: pytest.MonkeyPatch, address: str, code: int, says: str, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv(STATE_VARIABLE, address)
    said = ostinato(*words)
    assert said.code == (3 if words == ("doctor",) else code)
    assert says in said.out + said.err
    assert "Traceback" not in said.err
    assert "geheim" not in said.out + said.err
    assert not home.database.exists()
