"""Splitting the records of CSV files into good rows, typed, and rejects, each with every reason. Nothing is dropped.

One pass over the files in memory that does not grow with them: pieces of whole records (``records``, ``source``), parsed
to columns of text (``texts``; always all columns), typed and judged by the engine (``judge``). Then duplicates of the key
are found: of records that are otherwise good the first by position is kept. Rejects are explained on demand, by reading
again just the pieces that have some.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from .contract import Contract
from .engine import session, stream
from .judge import GOOD_ROWS, Judge
from .partition import PartitionValue
from .records import NOT_UTF8, Record
from .reject import Reject
from .source import Piece, Source
from .texts import fields_of, parse, tabulate

DUPLICATE: Final = "duplicate key"


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A piece of a source without its data. Its records have the running numbers from ``first`` on."""

    source: Source
    first_of_source: int
    first: int
    piece: Piece


class Checked:
    """The outcome of a check, valid while its ``with`` block is open. ``total == kept + rejected``.

    ``engine`` is the DuckDB connection that holds the rows, ``table`` their name in it.
    """

    table = GOOD_ROWS

    def __init__(self, judge: Judge, contract: Contract, sources: Sequence[Source]) -> None:
        self.engine = judge.engine
        self._judge = judge
        self._contract = contract
        self._pieces: list[_Indexed] = []
        self.total = 0
        for source in sources:
            self._load(source)
        self.kept = judge.settle()
        self.rejected = self.total - self.kept

    def relation(self) -> duckdb.DuckDBPyRelation:
        """The good rows as a DuckDB relation with the contract's columns, in the order of the files."""
        return self.engine.sql(f"FROM {self.table}")

    def rows(self) -> pa.RecordBatchReader:
        """The good rows as an Arrow stream, in the order of the files."""
        return stream(self.engine, self.table)

    def rejects(self) -> Iterator[Reject]:
        """Every rejected record once, in the order of the files, with all its reasons. May be asked again."""
        with_bad = self._judge.pieces_with_bad()
        for number, indexed in enumerate(self._pieces):
            if number in with_bad or not indexed.piece.sound:
                yield from self._explain(number, indexed)

    def _load(self, source: Source) -> None:
        first_of_source = self.total
        for piece in source.pieces():
            parsed = parse(piece, source.columns, self._contract)
            self._judge.take(len(self._pieces), parsed.numbered(self.total))
            known = replace(piece, data=b"", sound=len(parsed.positions) == parsed.count)
            self._pieces.append(_Indexed(source, first_of_source, self.total, known))
            self.total += parsed.count

    def _explain(self, number: int, indexed: _Indexed) -> Iterator[Reject]:
        """The rejects of one piece, which is read again."""
        piece = indexed.source.again(indexed.piece)
        columns = indexed.source.columns
        bad = self._judge.bad_rows(number)
        records = enumerate(piece.records(len(columns)), start=indexed.first)
        rejected = {row: record for row, record in records if row in bad or not record.sound}
        fields = {row: fields_of(record, piece.data) for row, record in rejected.items()}
        judged = {row: texts for row, texts in fields.items() if texts is not None}
        failed = self._judge.failed(tabulate(judged, columns, self._contract)) if judged else {}
        for row, record in rejected.items():
            texts = dict(zip(columns, fields[row] or (), strict=False))
            garbled = [name for name, text in texts.items() if text is None]
            reasons = (
                *record.broken,
                *(f"{name}: {NOT_UTF8}" for name in garbled),
                *(each.reason for each in failed.get(row, ()) if each.column not in garbled),
                *((DUPLICATE,) if bad.get(row) else ()),
            )
            assert reasons, f"record {row} is rejected for nothing"
            readable = {name: text for name, text in texts.items() if text is not None}
            yield _reject(indexed, row, record, reasons, readable, piece.raw(record))


@contextmanager
def check(
    contract: Contract, *paths: Path | str, given: Mapping[str, PartitionValue] | None = None
) -> Generator[Checked]:
    """Check CSV files against a contract; the order of the paths is the order of their records.

    ``given`` are the values of the ``$names`` in the contract's rules: those of the partition that is to be filled.
    Raises SourceUnreadable, HeaderMismatch, SourceChanged, StorageUnavailable or OutOfResources if a file as a whole
    cannot be used, and ContractInvalid if a rule or pattern cannot be.
    """
    expected = tuple(column.name for column in contract.columns)
    with ExitStack() as stack:
        sources: list[Source] = []
        for path in paths:
            sources.append(Source(Path(path), expected))
            stack.callback(sources[-1].close)
        engine = stack.enter_context(session())
        yield Checked(Judge(engine, contract, given or {}), contract, sources)


def _reject(
    indexed: _Indexed, row: int, record: Record, reasons: tuple[str, ...], fields: dict[str, str], raw: bytes
) -> Reject:
    return Reject(
        source_file=str(indexed.source.path),
        record_no=row - indexed.first_of_source + 1,
        byte_offset=indexed.piece.offset + record.start,
        byte_length=record.stop - record.start,
        reasons=reasons,
        raw=raw,
        fields=fields or None,
    )
