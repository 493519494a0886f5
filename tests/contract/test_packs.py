"""Contract: the story of a run that is over is kept in less room, and reads as it did."""

import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato.model.cause import Cause
from ostinato.model.change import Event
from ostinato.model.errors import StoreDamaged
from ostinato.model.record import LoggedEvent
from ostinato.model.state import RunState
from ostinato.store import Store, open_store, packs
from ostinato.store.codes import CAUSES, STATES
from ostinato.store.packs import LINES
from ostinato.store.record import text_of

from .leader import DAY, MAY_1, Leader, deploy, everything
from .raw import execute

OLD, NEW = MAY_1 + 1 * DAY, MAY_1 + 100 * DAY
BEFORE = MAY_1 + 50 * DAY


def ended(leader: Leader, version: str, day: int, lines: int = 8, *, at: int = OLD) -> int:
    """A run that ended ``at``, with so many lines, of which some say more."""
    leader.now = at
    run_id = leader.begin(version, day).run_id
    leader.dispatch(run_id, 0)
    leader.commit()
    first = leader.next_seq[run_id]
    leader.next_seq[run_id] = lines - 2
    for seq in range(first, lines - 2):
        facts = {"until": at + seq, "who": "Zoë"} if seq % 3 else None
        leader.change.events.append(Event(run_id, seq, at + seq, Cause.AWAITED, "deferred", "deferred", 0, facts=facts))
    leader.succeed(run_id, 0, output=b"\x01")
    leader.move_run(run_id, RunState.RUNNING, RunState.SUCCESS)
    leader.commit()
    return run_id


def pack(store: Store, before: int = BEFORE) -> int:
    return sum(store.pack(before))


def rows(store: Store) -> tuple[int, int]:
    """How many events there are line by line, and how many packs."""
    counts = store.size()[1]
    return counts["event"], counts["event_pack"]


def test_what_is_packed_reads_as_it_did(store: Store) -> None:
    version = deploy(store)
    leader = Leader(store)
    for day in range(5):
        ended(leader, version, day)
    before = everything(store)
    assert rows(store) == (40, 0)
    assert pack(store) == 40
    assert rows(store) == (0, 5)
    assert everything(store) == before
    store.check()


def test_what_goes_on_and_what_is_new_stays_as_it_is(store: Store) -> None:
    version = deploy(store)
    leader = Leader(store)
    ended(leader, version, 1, at=NEW)
    leader.now = OLD
    going = leader.begin(version, 2)
    assert pack(store) == 0
    leader.dispatch(going.run_id, 0)
    leader.commit()
    store.check()


def test_packing_again_finds_nothing(store: Store) -> None:
    ended(Leader(store), deploy(store), 0)
    assert pack(store) > 0
    assert list(store.pack(BEFORE)) == []


@pytest.mark.parametrize("lines", [LINES - 1, LINES, LINES + 1, 999, 1_000, 1_001, 3_210])
def test_a_long_story_is_packed_in_portions_between_which_it_reads_as_it_did(store: Store, lines: int) -> None:
    version = deploy(store)
    leader = Leader(store)
    short = ended(leader, version, 0)
    long = ended(leader, version, 1, lines)
    after = ended(leader, version, 2)
    story = store.events(long, limit=10_000)
    assert [line.seq for line in story] == list(range(lines))
    for packed in store.pack(BEFORE):
        assert packed <= 1_000
        assert store.events(long, limit=10_000) == story
        store.check()
    assert rows(store) == (0, 2 + -(-lines // LINES))
    assert [line.run_id for each in (short, after) for line in store.events(each)] == [short] * 8 + [after] * 8


def test_a_story_is_read_page_by_page_whether_it_is_packed_or_not_or_halfway(store: Store) -> None:
    run_id = ended(Leader(store), deploy(store), 0, 1_500)
    story = store.events(run_id, limit=2_000)
    portions = store.pack(BEFORE)
    for _ in range(3):
        for size in (1, 7, LINES, 1_000):
            for after in (-1, 0, LINES - 2, LINES - 1, LINES, 799, 800, 801, 1_499, 5_000):
                assert store.events(run_id, after, size) == story[after + 1 :][:size]
        next(portions, None)


def test_who_was_interrupted_goes_on_with_the_rest(store: Store) -> None:
    run_id = ended(Leader(store), deploy(store), 0, 1_500)
    story = store.events(run_id, limit=2_000)
    assert next(store.pack(BEFORE)) == 800
    assert pack(store) == 700
    assert store.events(run_id, limit=2_000) == story


def test_what_is_packed_is_forgotten_with_the_rest(store: Store) -> None:
    run_id = ended(Leader(store), deploy(store), 0, 1_500)
    next(store.pack(BEFORE))
    assert not store.is_pruned(run_id)
    for _ in store.prune(BEFORE):
        assert store.is_pruned(run_id)
        store.check()
    assert (store.events(run_id), rows(store), store.prunable(BEFORE)) == ([], (0, 0), (0, 0))


def test_a_large_run_that_is_packed_goes_in_portions(store: Store) -> None:
    leader = Leader(store)
    leader.now = OLD
    run_id = leader.begin(deploy(store, tasks=650), 0).run_id
    leader.dispatch(run_id, *range(650))
    leader.succeed(run_id, *range(650))
    leader.move_run(run_id, RunState.RUNNING, RunState.SUCCESS)
    leader.commit()
    next(store.pack(BEFORE))
    assert all(rows(store))
    for _ in store.prune(BEFORE):
        assert store.is_pruned(run_id)
        store.check()
    assert (store.tasks(run_id), rows(store)) == ([], (0, 0))


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE event_pack SET packed = 'abc'",
        "UPDATE event_pack SET packed = (SELECT value FROM output)",
        "UPDATE event_pack SET pack_no = 7",
        "UPDATE event_pack SET packed = (SELECT packed FROM (SELECT * FROM event_pack WHERE pack_no = 1) AS other) WHERE pack_no = 0",
    ],
)
def test_a_pack_that_is_not_what_was_written_is_found_and_never_shown(shared: Path | str, damage: str) -> None:
    with closing(open_store(shared)) as store:
        leader = Leader(store)
        run_id = ended(leader, deploy(store), 0, LINES + 1 if "pack_no = 1" in damage else 8)
        pack(store)
        execute(shared, damage)
        with pytest.raises(StoreDamaged, match=f"of the story of run {run_id} cannot be read"):
            store.check()
        with pytest.raises(StoreDamaged):
            store.events(run_id)


def test_packs_that_nobody_can_have_written_are_found(shared: Path | str) -> None:
    with closing(open_store(shared)) as store:
        leader = Leader(store)
        ended(leader, deploy(store), 0)
        pack(store)
        execute(shared, "UPDATE event_pack SET run_id = 99")
        with pytest.raises(StoreDamaged, match="1 packed events without a run"):
            store.check()
        execute(shared, "UPDATE event_pack SET run_id = 1")
        execute(shared, "UPDATE run SET state = 2, finished_at = NULL")
        with pytest.raises(StoreDamaged, match="1 packed events of a run that goes on"):
            store.check()


def test_packs_of_earlier_versions_can_be_read() -> None:
    packed = bytes.fromhex(WRITTEN)
    lines = packs._unpacked(3, packs._DECODER.decode(zlib.decompress(packed)))
    assert [(line.seq, line.at, line.cause, line.was, line.becomes, line.task_no, line.attempt) for line in lines] == [
        (0, MAY_1, Cause.SCHEDULED, "none", "queued", None, None),
        (1, MAY_1 + 3, Cause.ADMITTED, "queued", "running", None, None),
        (2, MAY_1 + 3, Cause.READY, "none", "queued", 0, 41),
        (3, MAY_1 + 70_000, Cause.FAILED_WILL_RETRY, "queued", "up_for_retry", 0, 41),
        (4, MAY_1 + 69_990, Cause.CANCEL_REQUESTED, "running", "cancelled", None, None),
    ]
    assert [line.facts for line in lines] == [None, None, None, {"until": 7}, None]
    assert {line.map_index for line in lines} == {-1}


WRITTEN = (
    "789c9bc53a91f1084fd383d9d74efbb331dc3aca213c9591855d58622a03230323d3544626206fea81038c0c0726fe07d25a"
    "0c0780e481d5d54aa5792599394a56e6b5070022c41936"
)
"""As the first version wrote it. A change of the form needs a migration."""

CODES = st.tuples(
    st.sampled_from(sorted(CAUSES.values())),
    st.sampled_from(sorted(STATES.values())),
    st.sampled_from(sorted(STATES.values())),
)
NUMBERS = st.integers(0, 2**62)
LINE = st.tuples(
    NUMBERS,
    NUMBERS,
    CODES,
    st.none() | NUMBERS,
    st.integers(-1, 2**62),
    st.none() | NUMBERS,
    st.none() | st.just({"é": [1]}),
)


@given(st.lists(LINE, min_size=1, max_size=50))
def test_a_pack_gives_back_whatever_lines_it_was_given(lines: list[Any]) -> None:
    rows = [
        (7, seq, at, *codes, task_no, map_index, attempt, None if facts is None else text_of(facts))
        for seq, at, codes, task_no, map_index, attempt, facts in lines
    ]
    assert [
        (line.seq, line.at, (CAUSES[line.cause], STATES[line.was], STATES[line.becomes]), *_rest(line))
        for line in packs._unpacked(7, packs._DECODER.decode(zlib.decompress(packs._packed(rows))))
    ] == lines


def _rest(line: LoggedEvent) -> tuple[object, ...]:
    assert line.run_id == 7
    return (line.task_no, line.map_index, line.attempt, line.facts)
