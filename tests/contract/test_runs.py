"""One run for each key, and lists that show the newest first."""

from pathlib import Path
from threading import Barrier, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostinato.model.cause import Cause
from ostinato.model.change import Commit, RunMove
from ostinato.model.errors import NotFound
from ostinato.model.record import Run
from ostinato.model.state import FINAL_RUN, RunState
from ostinato.model.time import DataInterval
from ostinato.store import Store, open_store
from tests.contract.leader import DAY, MAY_1, NO_PARAMS, Leader, deploy, new_backfill, new_run


def test_a_run_reads_back_as_it_was_created(store: Store) -> None:
    version = deploy(store)
    [created] = store.create_runs([new_run(version, kind="manual", by="ada")])
    assert created == Run(
        run_id=created.run_id,
        dag_id="daily",
        version=version,
        run_key="2013-05-01T00:00:00Z",
        kind="manual",
        state=RunState.QUEUED,
        interval=DataInterval(MAY_1, MAY_1 + DAY),
        params=NO_PARAMS,
        created_at=MAY_1 + DAY + 1,
        by="ada",
    )
    assert store.run(created.run_id) == created
    assert store.find_run("daily", "2013-05-01T00:00:00Z") == created
    assert store.find_run("daily", "2013-05-02T00:00:00Z") is None
    assert store.find_run("weekly", "2013-05-01T00:00:00Z") is None


def test_a_key_is_taken_once(store: Store) -> None:
    version = deploy(store)
    first = store.create_runs([new_run(version, 0), new_run(version, 1)])
    again = store.create_runs([new_run(version, 1), new_run(version, 2), new_run(version, 2)])
    assert [run.interval.start for run in first + again] == [MAY_1, MAY_1 + DAY, MAY_1 + 2 * DAY]
    assert store.runs() == [*again, *reversed(first)]


def test_two_dags_may_use_the_same_key(store: Store) -> None:
    daily = deploy(store, "daily")
    other = deploy(store, "other", file="other.py")
    created = store.create_runs([new_run(daily), new_run(other, dag_id="other")])
    assert [run.dag_id for run in created] == ["daily", "other"]


@pytest.mark.parametrize(
    ("kind", "cause"),
    [("scheduled", Cause.SCHEDULED), ("manual", Cause.TRIGGERED), ("backfill", Cause.BACKFILLED)],
)
def test_the_first_line_of_a_history_says_how_the_run_came_to_be(store: Store, kind: str, cause: Cause) -> None:
    version = deploy(store)
    leader = Leader(store)
    [by_hand] = store.create_runs([new_run(version, 0, kind=kind, by="ada")])
    [by_leader] = store.commit(Commit(new_runs=[new_run(version, 1, kind=kind)]), leader.epoch)
    for run, facts in ((by_hand, {"by": "ada"}), (by_leader, None)):
        [event] = store.events(run.run_id)
        assert (event.seq, event.at, event.cause, event.was, event.becomes, event.facts) == (
            0,
            run.created_at,
            cause,
            "none",
            "queued",
            facts,
        )


def test_a_run_of_an_unknown_dag_is_refused_with_a_suggestion(store: Store) -> None:
    version = deploy(store, "daily")
    with pytest.raises(NotFound, match="Did you mean daily"):
        store.create_runs([new_run(version, dag_id="dialy")])
    assert store.runs() == []


def test_many_processes_that_ask_for_the_same_runs_get_each_once(shared: Path | str) -> None:
    with_dag = open_store(shared)
    version = deploy(with_dag)
    wanted = [new_run(version, day) for day in range(20)]
    stores = [open_store(shared) for _ in range(4)]
    created: list[Run] = []
    together = Barrier(len(stores))

    def ask(store: Store) -> None:
        together.wait()
        for each in wanted:
            created.extend(store.create_runs([each]))

    threads = [Thread(target=ask, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.interval.start for run in created) == [each.start for each in wanted]
    assert sorted(run.run_id for run in with_dag.runs()) == sorted(run.run_id for run in created)
    for store in [with_dag, *stores]:
        store.check()
        store.close()


def test_moves_of_a_run_set_its_times(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    leader.now += 500
    leader.move_run(run.run_id, RunState.RUNNING, RunState.SUCCESS)
    leader.commit()
    ended = store.run(run.run_id)
    assert (ended.state, ended.started_at, ended.finished_at) == (RunState.SUCCESS, MAY_1, MAY_1 + 500)


def test_a_wish_to_cancel_is_kept_once_and_only_while_the_run_is_open(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    assert store.request_cancel(run.run_id, "ada", MAY_1 + 5)
    assert not store.request_cancel(run.run_id, "bob", MAY_1 + 6)
    assert store.run(run.run_id).cancel_requested_at == MAY_1 + 5
    assert store.cancel_requests() == [(run.run_id, "ada")]
    leader.move_run(run.run_id, RunState.RUNNING, RunState.CANCELLED)
    leader.commit()
    assert store.cancel_requests() == []
    assert not store.request_cancel(run.run_id, "bob", MAY_1 + 7)
    with pytest.raises(NotFound):
        store.request_cancel(99, "ada", MAY_1)


def test_runs_that_are_still_queued_are_found_in_their_order(store: Store) -> None:
    version = deploy(store)
    leader = Leader(store)
    ids = [run.run_id for run in store.create_runs([new_run(version, day) for day in range(6)])]
    leader.move_run(ids[2], RunState.QUEUED, RunState.RUNNING)
    leader.commit()
    assert [run.run_id for run in store.runs_after(ids[0], 3)] == [ids[1], ids[3], ids[4]]
    assert store.runs_after(ids[5], 3) == []


def test_the_newest_run_of_each_interval_is_found(store: Store) -> None:
    version = deploy(store)
    store.create_runs([new_run(version, day) for day in range(4)])
    again = store.create_runs([new_run(version, 1, nth=n) for n in range(2, 12)])
    found = store.latest_by_interval("daily", MAY_1 + DAY, MAY_1 + 3 * DAY)
    assert [run.run_key for run in found.values()] == ["2013-05-02T00:00:00Z#11", "2013-05-03T00:00:00Z"]
    assert found[MAY_1 + DAY] == again[-1]
    with pytest.raises(NotFound):
        store.latest_by_interval("weekly", 0, 1)


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        store.run(1)
    with pytest.raises(NotFound):
        store.backfill(1)
    with pytest.raises(NotFound):
        store.runs(dag_id="daily")
    assert store.tasks(1) == store.attempts(1) == store.events(1) == []
    assert store.output(1, 0) is None


@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_list_of_runs_is_what_filtering_all_of_them_gives(data: st.DataObject) -> None:
    store = open_store(None)
    versions = {dag_id: deploy(store, dag_id, file=f"{dag_id}.py") for dag_id in ("daily", "hourly")}
    leader = Leader(store)
    for n in range(data.draw(st.integers(0, 12))):
        dag_id = data.draw(st.sampled_from(sorted(versions)))
        [run] = store.create_runs([new_run(versions[dag_id], n, dag_id=dag_id)])
        state = data.draw(st.sampled_from(RunState))
        if state is not RunState.QUEUED:
            leader.change.runs.append(RunMove(run.run_id, RunState.QUEUED, RunState.RUNNING, 5))
        if state in FINAL_RUN:
            leader.change.runs.append(RunMove(run.run_id, RunState.RUNNING, state, 6))
        leader.commit()
    store.create_backfill(new_backfill(), [new_run(versions["daily"], 100 + n) for n in range(3)])
    all_runs = store.runs(limit=1_000)
    for _ in range(10):
        dag_id = data.draw(st.none() | st.sampled_from(sorted(versions)))
        states = data.draw(st.none() | st.sets(st.sampled_from(RunState)))
        backfill_id = data.draw(st.none() | st.just(1))
        before = data.draw(st.none() | st.integers(0, 20))
        limit = data.draw(st.integers(1, 5))
        fitting = [
            run
            for run in all_runs
            if (dag_id is None or run.dag_id == dag_id)
            and (states is None or run.state in states)
            and (backfill_id is None or run.backfill_id == backfill_id)
            and (before is None or run.run_id < before)
        ]
        assert store.runs(dag_id, states, backfill_id, limit, before) == fitting[:limit]
    store.close()
