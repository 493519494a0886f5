"""The HTTP API as people run it: a process of its own, or beside the scheduler, asked by a real client."""

import json
import re
import signal
import socket
from pathlib import Path

import httpx
import pytest

from ostinato.home import STATE_VARIABLE, Home
from tests.acceptance.shell import Going, going, ostinato, until
from tests.postgres_server import PostgresServer

HELLO = """\
from ostinato import dag, task

@task
def count() -> int:
    return 3

@dag()
def hello() -> None:
    count()
"""
TOKEN = "correct horse battery staple"


def address_of(server: Going) -> str:
    server.until("/api/v1/runs")
    found = re.search(r"http://\S+:\d+", server.text)
    assert found is not None
    return found[0]


def ready(address: str) -> int:
    return httpx.get(f"{address}/health/ready").status_code


def test_it_answers_what_the_command_line_answers_until_it_is_stopped(home: Home, tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(HELLO)
    assert ostinato("run", str(tmp_path / "hello.py")).code == 0
    with going("api", "--port", "0") as server:
        address = address_of(server)
        assert httpx.get(f"{address}/health/live").json() == {"status": "live"}
        assert ready(address) == 200
        for path, words in (("runs", ("runs",)), ("runs/1", ("show", "1")), ("dags", ("dags",)), ("pools", ("pools",))):
            assert httpx.get(f"{address}/api/v1/{path}").json() == json.loads(ostinato(*words, "--json").out)
        assert server.end(signal.SIGTERM) == 130
    assert server.text.endswith("interrupted\n")


def test_several_answer_from_one_state_that_is_not_there_yet(home: Home) -> None:
    with going("api", "--port", "0") as one, going("api", "--port", "0", "--host", "::1") as other:
        addresses = [address_of(one), address_of(other)]
        assert [ready(address) for address in addresses] == [200, 200]
        ostinato("pools", "set", "gpu", "2")
        for address in addresses:
            assert {"name": "gpu", "slots": 2, "used": 0} in httpx.get(f"{address}/api/v1/pools").json()["pools"]


def test_while_the_database_is_away_it_is_not_ready_and_then_it_is(home: Home) -> None:
    server = PostgresServer()
    try:
        place = server.new_database()
        server.stop()
        with going("api", "--port", "0", **{STATE_VARIABLE: place}) as api:
            address = address_of(api)
            told = httpx.get(f"{address}/health/ready").json()
            assert (told["status"], told["code"]) == (503, "OST-301")
            assert httpx.get(f"{address}/health/live").status_code == 200
            for _ in range(2):
                server.start()
                until(lambda: ready(address) == 200)
                server.stop()
                assert ready(address) == 503
            server.start()
    finally:
        server.remove()


def test_others_than_this_machine_need_a_token(home: Home) -> None:
    with going("api", "--port", "0", "--host", "0.0.0.0", OSTINATO_API_TOKEN=TOKEN) as server:
        address = address_of(server).replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{address}/api/v1/runs").status_code == 401
        given = {"Authorization": f"Bearer {TOKEN}"}
        assert httpx.get(f"{address}/api/v1/runs", headers=given).json()["runs"] == []
        assert ready(address) == 200
        assert TOKEN not in server.text


@pytest.mark.parametrize(
    ("words", "token", "says"),
    [
        (("--host", "0.0.0.0"), "", "could read everything"),
        (("--host", "0.0.0.0"), "short", "too short"),
        (("--host", "example.com"), "", "is no address"),
        (("--host", "192.0.2.1"), TOKEN, "assign"),
    ],
)
def test_an_address_where_it_cannot_or_must_not_answer_is_refused(
    home: Home, words: tuple[str, ...], token: str, says: str
) -> None:
    with going("api", "--port", "0", *words, OSTINATO_API_TOKEN=token) as server:
        assert server.end() == 3
    assert "error[OST-314]" in server.text
    assert says in server.text
    assert "Traceback" not in server.text


def test_a_state_that_can_never_be_read_is_told_at_once(home: Home, tmp_path: Path) -> None:
    with going("api", "--port", "0", **{STATE_VARIABLE: "ftp://example.com/state"}) as server:
        assert server.end() == 2
    assert "error[OST-308]: there is no way to keep state in ftp" in server.text
    home.database.parent.mkdir(exist_ok=True)
    home.database.write_text("something else")
    said = ostinato("api", "--port", "0")
    assert said.code == 3
    assert "error[OST-304]" in said.err
    assert "Traceback" not in said.err


def test_a_port_that_is_taken_is_told(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = ostinato("api", "--port", str(taken.getsockname()[1]))
    assert said.code == 3
    assert "error[OST-314]: Address already in use" in said.err


def test_up_answers_too_if_it_is_asked_to(home: Home, tmp_path: Path) -> None:
    (tmp_path / "hello.py").write_text(HELLO)
    with going("up", str(tmp_path / "hello.py"), "--api", "0") as up:
        up.until("next: ostinato trigger")
        found = re.search(r"http://\S+", up.text)
        assert found is not None
        assert ready(found[0]) == 200
        assert ostinato("trigger", "hello", "--wait").code == 0
        [run] = httpx.get(f"{found[0]}/api/v1/runs").json()["runs"]
        assert (run["dag_id"], run["state"]) == ("hello", "success")
        assert up.end(signal.SIGINT) == 130
    assert "Traceback" not in up.text
