"""The digest depends on every value and on nothing else."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ostinato_data import Partition
from ostinato_data.commit import Target, commit
from ostinato_data.digest import Digest, digest, digest_table
from ostinato_data.errors import TableUnreadable

SCHEMA = pa.schema([("t", pa.string()), ("u", pa.string()), ("i", pa.int64()), ("f", pa.float64())])
CELLS = st.none() | st.sampled_from(["", "~", ",", "1:,", "a", "é", "NULL", "a,b"])
ROWS = st.tuples(CELLS, CELLS, st.none() | st.integers(-2, 2), st.none() | st.sampled_from([0.0, 0.1, 1e300, -5.5]))


def of(rows: list[tuple[object, ...]], schema: pa.Schema = SCHEMA, size: int = 1000) -> Digest:
    columns = [pa.array([row[n] for row in rows], field.type) for n, field in enumerate(schema)]
    table = pa.table(columns, schema=schema)
    return digest(pa.RecordBatchReader.from_batches(schema, table.to_batches(size)))


@given(st.lists(ROWS, max_size=6), st.randoms(), st.integers(1, 4))
@settings(max_examples=30)
def test_order_and_batches_do_not_matter(rows: list[tuple[object, ...]], random: object, size: int) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert of(rows) == of(shuffled, size=size)


@given(st.lists(ROWS, max_size=4), st.lists(ROWS, max_size=4))
@settings(max_examples=60)
def test_different_rows_have_different_digests(one: list[tuple[object, ...]], other: list[tuple[object, ...]]) -> None:
    same = sorted(map(repr, one)) == sorted(map(repr, other))
    assert (of(one) == of(other)) == same


def test_a_null_is_no_empty_text_and_a_repetition_counts() -> None:
    empty, null = ("", "", 0, 0.0), (None, "", 0, 0.0)
    assert len({of(rows).hex for rows in ([], [empty], [null], [empty, empty], [null, null], [empty, null])}) == 6


def test_the_order_of_columns_does_not_matter_but_their_names_and_types_do() -> None:
    row = pa.table({"a": [1], "b": ["x"]})
    assert digest(row.to_reader()) == digest(row.select(["b", "a"]).to_reader())
    assert digest(row.to_reader()) != digest(row.rename_columns(["a", "c"]).to_reader())
    assert digest(row.to_reader()) != digest(row.cast(pa.schema([("a", pa.int32()), ("b", pa.string())])).to_reader())


def test_the_way_text_is_laid_out_does_not_matter() -> None:
    kinds = [pa.string(), pa.large_string(), pa.string_view()]
    assert len({digest(pa.table({"a": pa.array(["x", None], kind)}).to_reader()).hex for kind in kinds}) == 1


def test_every_type_counts() -> None:
    values = {
        pa.date32(): [date(2013, 1, 1), date(2013, 1, 2)],
        pa.timestamp("us", "UTC"): [datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 1, 0, 0, 0, 1, tzinfo=UTC)],
        pa.decimal128(5, 2): [Decimal("1.10"), Decimal("1.11")],
        pa.bool_(): [True, False],
        pa.binary(): [b"\xff", b"\\xFF"],
        pa.list_(pa.string()): [["a, b"], ["a", "b"]],
    }
    for kind, (one, other) in values.items():
        digests = {digest(pa.table({"a": pa.array([value], kind)}).to_reader()).hex for value in (one, other, None)}
        assert len(digests) == 3, kind


def test_the_layout_of_a_table_in_files_does_not_matter(tmp_path: Path) -> None:
    def rows(part: str, numbers: list[int]) -> pa.Table:
        return pa.table({"p": [part] * len(numbers), "n": numbers})

    for name, order in (("one", "ab"), ("other", "ba")):
        for fence, part in enumerate(order):
            target = Target(tmp_path / name, Partition.of({"p": part}), fence)
            commit(target, rows(part, [1, 2] if name == "one" else [2, 1]).to_reader)
    one, other = tmp_path / "one", tmp_path / "other"
    assert digest_table(one) == digest_table(other)
    assert digest_table(one, Partition.of({"p": "a"})) == digest(rows("a", [2, 1]).to_reader())
    assert digest_table(one, version=1) != digest_table(one)


def test_where_there_is_no_table_there_is_no_digest(tmp_path: Path) -> None:
    with pytest.raises(TableUnreadable, match="there is no table"):
        digest_table(tmp_path / "none")
