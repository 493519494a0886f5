"""Commits by real processes that race, die and come too late: every logical write takes effect once."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import DeltaError

import ostinato_data.commit as committing
from ostinato_data import DataError, Partition, dead_letters
from ostinato_data.commit import Target, claim, commit, create_table
from ostinato_data.digest import digest_table
from ostinato_data.errors import (
    CommitContended,
    CommitOutsidePartition,
    CommitRefused,
    OutOfResources,
    StaleWriter,
    StorageUnavailable,
    TableUnreadable,
    TargetInvalid,
)
from tests.acceptance.data_attempt import deliver, landed

SCHEMA = pa.schema([("part", pa.string()), ("n", pa.int64()), ("told", pa.int64())])
ATTEMPT = Path(__file__).with_name("data_attempt.py")


class Attempt:
    """A process that lands a file."""

    def __init__(self, root: Path, part: str, fence: int, stop: str) -> None:
        self.stop = stop
        self.process = subprocess.Popen(
            [sys.executable, str(ATTEMPT), str(root), part, str(fence), stop],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def reach(self) -> None:
        """Wait until it stands where it is to stop."""
        assert self.say() == f"at {self.stop}"

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def result(self) -> dict[str, Any]:
        return json.loads(self.say())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


Starter = Callable[..., Attempt]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    started: list[Attempt] = []

    def starting(part: str, fence: int, stop: str = "start") -> Attempt:
        started.append(Attempt(tmp_path, part, fence, stop))
        return started[-1]

    yield starting
    for attempt in started:
        attempt.end()


def content(root: Path) -> dict[str, list[int]]:
    """What each partition tells, as a reader sees it now."""
    seen: dict[str, list[int]] = {}
    for batch in pa.RecordBatchReader.from_stream(DeltaTable(root / "table").scan(columns=["part", "told"])):
        for row in batch.to_pylist():
            seen.setdefault(row["part"], []).append(row["told"])
    return seen


def commits(root: Path, part: str) -> int:
    """How many commits of the log concern a partition."""
    found = 0
    for file in (root / "table" / "_delta_log").glob("*.json"):
        actions = [json.loads(line) for line in file.read_text().splitlines()]
        found += any(action.get("txn", {}).get("appId") == f"ostinato/table/part={part}" for action in actions)
    return found


def test_processes_that_write_different_partitions_do_not_hinder_each_other(tmp_path: Path, start: Starter) -> None:
    parts = ["a", "b", "c", "d"]
    attempts = [start(part, 5, "many") for part in parts]
    for attempt in attempts:
        attempt.reach()
    for attempt in attempts:
        attempt.go_on()
    for attempt in attempts:
        assert attempt.result() == {"rows": 50, "repeated": False, "rejected": 1}
    assert content(tmp_path) == {part: [5] * 50 for part in parts}
    assert [commits(tmp_path, part) for part in parts] == [5, 5, 5, 5]


def test_r6_one_attempt_executed_twice_at_once_commits_once(tmp_path: Path, start: Starter) -> None:
    deliver(tmp_path, "a", told=1)
    attempts = [start("a", 7, "claimed"), start("a", 7, "claimed")]
    for attempt in attempts:
        attempt.reach()
    for attempt in attempts:
        attempt.go_on()
    first, second = attempts
    answers = [answer_of(first), answer_of(second)]
    assert sorted(answer["repeated"] for answer in answers) == [False, True]
    assert [answer["rows"] for answer in answers] == [50, 50]
    assert commits(tmp_path, "a") == 1
    assert content(tmp_path) == {"a": [1] * 50}


def answer_of(attempt: Attempt) -> dict[str, Any]:
    """What it says at last; it may stop once more, at another try."""
    while (said := attempt.say()).startswith("at "):
        attempt.go_on()
    return json.loads(said)


@pytest.mark.parametrize("stop", ["claimed", "writing", "committed"])
@pytest.mark.parametrize("later", [7, 8])
def test_after_a_kill_at_any_point_the_next_attempt_gives_the_same_content(
    stop: str, later: int, tmp_path: Path, start: Starter
) -> None:
    deliver(tmp_path, "a", told=1)
    deliver(tmp_path, "b", told=1)
    landed(tmp_path, "a", 1)
    landed(tmp_path, "b", 1)
    deliver(tmp_path, "a", told=2)
    attempt = start("a", 7, stop)
    attempt.reach()
    attempt.kill()
    assert content(tmp_path) == {"a": [2 if stop == "committed" else 1] * 50, "b": [1] * 50}
    letters = dead_letters.place(tmp_path / "dlq", "numbers", Partition.of({"part": "a"}))
    before = letters.read_bytes()
    assert landed(tmp_path, "a", later).repeated == (stop == "committed" and later == 7)
    assert content(tmp_path) == {"a": [2] * 50, "b": [1] * 50}
    assert letters.read_bytes() == before
    digest = digest_table(tmp_path / "table")
    assert not landed(tmp_path, "a", 9).repeated
    assert digest_table(tmp_path / "table") == digest


@pytest.mark.parametrize("stop", ["claimed", "writing"])
def test_r9_an_attempt_that_was_overtaken_while_it_worked_changes_nothing(
    stop: str, tmp_path: Path, start: Starter
) -> None:
    deliver(tmp_path, "a", told=1)
    landed(tmp_path, "a", 1)
    late = start("a", 2, stop)
    late.reach()
    deliver(tmp_path, "a", told=3)
    landed(tmp_path, "a", 3)
    late.go_on()
    assert late.result() == {"error": "StaleWriter"}
    assert content(tmp_path) == {"a": [3] * 50}
    assert commits(tmp_path, "a") == 2


def test_a_late_attempt_touches_neither_table_nor_dead_letters(tmp_path: Path) -> None:
    deliver(tmp_path, "a", told=2)
    landed(tmp_path, "a", 2)
    letters = dead_letters.place(tmp_path / "dlq", "numbers", Partition.of({"part": "a"}))
    before = letters.read_bytes()
    deliver(tmp_path, "a", told=1, rows=10)
    with pytest.raises(StaleWriter, match="attempt 1 of part=a comes after attempt 2") as caught:
        landed(tmp_path, "a", 1)
    assert caught.value.error_class == "logic"
    assert letters.read_bytes() == before
    assert content(tmp_path) == {"a": [2] * 50}


def test_a_reader_never_sees_a_part_of_a_partition(tmp_path: Path, start: Starter) -> None:
    for part in "ab":
        deliver(tmp_path, part, told=0)
        landed(tmp_path, part, 0)
    writers = [start(part, 8, "many") for part in "ab"]
    for writer in writers:
        writer.reach()
    for writer in writers:
        writer.go_on()
    looks: list[dict[str, list[int]]] = []
    while any(writer.process.poll() is None for writer in writers):
        looks.append(content(tmp_path))
    for seen in looks:
        assert {part: (len(tells), len(set(tells))) for part, tells in seen.items()} == {"a": (50, 1), "b": (50, 1)}
    assert content(tmp_path) == {"a": [8] * 50, "b": [8] * 50}
    assert looks


def rows(part: str, numbers: list[int]) -> Callable[[], pa.RecordBatchReader]:
    table = pa.table({"part": [part] * len(numbers), "n": numbers, "told": numbers}, schema=SCHEMA)
    return table.to_reader


def test_the_log_names_the_run_and_the_partition_alone_changes(tmp_path: Path) -> None:
    target = Target(tmp_path / "table", Partition.of({"part": "a/b=c'd"}), 3)
    assert commit(target, rows("a/b=c'd", [1, 2]), metadata={"run_id": "r", "attempt": "3"}).rows == 2
    assert commit(Target(target.table, Partition.of({"part": "e"}), 4), rows("e", [5])).rows == 1
    assert commit(Target(target.table, target.partition, 5), rows("a/b=c'd", [])).rows == 0
    assert content(tmp_path) == {"e": [5]}
    entry = DeltaTable(target.table).history()[-2]
    assert (entry["run_id"], entry["attempt"]) == ("r", "3")


def test_a_table_may_be_created_before(tmp_path: Path) -> None:
    for _ in range(2):
        create_table(tmp_path / "deep" / "table", SCHEMA, ["part"])
    target = Target(tmp_path / "deep" / "table", Partition.of({"part": "a"}), 1)
    assert commit(target, rows("a", [1])).version == 1


def test_rows_that_do_not_fit_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    target = Target(tmp_path / "table", Partition.of({"part": "a"}), 1)
    commit(target, rows("a", [1]))
    later = Target(target.table, target.partition, 2)
    with pytest.raises(CommitRefused, match="failed validation"):
        commit(later, rows("b", [1]))
    with pytest.raises(CommitRefused, match="another schema"):
        commit(later, pa.table({"part": ["a"], "n": [1]}).to_reader)
    assert content(tmp_path) == {"a": [1]}
    assert claim(later).handle.version() == 1  # type: ignore[union-attr]


def test_a_folder_whose_log_is_damaged_is_no_table(tmp_path: Path) -> None:
    log = tmp_path / "table" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("garbage")
    with pytest.raises(TableUnreadable) as caught:
        commit(Target(tmp_path / "table", Partition.of({"part": "a"}), 1), rows("a", [1]))
    assert caught.value.where == str(tmp_path / "table")


def contender(root: Path, times: int) -> tuple[Callable[[], pa.RecordBatchReader], list[float]]:
    """Rows during whose writing somebody else commits the partition, so many times; and the waits that follow."""
    left = [times]

    def contended() -> pa.RecordBatchReader:
        if left[0]:
            left[0] -= 1
            write_deltalake(
                root / "table",
                rows("a", [0])(),
                mode="overwrite",
                predicate="part = 'a'",
                commit_properties=CommitProperties(app_transactions=[Transaction("somebody", left[0])]),
            )
        return rows("a", [1])()

    return contended, []


def test_a_lost_race_is_run_again_on_the_newest_version(tmp_path: Path) -> None:
    target = Target(tmp_path / "table", Partition.of({"part": "a"}), 1)
    create_table(target.table, SCHEMA, ["part"])
    contended, waits = contender(tmp_path, 3)
    commit(target, contended, wait=waits.append)
    assert content(tmp_path) == {"a": [1]}
    assert len(waits) == 3
    assert all(0 < wait <= 2 for wait in waits)


def test_races_lost_for_ever_end_as_transient(tmp_path: Path) -> None:
    target = Target(tmp_path / "table", Partition.of({"part": "a"}), 1)
    create_table(target.table, SCHEMA, ["part"])
    contended, waits = contender(tmp_path, 1_000)
    with pytest.raises(CommitContended) as caught:
        commit(target, contended, wait=waits.append)
    assert caught.value.error_class == "transient"
    assert content(tmp_path) == {"a": [0]}


@pytest.mark.parametrize(
    ("careless", "words"),
    [({}, r"version 3 touched {'part': 'b'}"), ({"schema_mode": "overwrite"}, "changed the table's definition")],
)
def test_a_commit_that_touched_more_than_its_partition_is_noticed(
    careless: dict[str, str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fence, part in enumerate("ab"):
        commit(Target(tmp_path / "table", Partition.of({"part": part}), fence), rows(part, [1]))

    def write(handle: DeltaTable, data: pa.RecordBatchReader, *, predicate: str, **options: object) -> None:
        assert predicate
        write_deltalake(handle, data, **options, **careless)  # type: ignore[call-overload]

    monkeypatch.setattr(committing, "write_deltalake", write)
    wider = pa.table({"part": ["a"], "n": [1], "told": [1], "more": [1]}) if careless else rows("a", [2])().read_all()
    with pytest.raises(CommitOutsidePartition, match=words):
        commit(Target(tmp_path / "table", Partition.of({"part": "a"}), 5), wider.to_reader)


@pytest.mark.parametrize(("number", "kind"), [(28, OutOfResources), (5, StorageUnavailable), (13, CommitRefused)])
def test_what_the_system_says_decides_whether_to_try_again(
    number: int, kind: type[DataError], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> None:
        raise DeltaError(f"Generic LocalFileSystem error: it did not work (os error {number})")

    monkeypatch.setattr(committing, "write_deltalake", failing)
    with pytest.raises(kind, match="it did not work"):
        commit(Target(tmp_path / "table", Partition.of({"part": "a"}), 1), rows("a", [1]))


def test_a_fence_is_a_number_that_a_table_can_keep(tmp_path: Path) -> None:
    for fence in (-1, 2**63):
        with pytest.raises(TargetInvalid):
            Target(tmp_path, Partition.of({"part": "a"}), fence)
