"""Contract: history that is old enough is forgotten a little at a time, and nothing that is needed goes with it."""

import pytest

from ostinato.model.change import Alert, Delivery, ExpectationMove, RejectedRecords
from ostinato.model.errors import ErrorClass
from ostinato.model.message import DeadLetters
from ostinato.model.state import RunState, TaskState
from ostinato.store import Store

from .leader import DAY, MAY_1, Leader, deploy, everything
from .test_alerts import alert

OLD, NEW = MAY_1 + 1 * DAY, MAY_1 + 100 * DAY
BEFORE = MAY_1 + 50 * DAY


def finished(leader: Leader, version: str, day: int, tasks: int = 3, *, at: int = OLD, fails: bool = False) -> int:
    """A run that ended ``at``, with an output, two tries of its first task, and a dead letter of it."""
    leader.now = at
    run = leader.begin(version, day).run_id
    leader.dispatch(run, 0)
    leader.commit()
    leader.fail(run, 0, ErrorClass.TRANSIENT, TaskState.UP_FOR_RETRY, at)
    leader.commit()
    leader.dispatch(run, 0, was=TaskState.UP_FOR_RETRY)
    leader.dispatch(run, *range(1, tasks))
    leader.commit()
    leader.succeed(run, *range(tasks), output=b"\x01")
    letters = DeadLetters("sales", "date=2013-05-01", "dlq/1.csv", 2, {"type": 2})
    leader.change.rejected.append(RejectedRecords(run, 0, leader.attempts[run, 0], at, letters))
    leader.move_run(run, RunState.RUNNING, RunState.FAILED if fails else RunState.SUCCESS)
    leader.commit()
    return run


def prune(store: Store, before: int = BEFORE) -> int:
    return sum(store.prune(before))


def test_of_an_old_run_only_the_run_stays(store: Store) -> None:
    version = deploy(store)
    run_id = finished(Leader(store), version, 0)
    run = store.run(run_id)
    assert store.prunable(BEFORE) == (1, 3)
    assert prune(store) > 0
    assert store.run(run_id) == run
    assert (store.tasks(run_id), store.attempts(run_id), store.events(run_id), store.rejected()) == ([], [], [], [])
    assert store.output(run_id, 0) is None
    assert store.is_pruned(run_id)
    assert store.prunable(BEFORE) == (0, 0)


def test_what_is_not_old_and_what_goes_on_stays_as_it_is(store: Store) -> None:
    version = deploy(store)
    leader = Leader(store)
    finished(leader, version, 90, at=NEW)
    leader.now = OLD
    still = leader.begin(version, 1)
    leader.dispatch(still.run_id, 0)
    leader.commit()
    before = everything(store)
    prune(store)
    assert everything(store) == before
    assert not store.is_pruned(still.run_id)


def test_pruning_again_finds_nothing(store: Store) -> None:
    version = deploy(store)
    leader = Leader(store)
    for day in range(3):
        finished(leader, version, day)
    assert prune(store) > 0
    assert prune(store) == 0


def test_what_gaps_and_followers_go_by_stays(store: Store) -> None:
    version = deploy(store)
    leader = Leader(store)
    finished(leader, version, 0)
    finished(leader, version, 1, fails=True)
    asked = (
        lambda: store.succeeded_over("daily", MAY_1, NEW),
        lambda: store.latest_by_interval("daily", MAY_1, NEW),
        lambda: store.runs_over("daily", MAY_1, NEW),
        lambda: store.first_interval("daily"),
    )
    before = [ask() for ask in asked]
    prune(store)
    assert [ask() for ask in asked] == before


def test_attempts_get_no_number_twice(store: Store) -> None:
    version = deploy(store)
    leader = Leader(store)
    finished(leader, version, 0)
    last = store.last_attempt()
    prune(store)
    assert store.last_attempt() == last
    again = Leader(store)
    run = again.begin(version, 1)
    assert again.dispatch(run.run_id, 0) == [last + 1]
    again.commit()


@pytest.mark.parametrize("tasks", [199, 200, 201, 650])
def test_a_large_run_goes_in_portions_between_which_all_that_must_hold_holds(store: Store, tasks: int) -> None:
    run_id = finished(Leader(store), deploy(store, tasks=tasks), 0, tasks)
    portions = 0
    for rows in store.prune(BEFORE):
        portions += 1
        assert rows <= 2_500
        assert store.is_pruned(run_id)
        store.check()
    assert portions >= tasks // 200
    assert store.prunable(BEFORE) == (0, 0)


@pytest.mark.parametrize("tasks", [300, 450])
def test_who_was_interrupted_goes_on_with_the_rest(store: Store, tasks: int) -> None:
    version = deploy(store, tasks=tasks)
    leader = Leader(store)
    run_id = finished(leader, version, 0, tasks)
    finished(leader, version, 1, tasks)
    next(store.prune(BEFORE))
    left = len(store.tasks(run_id))
    assert 0 < left < tasks
    assert store.prunable(BEFORE) == (2, left + tasks)
    prune(store)
    assert store.tasks(run_id) == []
    assert store.prunable(BEFORE) == (0, 0)


def test_many_small_runs_share_a_portion(store: Store) -> None:
    version = deploy(store)
    leader = Leader(store)
    for day in range(30):
        finished(leader, version, day)
    assert len(list(store.prune(BEFORE))) <= 3
    assert all(store.is_pruned(run.run_id) for run in store.runs(limit=50))


def test_alerts_go_once_they_are_over(store: Store) -> None:
    leader = Leader(store)
    leader.change.alerts += [alert(action, key, OLD) for key in ("over", "open") for action in ("trigger", "resolve")][
        :3
    ]
    leader.commit()
    leader.change.alerts.append(alert("trigger", "waits", OLD))
    for _ in range(2):
        leader.change.deliveries += [Delivery(each.outbox_id, OLD, done=True) for each in store.outbox_waiting(2)]
        leader.commit()
    prune(store)
    assert sorted(each.dedup_key for each in store.alerts()) == ["open", "waits"]
    leader.change.alerts.append(alert("resolve", "open", NEW))
    leader.commit()
    assert [(each.action, each.dedup_key) for each in store.alerts(1)] == [("resolve", "open")]


def delivered(store: Store, *alerts: Alert) -> Leader:
    """Alerts one after the other, each delivered."""
    leader = Leader(store)
    for each in alerts:
        leader.change.alerts.append(each)
        leader.commit()
        leader.change.deliveries += [Delivery(each.outbox_id, OLD, done=True) for each in store.outbox_waiting(9)]
        leader.commit()
    return leader


def test_nothing_that_is_over_seems_open_though_a_clock_that_was_set_back_says_that_it_began_after_its_end(
    store: Store,
) -> None:
    delivered(store, alert("trigger", "a", NEW), alert("resolve", "a", OLD), alert("trigger", "later", OLD))
    prune(store)
    assert [each.action for each in store.alerts() if each.dedup_key == "a"] == ["resolve", "trigger"]
    prune(store, NEW + 1)
    assert [each.dedup_key for each in store.alerts()] == ["later"]


def test_the_number_of_an_alert_that_is_forgotten_is_not_given_again(store: Store) -> None:
    leader = delivered(store, alert("trigger", "a", OLD), alert("resolve", "a", OLD))
    [newest] = store.alerts(1)
    prune(store)
    leader.change.alerts.append(alert("trigger", "b", NEW))
    leader.commit()
    assert store.alerts(1)[0].outbox_id > newest.outbox_id


def test_deadlines_go_once_they_are_met(store: Store) -> None:
    deploy(store)
    leader = Leader(store)
    for becomes, days in (("expected", (0, 1, 2)), ("met", (0,)), ("missed", (1,))):
        leader.change.expectations += [
            ExpectationMove("daily", MAY_1 + day * DAY, OLD, becomes, OLD)  # pyright: ignore[reportArgumentType]
            for day in days
        ]
        leader.commit()
    before = store.open_expectations()
    assert prune(store) == 1
    assert store.open_expectations() == before


def test_what_people_did_stays(store: Store) -> None:
    finished(Leader(store), deploy(store), 0)
    before = store.audit()
    prune(store)
    assert store.audit() == before
    store.note_pruned("ada", BEFORE, NEW, 1)
    [entry] = store.audit(limit=1)
    assert (entry.who, entry.action) == ("ada", "prune")
    store.verify_audit()
