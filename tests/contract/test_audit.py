"""Whatever people do is written down with who, from where and when, in a chain that shows what was done to it."""

from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from ostinato.model.errors import AuditBroken, NotFound, StoreDamaged
from ostinato.store import Store, open_store
from tests.contract.leader import DAY, MAY_1, Leader, deploy, new_backfill, new_run
from tests.contract.raw import execute

Deed = Callable[[Store], object]

DEEDS: dict[str, tuple[Deed, tuple[str, str]]] = {
    "pause": (lambda store: store.set_paused("daily", True, MAY_1, "ada"), ("pause", "daily")),
    "unpause": (lambda store: store.set_paused("daily", False, MAY_1, "ada"), ("unpause", "daily")),
    "backfill": (lambda store: store.create_backfill(new_backfill(), []), ("backfill", "daily")),
    "pause a backfill": (lambda store: store.pause_backfill(1, "ada", MAY_1), ("pause", "backfill 1")),
    "cancel a backfill": (lambda store: store.cancel_backfill(1, "ada", MAY_1), ("cancel", "backfill 1")),
    "cancel a run": (lambda store: store.request_cancel(1, "ada", MAY_1), ("cancel", "run 1")),
    "decide": (lambda store: store.decide(1, (0, -1), "mark_success", "ada", MAY_1), ("mark_success", "run 1")),
    "switch off": (
        lambda store: store.switch_off("daily", "step_1", "skipped", "ada", MAY_1),
        ("switch off", "daily/step_1"),
    ),
    "pool": (lambda store: store.set_pool("gpu", 2, "ada", MAY_1), ("set pool", "gpu")),
    "trigger": (
        lambda store: store.create_runs([new_run(store.dag("daily").version, 8, by="ada")]),
        ("run", "daily"),
    ),
    "deploy": (lambda store: deploy(store, "daily", tasks=7), ("deploy", "dags.py")),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_each_deed_leaves_one_entry(store: Store, deed: str) -> None:
    version = deploy(store)
    store.create_backfill(new_backfill(), [new_run(version)])
    before = store.verify_audit()
    do, wanted = DEEDS[deed]
    do(store)
    newest = store.audit(limit=1)[0]
    assert (newest.action, newest.subject, newest.seq) == (*wanted, before.entries + 1)
    assert newest.at >= MAY_1
    assert newest.who
    assert store.verify_audit(before.head).entries == before.entries + 1


def test_what_changed_nothing_leaves_none(store: Store) -> None:
    version = deploy(store)
    store.create_runs([new_run(version)])
    store.request_cancel(1, "ada", MAY_1)
    store.create_backfill(new_backfill(), [])
    before = store.verify_audit()
    deploy(store)
    store.create_runs([new_run(version)])
    store.request_cancel(1, "bob", MAY_1)
    store.switch_on("daily", "step_1", "ada", MAY_1)
    store.resume_backfill(1, "ada", MAY_1)
    with pytest.raises(NotFound):
        store.set_paused("weekly", True, MAY_1, "ada")
    assert store.verify_audit() == before


def test_a_deployment_names_what_it_changed(store: Store) -> None:
    first, second = deploy(store), deploy(store, tasks=7)
    store.put_dags([], MAY_1, "ada")
    [newest, oldest] = [entry.facts for entry in store.audit()]
    assert f'"daily":"{first}"' in oldest
    assert f'"daily":"{second}"' in newest


def test_entries_are_found_by_who_and_what_and_gone_through_in_portions(store: Store) -> None:
    for n in range(6):
        store.set_pool(f"pool_{n % 2}", n, "ada" if n % 3 else "bob", MAY_1 + n)
    assert [entry.seq for entry in store.audit(limit=2)] == [6, 5]
    assert [entry.seq for entry in store.audit(limit=2, before=5)] == [4, 3]
    assert [entry.seq for entry in store.audit(who="bob")] == [4, 1]
    assert [entry.seq for entry in store.audit(subject="pool_1")] == [6, 4, 2]


def test_it_says_from_where(shared: Path | str) -> None:
    store = open_store(shared, "command line on db1")
    store.set_pool("gpu", 2, "ada", MAY_1)
    assert [entry.via for entry in store.audit()] == ["command line on db1"]
    store.close()


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        ("UPDATE audit SET who = 'nobody' WHERE seq = 3", "entry 3 is not what was written"),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", "entry 1 is not"),
        ("UPDATE audit SET facts = '{}' WHERE seq = 5", "entry 5 is not"),
        ("DELETE FROM audit WHERE seq = 2", "entry 2 is missing"),
        ("DELETE FROM audit WHERE seq = 1", "entry 1 is missing"),
        (
            "UPDATE audit SET digest = (SELECT digest FROM (SELECT * FROM audit) AS other WHERE seq = 1) WHERE seq = 4",
            "entry 4 is not",
        ),
    ],
)
def test_what_was_done_to_the_record_is_seen(shared: Path | str, harm: str, says: str) -> None:
    store = open_store(shared)
    for n in range(5):
        store.set_pool("gpu", n, "ada", MAY_1)
    execute(shared, harm)
    with pytest.raises(AuditBroken, match=says):
        store.verify_audit()
    with pytest.raises(StoreDamaged, match="the audit is broken"):
        store.check()
    store.close()


def test_that_the_end_was_cut_off_is_seen_by_who_noted_a_digest(shared: Path | str) -> None:
    store = open_store(shared)
    for n in range(5):
        store.set_pool("gpu", n, "ada", MAY_1)
    noted = store.verify_audit().head
    assert store.verify_audit(noted).entries == 5
    execute(shared, "DELETE FROM audit WHERE seq = 5")
    assert store.verify_audit().entries == 4
    with pytest.raises(AuditBroken, match="cut off"):
        store.verify_audit(noted)
    store.set_pool("gpu", 9, "mallory", MAY_1)
    with pytest.raises(AuditBroken, match="cut off"):
        store.verify_audit(noted)
    store.close()


def test_people_who_act_at_the_same_time_make_one_chain(shared: Path | str) -> None:
    stores = [open_store(shared) for _ in range(4)]
    together = Barrier(len(stores))

    def act(nth: int) -> None:
        together.wait()
        for n in range(10):
            stores[nth].set_pool(f"pool_{nth}", n, f"person {nth}", MAY_1)

    threads = [Thread(target=act, args=(nth,)) for nth in range(len(stores))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stores[0].verify_audit().entries == 40
    for store in stores:
        store.close()


def test_what_the_scheduler_does_by_itself_is_history_and_no_deed(store: Store) -> None:
    leader = Leader(store)
    run = leader.begin(deploy(store))
    before = store.verify_audit()
    leader.dispatch(run.run_id, 0)
    leader.change.new_runs.append(new_run(store.dag("daily").version, 3))
    leader.now += DAY
    leader.commit()
    assert store.verify_audit() == before
