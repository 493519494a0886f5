"""Reading a file in pieces: every size of piece gives the same records, and what cannot be a delivery is refused."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostinato_data import records, source
from ostinato_data.errors import DataError, HeaderMismatch, SourceChanged, SourceUnreadable, StorageUnavailable
from ostinato_data.records import TOO_LONG
from ostinato_data.source import Source
from tests.unit.data.csv_mess import MESS

Seen = list[tuple[int, int, tuple[str, ...], tuple[bytes, ...]]]


def seen(path: Path, columns: tuple[str, ...]) -> Seen:
    """Every record of a file, by its place in the file, as read and as read again."""
    opened = Source(path, columns)
    found: Seen = []
    try:
        for piece in opened.pieces():
            once = piece.records(len(columns))
            assert opened.again(piece).records(len(columns)) == once
            found += [(piece.offset + r.start, r.stop - r.start, r.broken, r.garbled) for r in once]
    finally:
        opened.close()
    return found


@given(data=MESS, block=st.integers(1, 30), ends=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_size_of_the_pieces_does_not_matter(
    data: bytes, block: int, ends: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,b\n" + (data if ends else data.removesuffix(b"\n")))
    with monkeypatch.context() as patched:
        patched.setattr(source, "BLOCK", 1 << 20)
        whole = seen(path, ("a", "b"))
        patched.setattr(source, "BLOCK", max(block, 4))
        assert seen(path, ("a", "b")) == whole


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_without_an_end_in_sight_is_passed_over(
    end: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a,b\n1,2\n" + b"x" * 5_000 + b"\n3,4\n" + b"y" * 3_000 + end)
    monkeypatch.setattr(source, "BLOCK", 256)
    for module in (source, records):
        monkeypatch.setattr(module, "RECORD_LIMIT", 1_000)
    assert [(offset, length, broken) for offset, length, broken, _ in seen(path, ("a", "b"))] == [
        (4, 3, ()),
        (8, 5_000, (TOO_LONG,)),
        (5_009, 3, ()),
        (5_013, 3_000, (TOO_LONG,)),
    ]


@pytest.mark.parametrize(
    ("content", "body"), [(b"\xef\xbb\xbfa,b\n", 7), (b"\n\r\na,b\r\n", 8), (b"a,b", 3), (b'"b","a"\n', 8)]
)
def test_a_header_may_be_written_in_several_ways(content: bytes, body: int, tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    assert seen(path, ("a", "b")) == []
    path.write_bytes(content + b"\n1,2\n")
    assert [offset for offset, *_ in seen(path, ("a", "b"))] == [body + 1]


@pytest.mark.parametrize(
    ("content", "kind", "words"),
    [
        (b"", SourceUnreadable, "not even a header"),
        (b"\n\n", SourceUnreadable, "not even a header"),
        (b"\xef\xbb\xbf", SourceUnreadable, "not even a header"),
        (b"a\n1\n", HeaderMismatch, "missing columns: 'b'"),
        (b"a,b,c\n", HeaderMismatch, "unknown columns: 'c'"),
        (b"a,b,b\n", HeaderMismatch, "columns twice: 'b'"),
        (b"a,\xff\n", HeaderMismatch, "missing columns: 'b'"),
        (b"a,b\r1,2\r", HeaderMismatch, "carriage return"),
        (b'a,"b\n1,2\n', HeaderMismatch, "broken quotes"),
    ],
)
def test_a_file_whose_header_does_not_fit_is_refused_as_a_whole(
    content: bytes, kind: type[DataError], words: str, tmp_path: Path
) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    with pytest.raises(kind, match=words) as caught:
        Source(path, ("a", "b"))
    assert caught.value.where == str(path)
    assert caught.value.error_class == "logic"


def test_a_long_list_of_columns_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a\n")
    with pytest.raises(HeaderMismatch, match="'c9' and 20 more"):
        Source(path, tuple(f"c{n}" for n in range(30)))


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    for path, words in ((tmp_path / "none.csv", "No such file"), (tmp_path, "not a file")):
        with pytest.raises(SourceUnreadable, match=words):
            Source(path, ("a",))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(SourceUnreadable, match="not a file"):
        Source(pipe, ("a",))


def test_a_file_that_the_system_cannot_read_now_may_be_read_later() -> None:
    with pytest.raises(StorageUnavailable, match="Input/output error") as caught:
        Source(Path("/proc/self/mem"), ("a",))  # nothing lies at its beginning
    assert caught.value.error_class == "transient"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a\n")
    path.chmod(0)
    with pytest.raises(SourceUnreadable, match="Permission denied"):
        Source(path, ("a",))


def test_a_file_rewritten_in_place_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"a\n1\n")
    opened = Source(path, ("a",))
    with path.open("ab") as file:
        file.write(b"2\n")
    with pytest.raises(SourceChanged) as caught:
        list(opened.pieces())
    opened.close()
    assert caught.value.error_class == "transient"


def test_a_file_replaced_by_a_rename_is_read_as_it_was(tmp_path: Path) -> None:
    path, newer = tmp_path / "in.csv", tmp_path / "new.csv"
    path.write_bytes(b"a\n1\n")
    newer.write_bytes(b"a\n2\n")
    opened = Source(path, ("a",))
    newer.replace(path)
    [piece] = opened.pieces()
    assert piece.data == b"1\n"
    assert opened.again(piece).data == b"1\n"
    opened.close()
