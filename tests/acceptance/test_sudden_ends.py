"""Kill -9 at every place where something becomes durable or leaves the process: nothing is lost, nothing counts twice.

Each case is a process that ends itself at one place (`tests.acceptance.mortal`), and one that is started in its stead,
as a supervisor would. ``--campaign`` runs every place on every database; without it each runs on one of them.
"""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

from ostinato.home import Home
from ostinato.model.state import FINAL_RUN, AttemptState, RunState, TaskState
from ostinato.store import Store, open_store
from tests.acceptance.marks import dag_of, executed
from tests.acceptance.shell import PATIENCE_S, going, ostinato, until
from tests.places import SERVERS, put_state_on

ROOT = Path(__file__).parents[2]
TASKS = 24

STORE = "ostinato.store.store:Store"
LOCAL = "ostinato.executors.local:LocalAgent"
SCHEDULER = (
    (f"{STORE}.put_dags", 1),
    (f"{STORE}.take_lead", 1),
    ("ostinato.store.lease:Lease.take", 1),
    (f"{STORE}.commit", 1),
    (f"{STORE}.commit", 2),
    (f"{STORE}.commit", 3),
    (f"{STORE}.commit", 5),
    ("ostinato.store.commit:Writer._apply", 1),
    ("ostinato.store.commit:Writer._apply", 2),
    ("ostinato.store.commit:Writer._apply", 4),
    ("ostinato.control.sources:SourceShelf.ensure", 1),
    (f"{LOCAL}.receive", 2),
    (f"{LOCAL}.receive", 4),
    (f"{LOCAL}.send", 1),
    (f"{LOCAL}.send", 2),
    (f"{LOCAL}.send", 4),
    ("ostinato.connectors.file:AlertFile.deliver", 1),
    ("ostinato.control.outbox:ThreadedCourier.reports", 4),
)
AGENT = (
    ("ostinato.agent.journal:Journal.begin", 1),
    ("ostinato.agent.journal:Journal.begin", 2),
    ("ostinato.agent.journal:Journal.forget", 1),
    ("ostinato.agent.ledger:Ledger.launch", 1),
    ("ostinato.agent.ledger:Ledger.launch", 2),
    ("ostinato.agent.ledger:Ledger.reported", 1),
    ("ostinato.agent.ledger:Ledger.reported", 9),
    ("ostinato.agent.ledger:Ledger.acknowledge", 1),
    ("ostinato.agent.nursery:Nursery.tell", 1),
    ("ostinato.executors.link:Link.send", 1),
    ("ostinato.executors.link:Link.send", 3),
    ("ostinato.agent.segment:Segments.take", 1),
)
DATABASES = ("sqlite-file", *sorted(SERVERS))
ONLY_ON = {"ostinato.store.lease:Lease.take": SERVERS.keys(), f"{STORE}.take_lead": {"sqlite-file"}}


class Place(NamedTuple):
    """Where a process ends, of which kind it is, and what its state is in."""

    who: str
    method: str
    nth: int
    when: str
    database: str

    def __str__(self) -> str:
        return f"{self.who}-{self.method.rpartition(':')[2]}-{self.nth}-{self.when}-{self.database}"


def every_place() -> list[list[Place]]:
    """All cases, by what is interrupted."""
    methods = [("scheduler", *method) for method in SCHEDULER] + [("agent", *method) for method in AGENT]
    return [
        [
            Place(who, method, nth, when, database)
            for when in ("before", "after")
            for database in DATABASES
            if database in ONLY_ON.get(method, DATABASES)
        ]
        for who, method, nth in methods
    ]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Everything, or of each method one case: in turn before it on the first database, and after it on another."""
    whole = metafunc.config.getoption("campaign")
    places = [places if whole else [places[-(n % len(DATABASES))]] for n, places in enumerate(every_place())]
    metafunc.parametrize("place", list(chain.from_iterable(places)), ids=str)


def test_nothing_is_lost_and_nothing_counts_twice(
    request: pytest.FixtureRequest, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place
) -> None:
    if place.database in SERVERS:
        home = put_state_on(request.getfixturevalue(SERVERS[place.database]), home, monkeypatch)
    (tmp_path / "marks").touch()
    (tmp_path / "marks.py").write_text(dag_of(TASKS, looks=1, goes_wrong=True))
    monkeypatch.setenv("MARKS", str(tmp_path / "marks"))
    words = {"agent": ("agent", "--slots", "2"), "scheduler": ("scheduler", str(tmp_path / "marks.py"))}
    with ExitStack() as stack:
        store = stack.enter_context(closing(open_store(home.state)))
        mortal = stack.enter_context(mortal_process(place, words[place.who]))
        [stack.enter_context(going(*words[who])) for who in words if who != place.who]
        until(lambda: mortal.poll() is not None or bool(store.dags()))
        if store.dags():
            assert ostinato("trigger", "marks").code == 0
        assert mortal.wait(PATIENCE_S) == -signal.SIGKILL, "it never came to that place"
        stack.enter_context(going(*words[place.who]))
        until(lambda: bool(store.dags()))
        if not store.runs():
            assert ostinato("trigger", "marks").code == 0
        until(lambda: store.runs()[0].state in FINAL_RUN and told(store))
        holds(store, home, executed(tmp_path / "marks"), place)


@contextmanager
def mortal_process(place: Place, words: Sequence[str]) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that will end itself; at the latest when the test does."""
    trap = [sys.executable, "-m", "tests.acceptance.mortal", f"{place.method}:{place.when}", str(place.nth), *words]
    with subprocess.Popen(trap, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield process
        process.kill()


def told(store: Store) -> bool:
    """Whether every alert was delivered, and there was one."""
    alerts = store.alerts(limit=10)
    return bool(alerts) and all(alert.delivered_at is not None for alert in alerts)


def holds(store: Store, home: Home, marks: Counter[int], place: Place) -> None:
    """The promises."""
    store.check()
    [run] = store.runs()
    tasks, attempts = store.tasks(run.run_id), store.attempts(run.run_id)
    assert run.state is RunState.FAILED
    assert Counter(task.state for task in tasks) == {TaskState.SUCCESS: TASKS, TaskState.FAILED: 1}
    succeeded = Counter(row.task_no for row in attempts if row.state is AttemptState.SUCCESS)
    assert succeeded == Counter(range(TASKS))
    assert set(marks) == set(range(TASKS))
    lost = [row for row in attempts if row.state is AttemptState.LOST and row.error_class is not None]
    assert marks.total() - TASKS <= len(lost)
    if place.who == "scheduler":
        assert lost == []
    keys = [json.loads(line)["dedup_key"] for line in home.alerts.read_text().splitlines()]
    assert len(set(keys)) == 1
    assert len(keys) <= 2, "told again, for nobody can know whether it was heard, but not more often"
