"""A backfill is made whole, reads back as it was asked, and is held, let go on and stopped as one."""

import pytest

from ostinato.model.errors import InvariantBroken, NotFound
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval
from ostinato.store import Store
from tests.contract.leader import DAY, MAY_1, Leader, deploy, new_backfill, new_run


def made(store: Store, days: int = 3) -> int:
    """A backfill of a deployed dag; its id."""
    version = deploy(store)
    found, _ = store.create_backfill(
        new_backfill(days), [new_run(version, day, kind="backfill") for day in range(days)]
    )
    return found.backfill_id


def end_all(store: Store, backfill_id: int, becomes: RunState = RunState.SUCCESS) -> None:
    """End every run of a backfill."""
    leader = Leader(store)
    for run in store.runs(backfill_id=backfill_id, states=[RunState.QUEUED]):
        leader.move_run(run.run_id, RunState.QUEUED, RunState.RUNNING)
        leader.move_run(run.run_id, RunState.RUNNING, becomes)
    leader.commit()


def test_a_backfill_has_the_runs_that_were_free(store: Store) -> None:
    version = deploy(store)
    store.create_runs([new_run(version, 1)])
    wanted = [new_run(version, day, kind="backfill", by="ada") for day in range(3)]
    backfill, created = store.create_backfill(new_backfill(3), wanted)
    assert [run.interval.start for run in created] == [MAY_1, MAY_1 + 2 * DAY]
    assert {run.backfill_id for run in created} == {backfill.backfill_id}
    assert backfill.runs == {"queued": 2}
    assert store.backfill(backfill.backfill_id) == backfill
    assert store.backfills() == store.backfills("daily") == [backfill]
    assert store.runs(backfill_id=backfill.backfill_id) == list(reversed(created))


def test_a_backfill_reads_back_as_it_was_asked(store: Store) -> None:
    deploy(store)
    ranges = (DataInterval(MAY_1, MAY_1 + DAY), DataInterval(MAY_1 + 5 * DAY, MAY_1 + 9 * DAY))
    how = {
        "reprocess": "failed",
        "newest_first": True,
        "batch": 7,
        "cascade": True,
        "max_active_runs": 3,
        "share": 0.25,
    }
    wanted = new_backfill(**how)
    backfill, _ = store.create_backfill(type(wanted)("daily", ranges, b"\x81\xa1a\x01", MAY_1, "ada", **how), [])
    assert (backfill.chosen, backfill.params, backfill.by, backfill.created_at) == (
        ranges,
        b"\x81\xa1a\x01",
        "ada",
        MAY_1,
    )
    assert {name: getattr(backfill, name) for name in how} == how
    assert backfill.state == "running"


@pytest.mark.parametrize("odd", [{"batch": 0}, {"max_active_runs": 0}, {"share": 1.5}, {"share": -0.1}])
def test_a_backfill_that_could_never_work_is_refused(store: Store, odd: dict[str, float]) -> None:
    deploy(store)
    with pytest.raises(InvariantBroken):
        store.create_backfill(new_backfill(**odd), [])
    assert store.backfills() == []


def test_a_backfill_that_cannot_be_made_whole_is_not_made(store: Store) -> None:
    version = deploy(store)
    with pytest.raises(NotFound):
        store.create_backfill(new_backfill(), [new_run(version), new_run("unknown")])
    assert store.backfills() == []
    assert store.runs() == []


def test_a_backfill_of_nothing_is_allowed(store: Store) -> None:
    deploy(store)
    backfill, created = store.create_backfill(new_backfill(), [])
    assert (backfill.runs, created) == ({}, [])
    assert store.open_backfills() == []


def test_a_backfill_is_paused_and_goes_on(store: Store) -> None:
    backfill = made(store)
    seen = [store.backfills_revision()]
    deeds = (store.resume_backfill, store.pause_backfill, store.pause_backfill, store.resume_backfill)
    assert [deed(backfill, "ada", MAY_1) for deed in deeds] == [False, True, False, True]
    assert store.backfill(backfill).state == "running"
    seen.append(store.backfills_revision())
    assert seen[1] - seen[0] == 2


def test_a_scheduler_sees_backfills_that_have_open_runs_and_no_others(store: Store) -> None:
    over, going = made(store), None
    end_all(store, over)
    going, _ = store.create_backfill(new_backfill(9), [new_run(store.dag("daily").version, 8, kind="backfill")])
    store.pause_backfill(going.backfill_id, "ada", MAY_1)
    [seen] = store.open_backfills()
    assert (seen.backfill_id, seen.state, seen.max_active_runs, seen.share) == (going.backfill_id, "paused", 16, 0.1)


@pytest.mark.parametrize("paused", [False, True])
def test_cancelling_asks_every_open_run_and_is_final(store: Store, paused: bool) -> None:
    backfill = made(store)
    if paused:
        store.pause_backfill(backfill, "ada", MAY_1)
    [first, *_] = reversed(store.runs(backfill_id=backfill))
    store.request_cancel(first.run_id, "bob", MAY_1)
    assert store.cancel_backfill(backfill, "ada", MAY_1 + 5) == 2
    assert [by for _, by in store.cancel_requests()] == ["bob", "ada", "ada"]
    assert store.backfill(backfill).state == "cancelled"
    assert (store.cancel_backfill(backfill, "ada", MAY_1 + 6), store.resume_backfill(backfill, "ada", MAY_1)) == (
        0,
        False,
    )


def test_a_backfill_that_is_over_cannot_be_moved(store: Store) -> None:
    backfill = made(store)
    end_all(store, backfill)
    before = store.backfills_revision()
    assert not store.pause_backfill(backfill, "ada", MAY_1)
    assert store.cancel_backfill(backfill, "ada", MAY_1) == 0
    assert (store.backfill(backfill).state, store.backfills_revision()) == ("running", before)


def test_what_is_not_there_cannot_be_moved(store: Store) -> None:
    for deed in (store.pause_backfill, store.resume_backfill, store.cancel_backfill):
        with pytest.raises(NotFound):
            deed(7, "ada", MAY_1)


def test_runs_over_a_stretch_of_time_are_all_that_have_a_part_in_it_oldest_first(store: Store) -> None:
    version = deploy(store)
    store.create_runs([new_run(version, day) for day in (5, 2, 3, 1)])
    long = type(new_run(version))("daily", version, "long", "manual", MAY_1, MAY_1 + 9 * DAY, b"\x80", MAY_1)
    store.create_runs([long])
    found = store.runs_over("daily", MAY_1 + 2 * DAY, MAY_1 + 4 * DAY)
    assert [(run.interval.start - MAY_1) // DAY for run in found] == [2, 3, 0]
    with pytest.raises(NotFound):
        store.runs_over("weekly", 0, 1)
