"""Every alert channel against what it really talks to: a stream, a file on disk, an HTTP server on loopback."""

import io
import json
import logging
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis.strategies import text

from ostinato.connectors.channels import ENDPOINT_OVERRIDE, ROUTING_KEY, channels_from_environment
from ostinato.connectors.console import Console
from ostinato.connectors.file import AlertFile
from ostinato.connectors.pagerduty import PagerDuty
from ostinato.home import Home
from ostinato.model.errors import AlertUndeliverable
from ostinato.model.record import Outgoing

KEY = "R0UT1NGKEYR0UT1NGKEYR0UT1NGKEY00"
TRIGGER = Outgoing(
    outbox_id=7,
    dedup_key="ostinato/sales/2025-05-01T00:00:00Z",
    action="trigger",
    severity="error",
    summary="sales for 2025-05-01T00:00:00Z: load failed (ValueError: bad row)",
    at=1_746_172_800_123,
    details={"dag": "sales", "run": 12, "task": "load", "attempts": 1, "next": "ostinato show 12"},
    tries=0,
    next_at=None,
)
RESOLVE = Outgoing(
    outbox_id=8,
    dedup_key=TRIGGER.dedup_key,
    action="resolve",
    severity="info",
    summary="sales for 2025-05-01T00:00:00Z: succeeded",
    at=1_746_176_400_000,
    details={"dag": "sales", "run": 13},
    tries=0,
    next_at=None,
)


class EventsV2(ThreadingHTTPServer):
    """Answers as PagerDuty's Events API v2 does, and keeps what it was sent. ``answer`` overrides its judgement."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: list[dict] = []
        self.requests: list[tuple[str, str | None]] = []
        self.answer: tuple[int, str] | None = None
        self.silent = threading.Event()
        self.released = threading.Event()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v2/enqueue"

    def judge(self, event: dict) -> tuple[int, str]:
        faults = [f"'{name}' is missing or blank" for name in ("routing_key", "event_action") if not event.get(name)]
        if len(event.get("dedup_key", "")) > 255:
            faults.append("'dedup_key' is longer than 255 characters")
        if event.get("event_action") == "trigger":
            payload = event.get("payload", {})
            faults += [
                f"'payload.{name}' is missing or blank" for name in ("summary", "source") if not payload.get(name)
            ]
            if payload.get("severity") not in {"critical", "error", "warning", "info"}:
                faults.append("'payload.severity' is invalid (must be one of the following: 'critical', ...)")
            if len(payload.get("summary", "")) > 1024:
                faults.append("'payload.summary' is longer than 1024 characters")
        if faults:
            return 400, json.dumps({"status": "invalid event", "message": "Event object is invalid", "errors": faults})
        accepted = {"status": "success", "message": "Event processed", "dedup_key": event.get("dedup_key")}
        return 202, json.dumps(accepted)


class _Handler(BaseHTTPRequestHandler):
    server: EventsV2

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.silent.is_set():
            self.server.released.wait()
            return
        event = json.loads(body)
        self.server.requests.append((self.path, self.headers["Content-Type"]))
        self.server.events.append(event)
        status, answer = self.server.answer or self.server.judge(event)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.encode())))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def events_server() -> Iterator[EventsV2]:
    with EventsV2() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield running
        finally:
            running.released.set()
            running.shutdown()
            thread.join()


@pytest.fixture
def server(monkeypatch) -> Iterator[EventsV2]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with events_server() as running:
        yield running


def refusal(channel, alert=TRIGGER) -> AlertUndeliverable:
    with pytest.raises(AlertUndeliverable) as caught:
        channel.deliver(alert)
    return caught.value


# --- PagerDuty ----------------------------------------------------------------------------------------------------


def test_pagerduty_is_sent_exactly_the_event_that_its_api_describes(server):
    PagerDuty(KEY, server.endpoint).deliver(TRIGGER)
    assert server.requests == [("/v2/enqueue", "application/json")]
    assert server.events == [
        {
            "routing_key": KEY,
            "event_action": "trigger",
            "dedup_key": "ostinato/sales/2025-05-01T00:00:00Z",
            "client": "Ostinato",
            "payload": {
                "summary": "sales for 2025-05-01T00:00:00Z: load failed (ValueError: bad row)",
                "source": "sales",
                "severity": "error",
                "timestamp": "2025-05-02T08:00:00.123Z",
                "custom_details": {
                    "dag": "sales",
                    "run": 12,
                    "task": "load",
                    "attempts": 1,
                    "next": "ostinato show 12",
                },
            },
        }
    ]


def test_a_resolve_names_what_it_resolves_and_nothing_else(server):
    PagerDuty(KEY, server.endpoint).deliver(RESOLVE)
    assert server.events == [{"routing_key": KEY, "event_action": "resolve", "dedup_key": TRIGGER.dedup_key}]


def test_a_trigger_delivered_twice_and_its_resolve_share_one_key(server):
    channel = PagerDuty(KEY, server.endpoint)
    for alert in (TRIGGER, TRIGGER, RESOLVE):
        channel.deliver(alert)
    assert {event["dedup_key"] for event in server.events} == {TRIGGER.dedup_key}


def test_what_is_too_long_for_pagerduty_is_cut_and_its_key_stays_its_own(server):
    keys = ["k" * 300 + end for end in ("a", "b")]
    for key in keys:
        PagerDuty(KEY, server.endpoint).deliver(like(TRIGGER, dedup_key=key, summary="s" * 3_000))
        PagerDuty(KEY, server.endpoint).deliver(like(RESOLVE, dedup_key=key))
    sent = [event["dedup_key"] for event in server.events]
    assert sent[0] == sent[1] != sent[2] == sent[3]
    assert {len(key) for key in sent} == {255}


def test_an_alert_about_no_dag_in_particular_comes_from_ostinato(server):
    PagerDuty(KEY, server.endpoint).deliver(like(TRIGGER, details={}))
    assert server.events[0]["payload"]["source"] == "ostinato"


def test_an_invalid_event_is_final_and_the_answer_is_shown(server):
    error = refusal(PagerDuty(KEY, server.endpoint), like(TRIGGER, severity="dire"))
    assert not error.retryable
    assert error.what.startswith("PagerDuty answered 400: ")
    assert "'payload.severity' is invalid" in error.what
    assert error.where == server.endpoint
    assert "OSTINATO_PAGERDUTY_ROUTING_KEY" in error.help


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_answer_that_says_not_now_is_retryable(server, status):
    server.answer = (status, '{"message": "not now"}')
    error = refusal(PagerDuty(KEY, server.endpoint))
    assert error.retryable
    assert error.what == f'PagerDuty answered {status}: {{"message": "not now"}}'


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 413])
def test_any_other_answer_than_accepted_is_final(server, status):
    server.answer = (status, "")
    assert not refusal(PagerDuty(KEY, server.endpoint)).retryable


def test_silence_is_retryable_and_ends_after_a_bounded_wait(server):
    server.silent.set()
    error = refusal(PagerDuty(KEY, server.endpoint, patience_s=0.05))
    assert error.retryable
    assert error.what == "PagerDuty did not answer: ReadTimeout: timed out"


def test_nobody_listening_is_retryable(server):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        error = refusal(PagerDuty(KEY, f"http://127.0.0.1:{taken.getsockname()[1]}/"))
    assert error.retryable
    assert error.what.startswith("PagerDuty did not answer: ConnectError: ")


@pytest.mark.parametrize("endpoint", ["", "events.pagerduty", "gopher://127.0.0.1/", "http://127.0.0.1:no/"])
def test_an_endpoint_that_is_no_web_address_is_final(endpoint):
    error = refusal(PagerDuty(KEY, endpoint))
    assert not error.retryable
    assert "is not a web address" in error.what


@pytest.mark.parametrize("before", [0, 270, 290, 299, 4_090])
def test_the_routing_key_is_masked_wherever_an_error_or_a_log_could_show_it(server, caplog, before):
    server.answer = (400, "x" * before + KEY + " is not a routing key")
    channel = PagerDuty(KEY, f"{server.endpoint}?key={KEY}")
    with caplog.at_level(logging.DEBUG):
        error = refusal(channel)
    shown = f"{error} {error.what} {error.where} {error.__cause__} {channel!r}"
    assert KEY[:8] not in shown
    assert KEY not in caplog.text.replace(f"?key={KEY}", "")  # the query is this test's own doing, not ours


def test_the_routing_key_is_masked_when_the_address_itself_is_refused():
    error = refusal(PagerDuty(KEY, f"gopher://{KEY}/"))
    assert KEY not in f"{error} {error.where}"


# --- the file -----------------------------------------------------------------------------------------------------


def test_the_file_gets_one_whole_line_for_each_alert_in_order(tmp_path):
    path = tmp_path / "alerts.jsonl"
    for alert in (TRIGGER, RESOLVE):
        AlertFile(path).deliver(alert)
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {
            "at": "2025-05-02T08:00:00.123Z",
            "action": "trigger",
            "severity": "error",
            "summary": TRIGGER.summary,
            "dedup_key": TRIGGER.dedup_key,
            "details": TRIGGER.details,
        },
        {
            "at": "2025-05-02T09:00:00Z",
            "action": "resolve",
            "severity": "info",
            "summary": RESOLVE.summary,
            "dedup_key": RESOLVE.dedup_key,
            "details": RESOLVE.details,
        },
    ]


@settings(deadline=None)
@given(text())
def test_whatever_an_error_quotes_stays_on_one_line_and_comes_back(summary):
    with TemporaryDirectory() as folder:
        AlertFile(Path(folder, "alerts.jsonl")).deliver(like(TRIGGER, summary=summary))
        (line,) = Path(folder, "alerts.jsonl").read_text().splitlines()
    assert json.loads(line)["summary"] == summary


def test_the_file_is_its_owners_only(tmp_path):
    AlertFile(tmp_path / "alerts.jsonl").deliver(TRIGGER)
    assert (tmp_path / "alerts.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_gone_is_retryable_and_named(tmp_path):
    path = tmp_path / "gone" / "alerts.jsonl"
    error = refusal(AlertFile(path))
    assert error.retryable
    assert error.where == str(path)
    assert error.what == "the alert file cannot be written: No such file or directory"


def test_a_line_that_does_not_fit_leaves_no_half_of_itself(tmp_path):
    path = tmp_path / "alerts.jsonl"
    AlertFile(path).deliver(RESOLVE)
    before = path.read_bytes()
    with largest_file(len(before) + 10):
        error = refusal(AlertFile(path))
    assert error.retryable
    assert path.read_bytes() == before
    AlertFile(path).deliver(TRIGGER)
    assert [json.loads(line)["action"] for line in path.read_text().splitlines()] == ["resolve", "trigger"]


# --- the console --------------------------------------------------------------------------------------------------


def test_the_console_says_what_happened_and_what_to_do():
    stream = io.StringIO()
    Console(stream).deliver(TRIGGER)
    Console(stream).deliver(RESOLVE)
    assert stream.getvalue() == (
        "ALERT error: sales for 2025-05-01T00:00:00Z: load failed (ValueError: bad row)\n"
        "  next: ostinato show 12\n"
        "RESOLVED: sales for 2025-05-01T00:00:00Z: succeeded\n"
    )


def test_the_console_is_standard_error(capsys):
    Console().deliver(RESOLVE)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "RESOLVED: sales for 2025-05-01T00:00:00Z: succeeded\n")


@settings(deadline=None)
@given(text(min_size=1))
def test_nothing_that_an_error_quotes_can_command_the_terminal(summary):
    stream = io.StringIO()
    Console(stream).deliver(like(TRIGGER, summary=summary, details={"next": summary}))
    first, second, rest = stream.getvalue().split("\n")
    assert first.isprintable()
    assert second.isprintable()
    assert rest == ""


def test_a_closed_console_is_retryable():
    stream = io.StringIO()
    stream.close()
    assert refusal(Console(stream)).retryable


# --- which there are ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("unset", [None, "", "  "])
def test_without_a_routing_key_alerts_go_to_the_homes_file_and_the_console(tmp_path, monkeypatch, capsys, unset):
    monkeypatch.delenv(ROUTING_KEY, raising=False)
    if unset is not None:
        monkeypatch.setenv(ROUTING_KEY, unset)
    for channel in channels_from_environment(Home(tmp_path)):
        channel.deliver(TRIGGER)
    assert json.loads(Home(tmp_path).alerts.read_text())["summary"] == TRIGGER.summary
    assert TRIGGER.summary in capsys.readouterr().err


def test_with_a_routing_key_they_go_to_pagerduty_and_the_console(tmp_path, monkeypatch, capsys, server):
    monkeypatch.setenv(ROUTING_KEY, f"{KEY}\n")
    monkeypatch.setenv(ENDPOINT_OVERRIDE, server.endpoint)
    for channel in channels_from_environment(Home(tmp_path)):
        channel.deliver(TRIGGER)
    assert [event["routing_key"] for event in server.events] == [KEY]
    assert TRIGGER.summary in capsys.readouterr().err
    assert not Home(tmp_path).alerts.exists()


def test_without_an_endpoint_of_ones_own_it_is_pagerdutys(tmp_path, monkeypatch):
    monkeypatch.setenv(ROUTING_KEY, KEY)
    monkeypatch.delenv(ENDPOINT_OVERRIDE, raising=False)
    assert vars(channels_from_environment(Home(tmp_path))[0])["_endpoint"] == "https://events.pagerduty.com/v2/enqueue"


def like(alert: Outgoing, **changes: object) -> Outgoing:
    """An alert with some fields changed."""
    return Outgoing(**{name: getattr(alert, name) for name in alert.__struct_fields__} | changes)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """While it lasts, this process cannot let a file grow beyond ``size`` bytes: a full disk, for one file."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
