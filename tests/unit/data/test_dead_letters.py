"""Dead letters are written whole, the same bytes for the same rejects, and come back as they went in."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato_data import Partition, dead_letters, write_whole
from ostinato_data.errors import DeadLettersUnreadable, TargetInvalid
from ostinato_data.reject import Reject

REJECTS = st.builds(
    Reject,
    source_file=st.text(max_size=5),
    record_no=st.integers(1),
    byte_offset=st.integers(0),
    byte_length=st.integers(0),
    reasons=st.lists(st.text(), max_size=3).map(tuple),
    raw=st.binary(max_size=20),
    fields=st.none() | st.dictionaries(st.text(), st.text(), min_size=1, max_size=3),
)
ONE = Reject("in.csv", 3, 20, 4, ("a: missing",), b",1,2", {"b": "1"})
MAY_1 = Partition.of({"date": date(2013, 5, 1)})


@given(REJECTS)
def test_a_reject_survives_its_line(reject: Reject) -> None:
    line = reject.line()
    assert line.count(b"\n") == 1
    assert Reject.from_line(line) == reject


def test_they_lie_under_asset_and_partition(tmp_path: Path) -> None:
    path = dead_letters.place(tmp_path, "flights", MAY_1)
    assert path == tmp_path / "flights" / "date=2013-05-01" / "errors.json"
    with pytest.raises(TargetInvalid):
        dead_letters.place(tmp_path, "../flights", MAY_1)


def test_they_are_counted_by_reason_and_can_be_read(tmp_path: Path) -> None:
    path = dead_letters.place(tmp_path, "flights", MAY_1)
    two = Reject("in.csv", 4, 30, 2, ("b: missing", "a: missing"), b"\xff,")
    letters = dead_letters.write(path, iter([ONE, two]))
    assert letters == dead_letters.DeadLetters(path, 2, {"a: missing": 2, "b: missing": 1})
    assert list(dead_letters.read(path)) == [ONE, two]
    assert dead_letters.find(tmp_path) == dead_letters.find(tmp_path, "flights") == [path]
    assert dead_letters.find(tmp_path, "weather") == []


def test_none_left_means_no_file(tmp_path: Path) -> None:
    path = dead_letters.place(tmp_path, "flights", MAY_1)
    assert dead_letters.write(path, []) == dead_letters.DeadLetters(None, 0, {})
    dead_letters.write(path, [ONE])
    assert path.exists()
    dead_letters.write(path, [])
    assert not path.exists()


def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = dead_letters.place(tmp_path, "flights", MAY_1)
    dead_letters.write(path, [ONE])
    before = path.read_bytes()

    def failing():
        yield ONE
        yield ONE
        raise MemoryError

    with pytest.raises(MemoryError):
        dead_letters.write(path, failing())
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b"no json", b'{"raw": 1}', b'{"raw_base64": "?"}'])
def test_a_damaged_line_is_no_dead_letter(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "errors.json"
    write_whole(path, [ONE.line(), line, b"\n"])
    with pytest.raises(DeadLettersUnreadable):
        list(dead_letters.read(path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeadLettersUnreadable, match="No such file") as caught:
        list(dead_letters.read(tmp_path / "errors.json"))
    assert caught.value.where == str(tmp_path / "errors.json")
