"""How SQLite finds what is asked for: nothing that is done often reads a table from end to end."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from ostinato.model.change import Alert, Delivery, NewRun
from ostinato.model.state import RunState
from ostinato.store import Store, open_store
from tests.contract.leader import MAY_1, Leader, deploy, new_backfill, new_run

GROWING = ("run", "task_instance", "attempt", "event", "event_pack", "output", "rejected", "outbox")


@pytest.fixture
def store() -> Iterator[Store]:
    """A state in memory: on a file SQLite would go about it no otherwise."""
    with closing(open_store(None)) as made:
        yield made


def plan(store: Store, action: Callable[[], object]) -> list[str]:
    """The plans of all statements of an action, one line for each step."""
    connection = store._engine.raw_connection().driver_connection
    assert connection is not None
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    action()
    connection.set_trace_callback(None)
    explained = [text for text in statements if text.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))]
    return [row[3] for text in explained for row in connection.execute(f"EXPLAIN QUERY PLAN {text}")]


def scans(steps: list[str]) -> set[str]:
    """The growing tables that are read from end to end (or to a limit)."""
    read = [step.split()[1] for step in steps if step.startswith("SCAN")]
    aliases = {"r": "run", "t": "task_instance", "a": "attempt", "e": "event", "earlier": "attempt"}
    return {aliases.get(name, name) for name in read} & set(GROWING)


def test_a_commit_touches_rows_by_their_keys(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    leader.dispatch(run.run_id, 0, 1)
    leader.commit()

    def finish() -> None:
        leader.succeed(run.run_id, 0, output=b"\x01")
        leader.fail(run.run_id, 1)
        leader.move_run(run.run_id, RunState.RUNNING, RunState.FAILED)
        leader.change.alerts.append(Alert("key", "trigger", "error", "failed", MAY_1, {}))
        leader.change.deliveries.append(Delivery(1, MAY_1, done=True))
        leader.commit()

    steps = plan(store, finish)
    assert [step for step in steps if step != "SCAN meta"] == [
        "SEARCH run USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH task_instance USING PRIMARY KEY (run_id=? AND task_no=? AND map_index=?)",
        "SEARCH task_instance USING PRIMARY KEY (run_id=? AND task_no=? AND map_index=?)",
        "SEARCH log_segment USING COVERING INDEX sqlite_autoindex_log_segment_1 (name=?)",
        "SEARCH attempt USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH attempt USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH outbox USING INDEX ix_outbox_dedup_key (dedup_key=?)",
        "SEARCH outbox USING INTEGER PRIMARY KEY (rowid=?)",
    ]


OFTEN: dict[str, Callable[[Store, NewRun], object]] = {
    "open work": lambda store, _: store.open_work(),
    "new runs": lambda store, _: store.runs_after(1, 10),
    "the highest attempt": lambda store, _: store.last_attempt(),
    "wishes to cancel": lambda store, _: store.cancel_requests(),
    "a wish to cancel": lambda store, _: store.request_cancel(1, "ada", MAY_1),
    "alerts to deliver": lambda store, _: store.outbox_waiting(10),
    "open deadlines": lambda store, _: store.open_expectations(),
    "outputs": lambda store, _: store.outputs([(1, 1, -1)]),
    "creating a run": lambda store, new: store.create_runs([new]),
    "a run": lambda store, _: store.run(1),
    "a run by its key": lambda store, _: store.find_run("daily", "x"),
    "runs of a dag": lambda store, _: store.runs("daily", before=9),
    "runs of a dag in some states": lambda store, _: store.runs("daily", [RunState.FAILED, RunState.QUEUED]),
    "runs in a state": lambda store, _: store.runs(states=[RunState.FAILED]),
    "runs of a backfill": lambda store, _: store.runs(backfill_id=1),
    "runs by interval": lambda store, _: store.latest_by_interval("daily", 1, 2),
    "runs over an interval": lambda store, _: store.runs_over("daily", 1, 2),
    "successes over an interval": lambda store, _: store.succeeded_over("daily", 1, 2),
    "successes since": lambda store, _: store.succeeded_between("daily", 1, 2),
    "backfills that have open runs": lambda store, _: store.open_backfills(),
    "tasks of a run": lambda store, _: store.tasks(1),
    "attempts of a run": lambda store, _: store.attempts(1),
    "attempts of a task": lambda store, _: store.attempts(1, 2),
    "events": lambda store, _: store.events(1, after=3),
    "dead letters of a run": lambda store, _: store.rejected(run_id=1),
    "a backfill's totals": lambda store, _: store.totals(1),
}


@pytest.mark.parametrize("name", OFTEN)
def test_no_table_that_grows_is_read_whole(store: Store, name: str) -> None:
    version = deploy(store)
    Leader(store).begin(version)
    store.create_backfill(new_backfill(), [new_run(version, 5)])
    steps = plan(store, lambda: OFTEN[name](store, new_run(version, 9)))
    assert steps
    assert scans(steps) == set()


@pytest.mark.parametrize(
    ("listed", "table"),
    [
        (lambda store: store.runs(limit=5), "run"),
        (lambda store: store.alerts(limit=5), "outbox"),
        (lambda store: store.rejected(limit=5), "rejected"),
        (lambda store: store.rejected("daily", limit=5), "rejected"),
    ],
)
def test_a_list_of_the_newest_reads_a_table_from_its_end_and_stops(
    store: Store, listed: Callable[[Store], object], table: str
) -> None:
    deploy(store)
    steps = plan(store, lambda: listed(store))
    assert scans(steps) == {table}
    assert not [step for step in steps if "ORDER BY" in step and table != "run"]


def test_the_newest_runs_of_a_state_come_from_its_index_alone(store: Store) -> None:
    deploy(store)
    steps = plan(store, lambda: store.runs("daily", [RunState.FAILED], limit=5, before=9))
    assert "SEARCH run USING COVERING INDEX ix_run_dag_state (dag_no=? AND state=? AND rowid<?)" in steps


def test_packing_looks_at_what_is_not_packed_and_never_through_what_is(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    leader.move_run(run.run_id, RunState.RUNNING, RunState.SUCCESS)
    leader.commit()
    steps = plan(store, lambda: list(store.pack(2**50)))
    assert {step for step in steps if "event_pack" not in step} == {
        "SEARCH event USING PRIMARY KEY (run_id>?)",
        "CORRELATED SCALAR SUBQUERY 1",
        "SEARCH run USING INTEGER PRIMARY KEY (rowid=?)",
        "SEARCH event USING PRIMARY KEY (run_id=?)",
    }
    assert scans(steps) == set()
