"""The ledger of a rehearsal keeps what the store would keep, and refuses what the store would refuse."""

import pytest

from ostinato.model.change import Alert, AttemptMove, CancelRequest, Commit, NewAttempt, NewRun, RunMove, TaskMove
from ostinato.model.errors import InvariantBroken
from ostinato.model.state import AttemptState, RunState, TaskState
from ostinato.testing.ledger import Ledger

NEW = NewRun("sales", "v", "2024-01-31", "manual", 1_000, 2_000, b"\x80", 3_000)


def ledger() -> Ledger:
    """One with a queued run, and an attempt of its first task that is queued too."""
    made = Ledger()
    made.apply(Commit(new_runs=[NEW]))
    made.apply(
        Commit(
            tasks=[TaskMove(1, 0, TaskState.NONE, TaskState.QUEUED, 3_000, 1)],
            new_attempts=[NewAttempt(1, 1, 0, 1, "a", 3_000)],
        )
    )
    return made


def test_there_is_one_run_for_each_key() -> None:
    made = Ledger()
    assert [run.run_id for run in made.apply(Commit(new_runs=[NEW, NEW]))] == [1]
    assert made.apply(Commit(new_runs=[NEW])) == []


@pytest.mark.parametrize(
    "commit",
    [
        Commit(runs=[RunMove(1, RunState.RUNNING, RunState.SUCCESS, 0)]),
        Commit(tasks=[TaskMove(1, 0, TaskState.NONE, TaskState.QUEUED, 0)]),
        Commit(tasks=[TaskMove(1, 1, TaskState.QUEUED, TaskState.RUNNING, 0)]),
        Commit(attempts=[AttemptMove(1, AttemptState.RUNNING, AttemptState.SUCCESS)]),
    ],
)
def test_a_move_from_another_state_than_there_is_is_refused(commit: Commit) -> None:
    with pytest.raises(InvariantBroken, match="is moved from"):
        ledger().apply(commit)


def test_an_interval_has_succeeded_once_a_run_of_it_has() -> None:
    made = ledger()
    made.apply(Commit(runs=[RunMove(1, RunState.QUEUED, RunState.RUNNING, 4_000)]))
    assert not made.succeeded_over("sales", 1_000, 1_001)
    made.apply(Commit(runs=[RunMove(1, RunState.RUNNING, RunState.SUCCESS, 5_000)]))
    assert made.succeeded_over("sales", 1_000, 1_001) == [made.accounts[1].run.interval]
    assert made.succeeded_between("sales", 4_999, 5_000) == [made.accounts[1].run.interval]
    assert made.succeeded_between("sales", 5_000, 9_000) == []
    run = made.accounts[1].run
    assert (run.started_at, run.finished_at) == (4_000, 5_000)


def test_the_first_who_wants_a_run_to_stop_counts() -> None:
    made = ledger()
    made.apply(Commit(cancel_requests=[CancelRequest(1, "ann", 4_000), CancelRequest(1, "bob", 5_000)]))
    assert made.accounts[1].run.cancel_requested_at == 4_000


def test_of_one_key_alerts_are_opened_and_resolved_in_turn() -> None:
    def alert(action: str) -> Alert:
        return Alert("key", action, "error", "", 0, {})

    made = Ledger()
    made.apply(Commit(alerts=[alert(action) for action in ("resolve", "trigger", "trigger", "resolve", "resolve")]))
    assert [each.action for each in made.alerts] == ["trigger", "resolve"]
