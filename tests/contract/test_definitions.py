"""What is deployed: versions are kept for ever, dags come and go with their files."""

import pytest

from ostinato.model.change import Commit, ScheduleCursor
from ostinato.model.errors import Conflict, InvariantBroken, NotFound
from ostinato.model.record import Dag, DagProblem, Deployment
from ostinato.store import Store
from tests.contract.leader import MAY_1, Leader, compiled, new_run, source_of

PROBLEM = DagProblem("dags.py", "OST-104", "the dag has a cycle", 12, 4, "Break it.")


def put(store: Store, *dag_ids: str, file: str = "dags.py", text: str = "", now: int = MAY_1) -> None:
    dags = tuple(compiled(dag_id, file, text=text) for dag_id in dag_ids)
    store.put_dags([Deployment(file, dags, source_of(file, text))], now, "ada")


def test_a_dag_reads_back_as_it_was_compiled(store: Store) -> None:
    dag = compiled("daily")
    store.put_dags([Deployment("dags.py", (dag,), source_of("dags.py"))], MAY_1, "ada")
    assert store.dag("daily") == Dag("daily", dag.version, "dags.py")
    assert store.dags() == [store.dag("daily")]
    assert store.compiled(dag.version) == dag
    assert store.source(dag.source) == source_of("dags.py")


def test_a_new_text_is_a_new_version_and_the_old_one_stays_readable(store: Store) -> None:
    put(store, "daily", text="a")
    old = store.dag("daily").version
    put(store, "daily", text="b")
    new = store.dag("daily").version
    assert old != new
    assert {store.compiled(version).spec.dag_id for version in (old, new)} == {"daily"}
    put(store, "daily", text="a")
    assert store.dag("daily").version == old


def test_a_dag_that_left_its_file_is_retired_and_may_come_back(store: Store) -> None:
    put(store, "a", "b", text="1")
    put(store, "b", text="2", now=MAY_1 + 5)
    assert [dag.dag_id for dag in store.dags()] == ["b"]
    assert [(dag.dag_id, dag.retired_at) for dag in store.dags(retired=True)] == [("a", MAY_1 + 5), ("b", None)]
    assert store.dag("a").retired_at == MAY_1 + 5
    put(store, "a", "b", text="3")
    assert [dag.retired_at for dag in store.dags()] == [None, None]


def test_a_removed_file_takes_its_dags_with_it_and_no_others(store: Store) -> None:
    put(store, "a")
    put(store, "z", file="other.py")
    store.put_dags([Deployment("dags.py")], MAY_1 + 5, "ada")
    assert [dag.dag_id for dag in store.dags()] == ["z"]


def test_a_file_with_problems_changes_nothing_that_is_in_force(store: Store) -> None:
    put(store, "a", "b")
    store.put_dags([Deployment("dags.py", problems=(PROBLEM,))], MAY_1 + 5, "ada")
    assert [dag.dag_id for dag in store.dags()] == ["a", "b"]
    assert store.problems() == [PROBLEM]


def test_problems_go_when_the_file_is_well_again(store: Store) -> None:
    other = DagProblem("other.py", "OST-101", "no dag in it")
    store.put_dags([Deployment("dags.py", problems=(PROBLEM, PROBLEM))], MAY_1, "ada")
    store.put_dags([Deployment("other.py", problems=(other,))], MAY_1, "ada")
    assert store.problems() == [PROBLEM, PROBLEM, other]
    put(store, "a")
    assert store.problems() == [other]


def test_two_files_cannot_define_the_same_dag(store: Store) -> None:
    put(store, "a")
    with pytest.raises(Conflict, match=r"already defined in dags\.py"):
        put(store, "b", "a", file="other.py")
    assert [(dag.dag_id, dag.file) for dag in store.dags()] == [("a", "dags.py")]
    store.put_dags([Deployment("dags.py")], MAY_1, "ada")
    put(store, "b", "a", file="other.py")
    assert [(dag.dag_id, dag.file) for dag in store.dags()] == [("a", "other.py"), ("b", "other.py")]


def test_a_dag_must_come_with_the_source_it_names(store: Store) -> None:
    with pytest.raises(InvariantBroken):
        store.put_dags([Deployment("dags.py", (compiled("a"),), source_of("dags.py", "something else"))], MAY_1, "ada")
    assert store.dags() == []


def test_unknown_names_are_not_found_and_near_ones_suggested(store: Store) -> None:
    with pytest.raises(NotFound, match="No dag is deployed yet"):
        store.dag("daily_flights")
    put(store, "daily_flights", "weekly")
    with pytest.raises(NotFound, match="Did you mean daily_flights"):
        store.dag("daily_fligths")
    with pytest.raises(NotFound):
        store.compiled("0" * 32)
    with pytest.raises(NotFound):
        store.source("0" * 32)


def test_a_paused_dag_stays_paused_when_it_is_deployed_anew(store: Store) -> None:
    put(store, "a", text="1")
    store.set_paused("a", True, MAY_1, "ada")
    put(store, "a", text="2")
    assert store.dag("a").paused
    store.set_paused("a", False, MAY_1, "ada")
    assert not store.dag("a").paused
    with pytest.raises(NotFound):
        store.set_paused("zzz", True, MAY_1, "ada")


def test_the_revision_grows_with_every_change_of_dags_and_with_nothing_else(store: Store) -> None:
    seen = [store.dags_revision()]
    put(store, "a")
    seen.append(store.dags_revision())
    store.set_paused("a", True, MAY_1, "ada")
    seen.append(store.dags_revision())
    store.put_dags([Deployment("dags.py")], MAY_1, "ada")
    seen.append(store.dags_revision())
    assert seen == sorted(set(seen))
    store.create_runs([new_run(compiled("a").version, dag_id="a")])
    store.take_lead("a", MAY_1)
    store.set_pool("gpu", 2, "ada", MAY_1)
    assert store.dags_revision() == seen[-1]


def test_how_far_a_schedule_was_followed_is_kept_through_deployments(store: Store) -> None:
    put(store, "a", text="1")
    leader = Leader(store)
    store.commit(Commit(cursors=[ScheduleCursor("a", MAY_1 + 7)]), leader.epoch)
    put(store, "a", text="2")
    assert store.dag("a").scheduled_until == MAY_1 + 7


def test_pools_are_made_and_resized(store: Store) -> None:
    [default] = store.pools()
    assert (default.name, default.slots > 0) == ("default", True)
    store.set_pool("gpu", 2, "ada", MAY_1)
    store.set_pool("gpu", 3, "ada", MAY_1)
    store.set_pool("default", 0, "ada", MAY_1)
    assert [(pool.name, pool.slots) for pool in store.pools()] == [("default", 0), ("gpu", 3)]


def test_five_hundred_dags_of_one_file_are_put_at_once(store: Store) -> None:
    put(store, *(f"partner_{n:03}" for n in range(500)))
    assert len(store.dags()) == 500
