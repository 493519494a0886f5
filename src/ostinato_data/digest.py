"""The digest of a table's content: equal for equal content, however its rows are ordered and laid out in files.

Each row becomes a canonical text: its columns in the order of their names, each value as DuckDB writes it, followed by a
comma, text with its length before it, ``~`` for NULL. No two different rows have the same text. The rows' 128-bit hashes
are added up, as two integers, so that order does not matter but repetition does. The digest hashes these sums, the number
of rows, and the columns' names and types. It finds differences; it is no protection against forgery.
"""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from .commit import open_table
from .criteria import identifier
from .engine import session
from .errors import TableUnreadable
from .partition import Partition


@dataclass(frozen=True, slots=True)
class Digest:
    """How many rows there are, and the name of their content, in hex."""

    rows: int
    hex: str


def digest_table(table: Path, partition: Partition | None = None, version: int | None = None) -> Digest:
    """The digest of a Delta table or of one partition, now or as of a version. Raises TableUnreadable."""
    handle = open_table(table, version)
    if handle is None:
        raise TableUnreadable("there is no table", where=table)
    return digest(pa.RecordBatchReader.from_stream(handle.scan(predicate=partition.predicate if partition else None)))


def digest(rows: pa.RecordBatchReader) -> Digest:
    """The digest of a stream of rows."""
    columns = sorted((field.name, *_canonical(field)) for field in rows.schema)
    schema = ",".join(f"{identifier(name)} {kind}" for name, kind, _ in columns)
    text = ", ".join(f"{value}, ','" for _, _, value in columns)
    sums = "count(*), sum(md5_number_lower(row)), sum(md5_number_upper(row))"
    with session() as engine:
        engine.register("__rows", rows)
        [(count, low, high)] = engine.execute(
            f"SELECT {sums} FROM (SELECT concat({text}) AS row FROM __rows)"  # noqa: S608 - names are quoted
        ).fetchall()
    return Digest(count, blake2b(f"{schema};{count};{low};{high}".encode(), digest_size=16).hexdigest())


def _canonical(field: pa.Field) -> tuple[str, str]:
    """The type's name, the same for all ways Arrow lays out text, and the SQL of a value's canonical text."""
    name, kind = identifier(field.name), field.type
    if pa.types.is_nested(kind):
        return str(kind), _measured(f"to_json({name})::VARCHAR")
    if any(fits(kind) for fits in (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)):
        return "text", _measured(name)
    if any(fits(kind) for fits in (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)):
        return "binary", _measured(f"hex({name})")
    return str(kind), f"coalesce({name}::VARCHAR, '~')"


def _measured(text: str) -> str:
    return f"coalesce(strlen({text}) || ':' || {text}, '~')"
