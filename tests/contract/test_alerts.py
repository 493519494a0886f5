"""Alerts: one open at a time for each key, told in order, each delivered or given up; and deadlines."""

from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostinato.model.change import Alert, Commit, Delivery, ExpectationMove
from ostinato.model.errors import InvariantBroken
from ostinato.model.record import Expectation, Outgoing
from ostinato.store import Store, open_store
from tests.contract.leader import DAY, MAY_1, Leader, deploy

Action = Literal["trigger", "resolve"]


def alert(action: Action, key: str = "daily/1", at: int = MAY_1) -> Alert:
    return Alert(key, action, "error", f"{action} {key}", at, {"dag": "daily", "rows": 3})


def put(store: Store, leader: Leader, *alerts: Alert) -> None:
    store.commit(Commit(alerts=list(alerts)), leader.epoch)


def test_an_alert_waits_from_the_moment_it_is_raised(store: Store) -> None:
    put(store, Leader(store), alert("trigger"))
    [waiting] = store.outbox_waiting(10)
    assert waiting == Outgoing(
        outbox_id=waiting.outbox_id,
        dedup_key="daily/1",
        action="trigger",
        severity="error",
        summary="trigger daily/1",
        at=MAY_1,
        details={"dag": "daily", "rows": 3},
        tries=0,
        next_at=MAY_1,
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["trigger", "resolve"]), st.sampled_from("ab"), st.booleans()), max_size=12))
def test_triggers_and_resolves_of_a_key_alternate(steps: list[tuple[Action, str, bool]]) -> None:
    store = open_store(None)
    leader = Leader(store)
    is_open = {"a": False, "b": False}
    expected: list[tuple[str, str]] = []
    for action, key, deliver in steps:
        put(store, leader, alert(action, key))
        if is_open[key] != (action == "trigger"):
            is_open[key] = action == "trigger"
            expected.append((action, key))
        if deliver:
            done = [Delivery(each.outbox_id, MAY_1, done=True) for each in store.outbox_waiting(10)]
            store.commit(Commit(deliveries=done), leader.epoch)
    assert [(each.action, each.dedup_key) for each in reversed(store.alerts())] == expected
    store.close()


def test_alerts_of_one_commit_are_compared_with_each_other(store: Store) -> None:
    put(store, Leader(store), alert("trigger"), alert("trigger"), alert("resolve"), alert("trigger"))
    assert [each.action for each in store.alerts()] == ["trigger", "resolve", "trigger"]


def test_nothing_overtakes_an_earlier_alert_of_its_key(store: Store) -> None:
    leader = Leader(store)
    put(store, leader, alert("trigger"), alert("resolve"), alert("trigger", "other"))
    first, other = store.outbox_waiting(10)
    assert (first.action, other.dedup_key) == ("trigger", "other")
    later = Delivery(first.outbox_id, MAY_1 + 1, done=False, next_at=MAY_1 + 100, error="503")
    store.commit(Commit(deliveries=[later]), leader.epoch)
    assert [each.outbox_id for each in store.outbox_waiting(10)] == [other.outbox_id, first.outbox_id]
    store.commit(Commit(deliveries=[Delivery(first.outbox_id, MAY_1 + 100, done=True)]), leader.epoch)
    assert [each.action for each in store.outbox_waiting(10)] == ["resolve", "trigger"]


@pytest.mark.parametrize(
    ("delivery", "tries", "next_at", "delivered_at", "error"),
    [
        (Delivery(1, MAY_1 + 5, done=True), 1, None, MAY_1 + 5, ""),
        (Delivery(1, MAY_1 + 5, done=False, next_at=MAY_1 + 9, error="503"), 1, MAY_1 + 9, None, "503"),
        (Delivery(1, MAY_1 + 5, done=False, error="gone"), 1, None, None, "gone"),
    ],
)
def test_what_became_of_a_delivery_is_kept(
    store: Store, delivery: Delivery, tries: int, next_at: int | None, delivered_at: int | None, error: str
) -> None:
    leader = Leader(store)
    put(store, leader, alert("trigger"))
    store.commit(Commit(deliveries=[delivery]), leader.epoch)
    [row] = store.alerts()
    assert (row.tries, row.next_at, row.delivered_at, row.error) == (tries, next_at, delivered_at, error)
    assert len(store.outbox_waiting(10)) == (next_at is not None)


def test_an_alert_is_delivered_once(store: Store) -> None:
    leader = Leader(store)
    put(store, leader, alert("trigger"))
    done = Commit(deliveries=[Delivery(1, MAY_1, done=True)])
    store.commit(done, leader.epoch)
    with pytest.raises(InvariantBroken):
        store.commit(done, leader.epoch)


def expectation(becomes: Literal["expected", "met", "missed"], at: int, day: int = 0) -> ExpectationMove:
    start = MAY_1 + day * DAY
    return ExpectationMove("daily", start, start + DAY + 100, becomes, at)


def test_a_deadline_is_open_until_it_is_met_even_when_it_was_missed(store: Store) -> None:
    deploy(store)
    leader = Leader(store)
    store.commit(Commit(expectations=[expectation("expected", 1, day=n) for n in (1, 0)]), leader.epoch)
    store.commit(Commit(expectations=[expectation("missed", 2), expectation("met", 2, day=1)]), leader.epoch)
    assert store.open_expectations() == [Expectation("daily", MAY_1, MAY_1 + DAY + 100, "missed", 2)]
    store.commit(Commit(expectations=[expectation("met", 3)]), leader.epoch)
    assert store.open_expectations() == []


def test_a_deadline_that_is_met_stays_met_and_one_that_is_there_is_not_expected_again(store: Store) -> None:
    deploy(store)
    leader = Leader(store)
    moves = [expectation("met", 1), expectation("missed", 2), expectation("expected", 3)]
    store.commit(Commit(expectations=moves), leader.epoch)
    assert store.open_expectations() == []
    store.commit(
        Commit(expectations=[expectation("missed", 1, day=1), expectation("expected", 2, day=1)]), leader.epoch
    )
    assert [each.state for each in store.open_expectations()] == ["missed"]


def test_late_success_does_not_move_the_due_time(store: Store) -> None:
    deploy(store)
    leader = Leader(store)
    due = MAY_1 + DAY + 100
    late = ExpectationMove("daily", MAY_1, due + 999, "missed", due)
    store.commit(Commit(expectations=[expectation("expected", 1), late]), leader.epoch)
    assert [each.due_at for each in store.open_expectations()] == [due]
