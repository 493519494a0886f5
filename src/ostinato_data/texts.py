"""Records as Arrow tables of text: one column for each of the contract's, nothing typed yet, nulls already null."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pacsv

from .contract import Contract
from .criteria import text_column
from .judge import ROW
from .records import Record, split
from .source import Piece


@dataclass(frozen=True, slots=True)
class Parsed:
    """The well-formed records of a piece. ``positions`` are theirs among all ``count`` records of the piece."""

    table: pa.Table
    positions: Sequence[int]
    count: int

    def numbered(self, first: int) -> pa.Table:
        """The table with each record's running number, if the piece's first record is the ``first``."""
        whole = len(self.positions) == self.count
        numbers = range(first, first + self.count) if whole else [first + position for position in self.positions]
        return self.table.append_column(ROW, pa.array(numbers, pa.int64()))


def parse(piece: Piece, columns: Sequence[str], contract: Contract) -> Parsed:
    """Parse what can be parsed of a piece of a file that has these columns, in this order."""
    if piece.sound is not False:
        with suppress(pa.ArrowInvalid):  # a record has the wrong number of columns: only looking at each tells which
            table = _parse(piece.data, columns, contract)
            return Parsed(table, range(len(table)), len(table))
    records = piece.records(len(columns))
    positions = [n for n, record in enumerate(records) if record.sound]
    lines = b"".join(piece.data[records[n].start : records[n].stop] + b"\n" for n in positions)
    table = _parse(lines, columns, contract)
    assert len(table) == len(positions), f"{len(positions)} records were parsed as {len(table)}"
    return Parsed(table, positions, len(records))


def fields_of(record: Record, data: bytes) -> list[str | None] | None:
    """The text of each field as it lies in the file, None for one that is no text; None if there are no such fields."""
    if record.broken:
        return None
    return [_decoded(field) for field in record.garbled or split(data[record.start : record.stop])]


def tabulate(rows: Mapping[int, Sequence[str | None]], columns: Sequence[str], contract: Contract) -> pa.Table:
    """Rows of fields, by their running numbers, as a table like ``parse`` makes, with the numbers."""
    arrays = [pa.array(list(rows), pa.int64())]
    for position in range(len(columns)):
        texts = [fields[position] for fields in rows.values()]
        arrays.append(pa.array([None if text in contract.null_values else text for text in texts], pa.string()))
    return pa.table(arrays, names=[ROW, *_names(columns, contract)])


def _parse(lines: bytes, columns: Sequence[str], contract: Contract) -> pa.Table:
    names = _names(columns, contract)
    if not lines:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    return pacsv.read_csv(
        pa.BufferReader(lines),
        pacsv.ReadOptions(use_threads=False, column_names=names, block_size=len(lines) + 1),
        pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=True),
        pacsv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            null_values=list(contract.null_values),
            strings_can_be_null=True,
        ),
    )


def _names(columns: Sequence[str], contract: Contract) -> list[str]:
    positions = {column.name: position for position, column in enumerate(contract.columns)}
    return [text_column(positions[name]) for name in columns]


def _decoded(field: bytes) -> str | None:
    try:
        return field.decode()
    except UnicodeDecodeError:
        return None
