"""Where records begin and end, held against a slow reading of the same grammar, and against Arrow's parser."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ostinato_data import Column, Contract, records
from ostinato_data.records import (
    BROKEN_QUOTES,
    CARRIAGE_RETURN,
    NOT_UTF8,
    TOO_FEW,
    TOO_MANY,
    Record,
    sound,
    split,
    walk,
)
from ostinato_data.source import Piece
from ostinato_data.texts import fields_of, parse
from tests.unit.data.csv_mess import MESS

WIDTH = st.integers(1, 4)


def fields_by_hand(data: bytes, start: int) -> tuple[list[bytes], int] | None:
    """The fields of the well-formed record at ``start`` and where it ends, one byte at a time; None if it is none."""
    fields: list[bytes] = []
    at = start
    while True:
        field = b""
        if data[at : at + 1] == b'"':
            at += 1
            while data[at : at + 1] != b'"' or data[at : at + 2] == b'""':
                if at >= len(data):
                    return None
                step = 2 if data[at : at + 2] == b'""' else 1
                field += data[at : at + 1]
                at += step
            at += 1
        else:
            while data[at : at + 1] not in {b",", b"\n", b"\r", b""}:
                field += data[at : at + 1]
                at += 1
        fields.append(field)
        if data[at : at + 1] == b",":
            at += 1
        elif data[at : at + 1] == b"\n" or data[at : at + 2] == b"\r\n":
            return fields, at
        else:
            return None


def records_by_hand(data: bytes) -> list[tuple[int, int, list[bytes] | None]]:
    """Each record's start, stop and fields (None if it is broken)."""
    found: list[tuple[int, int, list[bytes] | None]] = []
    at = 0
    while at < len(data):
        newline = data.index(b"\n", at)
        line = data[at:newline].removesuffix(b"\r")
        if line:
            read = fields_by_hand(data, at)
            stop = at + len(line) if read is None else read[1]
            found.append((at, stop, None if read is None else read[0]))
            newline = data.index(b"\n", stop)
        at = newline + 1
    return found


def expected(data: bytes, width: int, start: int, stop: int, fields: list[bytes] | None) -> tuple[bool, bool]:
    """Whether a record is broken, and whether it is garbled."""
    try:
        data[start:stop].decode()
        text = True
    except UnicodeDecodeError:
        text = False
    broken = fields is None or len(fields) != width
    return broken, not broken and not text


@given(MESS, WIDTH)
@example(b'1,"2\n3,4\n', 2)
@example(b'1,"2\n3",4\n', 2)
@example(b'"\n"\n', 1)
def test_every_byte_that_is_no_line_end_is_in_exactly_the_record_the_grammar_says(data: bytes, width: int) -> None:
    found, consumed = walk(data, width, last=True)
    by_hand = records_by_hand(data)
    assert consumed == len(data)
    assert [(r.start, r.stop) for r in found] == [(start, stop) for start, stop, _ in by_hand]
    for record, (start, stop, fields) in zip(found, by_hand, strict=True):
        assert (bool(record.broken), bool(record.garbled)) == expected(data, width, start, stop, fields)
        if record.sound:
            assert split(data[start:stop]) == fields


@given(MESS, WIDTH)
@example(b'a"\n', 2)
def test_the_quick_verdict_never_contradicts_the_slow_one(data: bytes, width: int) -> None:
    found, _ = walk(data, width, last=True)
    verdict = sound(data, width)
    if verdict:
        assert all(record.sound for record in found)
    if verdict is None:
        assert {reason for record in found for reason in record.broken} <= {TOO_FEW, TOO_MANY}
        assert not any(record.garbled for record in found)


@given(MESS, WIDTH)
@example(b'a"b,c\n', 2)
@example(b',\n"",NA\n', 2)
def test_the_parser_sees_the_same_records_and_fields(data: bytes, width: int) -> None:
    columns = [f"c{n}" for n in range(width)]
    contract = Contract("x", tuple(Column(name, "text", nullable=True) for name in columns), null_values=("NA",))
    found, _ = walk(data, width, last=True)
    parsed = parse(Piece(0, len(data), data, sound(data, width)), columns, contract)
    good = [n for n, record in enumerate(found) if record.sound]
    assert parsed.count == len(found)
    assert list(parsed.positions) == good
    rows = [list(row.values()) for row in parsed.table.to_pylist()]
    assert rows == [[None if t == "NA" else t for t in fields_of(found[n], data) or ()] for n in good]


@given(MESS, WIDTH, st.integers(0, 60))
def test_reading_in_two_parts_gives_the_same_records(data: bytes, width: int, cut: int) -> None:
    cut = data.find(b"\n", min(cut, len(data) - 1)) + 1
    whole, _ = walk(data, width, last=True)
    first, consumed = walk(data[:cut], width, last=False)
    rest, _ = walk(data[consumed:], width, last=True)
    moved = [record._replace(start=record.start + consumed, stop=record.stop + consumed) for record in rest]
    assert first + moved == whole


def test_each_way_to_be_broken_is_named() -> None:
    data = b'1,2,3\n1,2\n1,2,3,4\n1,"2,3\n1,2\r,3\n1,\xff\n1,\xff,3\n'
    broken = [record.broken for record in walk(data, 3, last=True)[0]]
    assert broken == [(), (TOO_FEW,), (TOO_MANY,), (BROKEN_QUOTES,), (CARRIAGE_RETURN,), (TOO_FEW, NOT_UTF8), ()]


def test_a_record_over_the_limit_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "RECORD_LIMIT", 10)
    data = b'1,2\n1,"' + b"x" * 20 + b'"\n3,4\n'
    assert sound(data, 2) is False
    assert [record.broken for record in walk(data, 2, last=True)[0]] == [(), (records.TOO_LONG,), ()]


def test_a_record_with_bad_bytes_only_keeps_its_fields() -> None:
    assert walk(b'1,"\xff",3\n', 3, last=True)[0] == [Record(0, 7, (), (b"1", b"\xff", b"3"))]


def test_a_stray_quote_costs_its_own_line_only() -> None:
    found, _ = walk(b'1,a\n2,"b\n3,c\n4,"d"\n5,e\n', 2, last=True)
    assert [record.sound for record in found] == [True, False, True, True, True]


def test_a_quoted_field_may_hold_everything() -> None:
    data = b'1,"a,""b""\r\n\nc"\n'
    [record], _ = walk(data, 2, last=True)
    assert split(data[record.start : record.stop]) == [b"1", b'a,"b"\r\n\nc']


def test_many_well_formed_quoted_records_are_recognised_at_once() -> None:
    data = b'"a","b ""c""","d\ne"\n' * 50_000
    assert sound(data, 3) is True
    assert sound(data, 2) is False
