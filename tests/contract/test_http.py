"""Contract: over HTTP one reads what the commands answer, page by page, on whichever database the state is in."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from starlette.applications import Starlette

from ostinato.api.application import application
from ostinato.api.openapi import described
from ostinato.api.reads import READS
from ostinato.model.errors import ErrorClass, StoreUnavailable
from ostinato.model.state import TaskState
from ostinato.store import Store, open_store
from ostinato.view.listing import dags_document, runs_document
from ostinato.view.story import story_of

from .leader import Leader, deploy
from .test_alerts import alert
from .test_packs import BEFORE, ended

DESCRIPTION = described("1.2.3")


class Client:
    """Asks an application without a network between."""

    def __init__(self, app: Starlette, base: str = "http://localhost") -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._base = base

    def request(self, method: str, path: str, headers: dict[str, Any] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url=self._base) as client:
                return await client.request(method, path, headers=headers)

        return anyio.run(ask)

    def get(self, path: str, headers: dict[str, Any] | None = None) -> httpx.Response:
        return self.request("GET", path, headers)


@pytest.fixture
def store(shared: Path | str) -> Iterator[Store]:
    """A state in which something has happened: three runs that are over, one that goes on, an alert."""
    with closing(open_store(shared)) as made:
        version, leader = deploy(made), Leader(made)
        for day in range(3):
            ended(leader, version, day, 30)
        run = leader.begin(version, 5)
        leader.dispatch(run.run_id, 0)
        leader.commit()
        leader.fail(run.run_id, 0, ErrorClass.TRANSIENT, TaskState.UP_FOR_RETRY, leader.now)
        leader.change.alerts.append(alert("trigger", "key", leader.now))
        leader.commit()
        yield made


@pytest.fixture
def client(store: Store) -> Client:
    return Client(application(lambda: store, None, "1.2.3"))


def asked(client: Client, path: str, status: int = 200) -> Any:
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


def as_json(document: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(document))


def test_answers_are_the_documents_of_the_commands(store: Store, client: Client) -> None:
    assert asked(client, "/api/v1/dags") == as_json(dags_document(store, retired=False))
    assert asked(client, "/api/v1/runs") == as_json(runs_document(store, None, None, None, 30, None))
    assert asked(client, "/api/v1/runs/4") == as_json(story_of(store, store.run(4), events=False))
    assert asked(client, "/api/v1/pools")["pools"] == [{"name": "default", "slots": 1_024, "used": 0}]
    assert [each["dedup_key"] for each in asked(client, "/api/v1/alerts")["alerts"]] == ["key"]


def test_every_answer_is_as_the_description_says(client: Client) -> None:
    schemas = {"components": DESCRIPTION["components"]}
    for read in READS:
        body = asked(client, read.path.replace("{run_id}", "4"))
        content = DESCRIPTION["paths"][read.path]["get"]["responses"]["200"]["content"]
        Draft202012Validator({**schemas, **content["application/json"]["schema"]}).validate(body)
    told = asked(client, "/api/v1/runs/99", 404)
    Draft202012Validator({**schemas, "$ref": "#/components/schemas/Problem"}).validate(told)
    assert asked(client, "/api/v1/openapi.json") == as_json(DESCRIPTION)


def test_what_the_description_says_can_be_asked_is_what_can_be_asked() -> None:
    for read in READS:
        parameters = DESCRIPTION["paths"][read.path]["get"]["parameters"]
        assert [each["name"] for each in parameters] == list(read.query.__struct_fields__)
        assert all(
            each["required"] == (each["in"] == "path") == (f"{{{each['name']}}}" in read.path) for each in parameters
        )
    assert not {name for name in DESCRIPTION["components"]["schemas"] if name.endswith("Query")}


def test_runs_are_chosen_and_turned_page_by_page(client: Client) -> None:
    def ids(query: str) -> tuple[list[int], int | None]:
        found = asked(client, f"/api/v1/runs?{query}")
        return [run["run_id"] for run in found["runs"]], found["more"]

    assert ids("limit=2") == ([4, 3], 3)
    assert ids("limit=2&before=3") == ([2, 1], None)
    assert ids("dag=daily&state=running") == ([4], None)
    assert ids("state=running&state=success&limit=3") == ([4, 3, 2], 2)
    assert ids("state=failed") == ([], None)
    assert ids("backfill=7") == ([], None)


@pytest.mark.parametrize("packed", [False, True])
def test_a_story_is_turned_page_by_page_whether_it_is_packed_or_not(store: Store, client: Client, packed: bool) -> None:
    if packed:
        assert sum(store.pack(BEFORE)) == 90
    seen: list[int] = []
    after: int | None = -1
    while after is not None:
        page = asked(client, f"/api/v1/runs/1/events?after={after}&limit=7")
        seen += [event["seq"] for event in page["events"]]
        after = page["more"]
    assert seen == list(range(30))


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/api/v1/runs?limit=0", 400, ">= 1"),
        ("/api/v1/runs?limit=1001", 400, "<= 1000"),
        ("/api/v1/runs?limit=ten", 400, "limit"),
        ("/api/v1/runs?state=gone", 400, "gone"),
        ("/api/v1/runs?stat=failed", 400, "unknown field `stat`"),
        ("/api/v1/runs?limit=1&limit=2", 400, "more than once"),
        ("/api/v1/runs/4/events?run_id=3", 400, "more than once"),
        ("/api/v1/runs/nine", 400, "run_id"),
        ("/api/v1/runs/99999999999999999999", 400, "run_id"),
        ("/api/v1/runs/99", 404, "there is no run 99"),
        ("/api/v1/runs?dag=dayly", 404, "dayly"),
        ("/api/v2/runs", 404, "not answered here"),
    ],
)
def test_who_asks_wrongly_is_told_how(client: Client, path: str, status: int, says: str) -> None:
    answer = client.get(path)
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, told["status"]) == (status, status)
    assert says in told["detail"]
    assert told["code"] in {"OST-401", "OST-406"}


def test_nothing_can_be_changed(client: Client) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert client.request(method, "/api/v1/runs").status_code == 405


def test_a_page_of_another_site_cannot_read_along(client: Client) -> None:
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", ""):
        assert client.get("/api/v1/runs", headers={"Host": host}).status_code == 400
    for host in ("localhost:8470", "127.0.0.1", "[::1]:8470", "LOCALHOST"):
        assert client.get("/api/v1/runs", headers={"Host": host}).status_code == 200


def test_with_a_token_only_who_has_it_reads_whatever_the_server_is_called(store: Store) -> None:
    client = Client(application(lambda: store, "correct horse bättery", "1"), "http://ostinato.example")
    for given in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "correct horse battery"}):
        answer = client.get("/api/v1/runs", headers=given)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert "correct" not in answer.text
    assert client.get("/api/v1/openapi.json").status_code == 401
    assert (
        client.get("/api/v1/runs", headers={"Authorization": "Bearer correct horse bättery".encode()}).status_code
        == 200
    )
    assert client.get("/health/ready").status_code == 200


def test_every_answer_says_that_it_is_not_kept_and_no_page(client: Client) -> None:
    for path in ("/api/v1/runs", "/api/v1/runs/99", "/health/live", "/nowhere"):
        headers = client.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")


def test_while_the_state_cannot_be_read_it_lives_and_is_not_ready() -> None:
    def away() -> Store:
        raise StoreUnavailable("the server does not answer", where="postgresql://db1")

    client = Client(application(away, None, "1"))
    assert client.get("/health/live").json() == {"status": "live"}
    for path in ("/health/ready", "/api/v1/runs"):
        answer = client.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert (answer.json()["code"], answer.json()["where"]) == ("OST-301", "postgresql://db1")


def test_of_what_nobody_thought_of_only_the_kind_is_told() -> None:
    def broken() -> Store:
        raise RuntimeError("a secret")

    client = Client(application(broken, None, "1"))
    answer = client.get("/api/v1/runs")
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (500, "OST-999", "RuntimeError")
    assert "secret" not in answer.text
