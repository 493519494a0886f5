"""Contract: a backup is the state of one moment, on whichever database, and comes back as nothing but that."""

import shutil
import sqlite3
import stat
from collections import deque
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Event, Thread

import pytest

from ostinato.model.canonical import canonical, digest
from ostinato.model.change import Commit, ScheduleCursor
from ostinato.model.errors import (
    BackupInvalid,
    BackupNotWritten,
    FencedOut,
    NotFound,
    PlaceTaken,
    StoreDamaged,
    StoreTooNew,
)
from ostinato.model.record import Deployment
from ostinato.model.spec import CompiledDag, DagSpec, Every, TaskSpec
from ostinato.model.state import RunState
from ostinato.store import Store, drill, open_store, restore_backup, verify_backup
from tests.places import Place

from .leader import DAY, MAY_1, Leader, deploy, everything, new_backfill, new_run, source_of
from .raw import execute
from .test_packs import ended

NOW = MAY_1 + 10 * DAY


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """The path of a backup that is not there yet."""
    return tmp_path / "kept" / "monday.db"


def put_away(store: Store, kept: Path, now: int = NOW) -> Path:
    kept.parent.mkdir(exist_ok=True)
    store.back_up(kept, now)
    return kept


def lived_in(store: Store) -> Leader:
    """A state in which much has happened: runs that ended well and badly, one in the middle, outputs, an alert, deeds."""
    version = deploy(store)
    leader = Leader(store)
    good, bad = leader.begin(version, 0), leader.begin(version, 1)
    leader.dispatch(good.run_id, 0)
    leader.dispatch(bad.run_id, 0)
    leader.commit()
    leader.succeed(good.run_id, 0, output=b"\x00\xff")
    leader.fail(bad.run_id, 0)
    leader.commit()
    leader.begin(version, 2)
    store.set_pool("gpu", 3, "ada", MAY_1)
    store.create_backfill(new_backfill(4), [new_run(version, 3, kind="backfill")])
    return leader


def restored(kept: Path, place: Place, tmp_path: Path, *, again: bool = True) -> Store:
    """The state that a backup comes to, in a new place: of the same kind, or a file for what was in memory."""
    place = place or tmp_path / "anew.db"
    restore_backup(kept, place, tmp_path, "grace", "command line", NOW + DAY, again=again)
    return open_store(place)


def test_what_comes_back_is_what_was_there(
    store: Store, kept: Path, new_place: Callable[[], Place], tmp_path: Path
) -> None:
    lived_in(store)
    before = everything(store), store.pools(), store.backfills(), store.audit()
    put_away(store, kept)
    with closing(restored(kept, new_place(), tmp_path)) as back:
        back.check()
        assert (everything(back), back.pools(), back.backfills(), back.audit()[1:]) == before
        [deed] = back.audit(limit=1)
        assert (deed.who, deed.via, deed.action) == ("grace", "command line", "restore")


def test_stories_that_are_packed_come_back_too(
    store: Store, kept: Path, new_place: Callable[[], Place], tmp_path: Path
) -> None:
    run_id = ended(Leader(store), deploy(store), 0, 450)
    deque(store.pack(NOW), maxlen=0)
    story = store.events(run_id)
    put_away(store, kept)
    assert verify_backup(kept).rows["event_pack"] == 3
    with closing(restored(kept, new_place(), tmp_path)) as back:
        assert back.events(run_id) == story
        back.check()


def test_what_comes_back_goes_on(store: Store, kept: Path, new_place: Callable[[], Place], tmp_path: Path) -> None:
    lived_in(store)
    put_away(store, kept)
    with closing(restored(kept, new_place(), tmp_path)) as back:
        leader = Leader(back)
        run = leader.begin(deploy(back, "another", file="other.py"), dag_id="another")
        assert run.run_id > max(each.run_id for each in store.runs())
        back.create_backfill(new_backfill(2), [])
        leader.dispatch(run.run_id, 0)
        leader.commit()
        back.check()


def test_a_file_moves_to_a_server_and_back(tmp_path: Path, kept: Path, shared: Path | str) -> None:
    with closing(open_store(tmp_path / "small.db")) as store:
        lived_in(store)
        before = everything(store)
        put_away(store, kept)
    with closing(restored(kept, shared, tmp_path)) as back:
        assert everything(back) == before
        put_away(back, kept.with_name("tuesday.db"))
    with closing(restored(kept.with_name("tuesday.db"), tmp_path / "back.db", tmp_path)) as back:
        assert everything(back) == before
        back.check()


def test_a_backup_says_what_it_holds(store: Store, kept: Path) -> None:
    lived_in(store)
    kept.parent.mkdir()
    written = store.back_up(kept, NOW)
    assert verify_backup(kept) == written
    assert (written.taken_at, written.rows["run"], written.rows["attempt"]) == (NOW, 4, 2)
    assert written.chain == store.verify_audit()


def test_a_backup_is_one_file_for_its_owner_only_and_stays_as_it_is(store: Store, kept: Path, tmp_path: Path) -> None:
    lived_in(store)
    put_away(store, kept)
    before = kept.read_bytes()
    verify_backup(kept)
    drill(kept, NOW + DAY)
    restored(kept, tmp_path / "anew.db", tmp_path).close()
    assert kept.read_bytes() == before
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(tmp_path.glob("**/*.part")) == []


def test_a_backup_is_of_one_moment_though_work_goes_on(shared: Path | str, kept: Path) -> None:
    kept.parent.mkdir()
    stop = Event()
    with closing(open_store(shared)) as store:
        version = deploy(store)

        def work() -> None:
            with closing(open_store(shared)) as own:
                leader, day = Leader(own), 0
                while not stop.is_set():
                    run = leader.begin(version, day)
                    leader.dispatch(run.run_id, 0)
                    leader.commit()
                    leader.succeed(run.run_id, 0, output=b"x")
                    leader.commit()
                    day += 1

        worker = Thread(target=work)
        worker.start()
        try:
            sizes = [put_away_nth(store, kept, nth) for nth in range(5)]
        finally:
            stop.set()
            worker.join()
    assert sizes == sorted(sizes)  # each was looked through as it was written: no half of a commit is in it


def put_away_nth(store: Store, kept: Path, nth: int) -> int:
    return store.back_up(kept.with_name(f"{nth}.db"), NOW).rows["event"]


# --- what a restore does to what was open -----------------------------------------------------------------------


def test_what_was_open_is_asked_to_stop_and_schedules_go_on_from_now(
    store: Store, kept: Path, new_place: Callable[[], Place], tmp_path: Path
) -> None:
    leader = lived_in(store)
    deploy(store, "hourly", file="hourly.py")
    leader.change = Commit(cursors=[ScheduleCursor("daily", MAY_1)])
    leader.commit()
    put_away(store, kept)
    place = new_place() or tmp_path / "anew.db"
    done = restore_backup(kept, place, tmp_path, "grace", "", NOW + DAY, again=False)
    assert (done.taken_at, done.stopped, done.moved) == (NOW, 4, 1)
    with closing(open_store(place)) as back:
        open_runs = back.runs(states=[RunState.QUEUED, RunState.RUNNING])
        assert sorted(back.cancel_requests()) == sorted((run.run_id, "restore") for run in open_runs)
        assert {dag.dag_id: dag.scheduled_until for dag in back.dags()} == {"daily": NOW + DAY, "hourly": None}
        assert [each.state for each in back.backfills()] == ["cancelled"]
        back.check()


def scheduled(store: Store, dag_id: str) -> Deployment:
    """Deploy a dag that is due every hour, from long ago on."""
    spec = DagSpec(dag_id, (TaskSpec("only"),), schedule=Every(3_600), catchup="all", start=MAY_1)
    name = digest(source_of(f"{dag_id}.py"))
    dag = CompiledDag(spec, f"{dag_id}.py", name, digest(canonical(spec), name.encode()))
    deployment = Deployment(dag.file, (dag,), source_of(dag.file))
    store.put_dags([deployment], MAY_1, "ada")
    return deployment


def test_a_schedule_that_nobody_had_followed_yet_or_that_was_away_does_not_begin_in_the_time_that_is_lost(
    store: Store,
) -> None:
    scheduled(store, "new")
    away = scheduled(store, "away")
    followed = scheduled(store, "followed")
    leader = Leader(store)
    leader.change = Commit(cursors=[ScheduleCursor("followed", MAY_1)])
    leader.commit()
    for gone in (away, followed):
        store.put_dags([Deployment(gone.file)], MAY_1, "ada")
    assert store.set_back("grace", NOW, again=False).moved == 1
    store.put_dags([away, followed], NOW, "ada")
    assert {dag.dag_id: dag.scheduled_until for dag in store.dags()} == dict.fromkeys(("new", "away", "followed"), NOW)


def test_runs_of_the_time_that_is_lost_are_not_met_again(store: Store) -> None:
    leader = lived_in(store)
    last = leader.begin(store.dag("daily").version, 5).run_id
    for nth in (1, 2):
        store.set_back("grace", NOW + nth, again=False)
        run = Leader(store).begin(store.dag("daily").version, 10 + nth)
        assert run.run_id == nth * 1_000_000 + 1
    assert last < 1_000_000


def test_leaders_that_follow_each_other_quickly_are_shut_out_too(store: Store) -> None:
    """A scheduler that ends as soon as it begins is started again many times a second."""
    store.set_back("grace", NOW, again=False)
    later = [store.take_lead("later", NOW) for _ in range(900)][-1]
    store.set_back("grace", NOW + 1_000, again=False)
    assert Leader(store).epoch > later


def test_which_attempts_are_of_the_time_before_is_known(store: Store) -> None:
    leader = lived_in(store)
    assert store.attempt_set_back() == 0
    store.set_back("grace", NOW, again=True)
    assert max(leader.attempts.values()) < store.attempt_set_back() == store.last_attempt()
    again = Leader(store)
    run = again.begin(store.dag("daily").version, 10)
    assert again.dispatch(run.run_id, 0)[0] > store.attempt_set_back()
    again.commit()


def test_with_again_nothing_is_asked_to_stop(
    store: Store, kept: Path, new_place: Callable[[], Place], tmp_path: Path
) -> None:
    leader = lived_in(store)
    leader.change = Commit(cursors=[ScheduleCursor("daily", MAY_1)])
    leader.commit()
    put_away(store, kept)
    with closing(restored(kept, new_place(), tmp_path, again=True)) as back:
        assert back.cancel_requests() == []
        assert [dag.scheduled_until for dag in back.dags()] == [MAY_1]
        assert [each.state for each in back.backfills()] == ["running"]


def test_attempts_and_leaders_of_the_time_that_is_lost_are_not_met_again(
    store: Store, kept: Path, new_place: Callable[[], Place], tmp_path: Path
) -> None:
    leader = lived_in(store)
    put_away(store, kept)
    run = leader.begin(store.dag("daily").version, 5)
    [lost] = leader.dispatch(run.run_id, 0)
    leader.commit()
    later = [store.take_lead("later", NOW) for _ in range(5)][-1]
    with closing(restored(kept, new_place(), tmp_path)) as back:
        assert back.last_attempt() > lost
        assert Leader(back).epoch > later
        again = Leader(back)
        run = again.begin(back.dag("daily").version, 5)
        [first] = again.dispatch(run.run_id, 0)
        again.commit()
        assert first > lost
        assert back.last_attempt() == first


def test_a_second_restore_numbers_higher_still(store: Store, kept: Path, tmp_path: Path) -> None:
    lived_in(store)
    put_away(store, kept)
    numbers: list[int] = []
    for nth in range(2):
        place = tmp_path / f"restored-{nth}.db"
        restore_backup(kept, place, tmp_path, "grace", "", NOW + DAY + nth * 1_000, again=True)
        with closing(open_store(place)) as back:
            numbers.append(back.last_attempt())
    assert numbers[1] - numbers[0] == 1_000_000


def test_a_database_that_was_set_back_by_other_means_is_treated_alike(store: Store) -> None:
    leader = lived_in(store)
    before = store.last_attempt()
    done = store.set_back("grace", NOW, again=False)
    assert (done.taken_at, done.stopped) == (None, 4)
    assert store.last_attempt() == NOW * 1_000 > before
    assert [each.action for each in store.audit(limit=1)] == ["restore"]
    leader.dispatch(3, 0)
    with pytest.raises(FencedOut):
        leader.commit()


def test_the_drill_says_what_a_restore_would_do(store: Store, kept: Path) -> None:
    lived_in(store)
    put_away(store, kept)
    contents, done = drill(kept, NOW + DAY)
    assert contents == verify_backup(kept)
    assert (done.taken_at, done.stopped) == (NOW, 4)
    assert store.cancel_requests() == []


# --- nothing is overwritten, nothing wrong is taken -------------------------------------------------------------


def test_no_file_and_no_state_is_overwritten(
    store: Store, kept: Path, new_place: Callable[[], Place], tmp_path: Path
) -> None:
    put_away(store, kept)
    before = kept.read_bytes()
    with pytest.raises(PlaceTaken, match="such a file already"):
        store.back_up(kept, NOW)
    assert kept.read_bytes() == before
    place = new_place() or tmp_path / "other.db"
    with closing(open_store(place)) as other:
        deploy(other, "mine")
        with pytest.raises(PlaceTaken, match="already"):
            restore_backup(kept, place, tmp_path, "grace", "", NOW, again=True)
        assert [dag.dag_id for dag in other.dags()] == ["mine"]


@pytest.mark.parametrize("more", ["-wal", "-shm", "-journal"])
def test_what_another_database_left_beside_the_place_is_not_taken_in(kept: Path, tmp_path: Path, more: str) -> None:
    with closing(open_store(None)) as store:
        put_away(store, kept)
    place = tmp_path / "state.db"
    place.with_name(place.name + more).write_bytes(b"of another one")
    with pytest.raises(PlaceTaken, match="a state already"):
        restore_backup(kept, place, tmp_path, "grace", "", NOW, again=True)
    assert not place.exists()


@pytest.mark.parametrize("where", [0.1, 0.5, 0.9, 0.999])
def test_one_changed_bit_is_seen(store: Store, kept: Path, tmp_path: Path, where: float) -> None:
    lived_in(store)
    data = bytearray(put_away(store, kept).read_bytes())
    data[int(len(data) * where)] ^= 1
    kept.write_bytes(data)
    refused(kept, tmp_path, "not what was written")


@pytest.mark.parametrize("size", [0, 10, 63, 64, 4_096, -1])
def test_a_file_that_was_cut_off_is_no_backup(kept: Path, tmp_path: Path, size: int) -> None:
    with closing(open_store(None)) as store:
        data = put_away(store, kept).read_bytes()
    kept.write_bytes(data[:size])
    refused(kept, tmp_path, "not what was written")


def refused(kept: Path, tmp_path: Path, says: str) -> None:
    with pytest.raises(BackupInvalid, match=says) as caught:
        verify_backup(kept)
    assert caught.value.where == str(kept)
    with pytest.raises(BackupInvalid, match=says):
        restore_backup(kept, tmp_path / "anew.db", tmp_path, "grace", "", NOW, again=True)
    assert not (tmp_path / "anew.db").exists()


def test_a_state_is_no_backup_and_a_backup_is_no_state(store: Store, kept: Path, database: Path) -> None:
    open_store(database).close()
    with pytest.raises(BackupInvalid, match="never was a backup"):
        verify_backup(database)
    put_away(store, kept)
    with pytest.raises(StoreDamaged, match="a backup, taken at 2013-05-11"):
        open_store(kept)
    shutil.copyfile(kept, database.with_name("copied.db"))
    with pytest.raises(StoreDamaged, match="db restore"):
        open_store(database.with_name("copied.db"))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("DELETE FROM run WHERE run_id = 3", "without a run"),
        ("UPDATE audit SET who = 'nobody' WHERE seq = 1", "the audit is broken: entry 1 is not what was written"),
    ],
)
def test_a_damaged_state_gives_no_backup(database: Path, kept: Path, damage: str, says: str) -> None:
    kept.parent.mkdir()
    with closing(open_store(database)) as store:
        lived_in(store)
        execute(database, damage)
        with pytest.raises(StoreDamaged, match=says) as caught:
            store.back_up(kept, NOW)
        assert caught.value.where == str(database)
    assert list(kept.parent.iterdir()) == []


def test_a_backup_of_a_newer_program_is_refused_in_words(kept: Path) -> None:
    from ostinato.store.seal import seal  # noqa: PLC0415 - only here is a backup forged

    with closing(open_store(None)) as store:
        put_away(store, kept)
    with closing(sqlite3.connect(kept)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    seal(kept)
    with pytest.raises(StoreTooNew, match="9999") as caught:
        verify_backup(kept)
    assert caught.value.where == str(kept)


def test_a_place_that_cannot_be_written_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BackupNotWritten, match="No such file or directory"):
        store.back_up(tmp_path / "nowhere" / "monday.db", NOW)
    with pytest.raises(NotFound, match="no such file") as caught:
        verify_backup(tmp_path / "none.db")
    assert "ostinato db backup" in caught.value.help


def test_a_disk_that_is_full_leaves_nothing_behind(store: Store, kept: Path) -> None:
    """The file may not grow beyond a limit, which is what a full disk looks like to SQLite."""
    import resource  # noqa: PLC0415 - only here
    import signal  # noqa: PLC0415

    lived_in(store)
    kept.parent.mkdir()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16_384, before[1]))
    try:
        with pytest.raises(BackupNotWritten) as caught:
            store.back_up(kept, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert caught.value.where == str(kept)
    assert list(kept.parent.iterdir()) == []
