"""The story of a run that is over, kept in little room: many lines in one compressed row.

A line takes 32 bytes as a row of `event`, and three to six in a pack. A run is written line by line while it goes on, since
each commit is to add what it decided and no more. Once it has ended nothing is added, and somebody who comes later puts its
lines into packs, in small portions. A pack holds the lines of a fixed stretch of numbers, and those that are packed come
before those that are not; so a page of a story is read from at most a few of them.
"""

import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import Any, Final

from msgspec import MsgspecError, Struct, msgpack
from sqlalchemy import ColumnElement, Connection, Engine, column, delete, exists, insert, select, table, tuple_

from ostinato.model.errors import InvariantBroken, StoreDamaged
from ostinato.model.record import LoggedEvent
from ostinato.model.time import Instant

from .codes import CAUSE_NAMES, STATE_NAMES
from .database import place, reading, writing
from .record import to_event
from .tables import event, event_pack, run

LINES: Final = 200
"""So many numbers to a pack: it stays below the quarter of a page from which on SQLite gives a row pages of its own."""

_PORTION: Final = 1_000
_RUNS: Final = 1_000
_SEVEN_BITS: Final = 0x7F


class _Pack(Struct, frozen=True, array_like=True):
    """Lines, column by column. Of what grows from line to line, only by how much; a column that never changes, once."""

    count: int
    seq: list[int]
    at: bytes
    cause: list[int]
    was: list[int]
    becomes: list[int]
    task_no: list[int | None]
    map_index: list[int]
    attempt: list[int | None]
    facts: list[str | None]

    def numbers(self) -> list[Any]:
        """The sequence numbers of the lines."""
        return _sums(_each(self.seq, self.count))


_ENCODER: Final = msgpack.Encoder()
_DECODER: Final = msgpack.Decoder(_Pack)

# without their types: a code stays a code
_COLUMNS: Final[list[ColumnElement[Any]]] = [column(name) for name in ("run_id", *_Pack.__struct_fields__[1:])]
_LINES: Final = select(*_COLUMNS).select_from(table(event.name))
_PACKS: Final = select(event_pack.c.run_id, event_pack.c.pack_no, event_pack.c.packed)


def pack(engine: Engine, before: Instant) -> Iterator[int]:
    """Pack the stories of runs that ended before an instant, a portion with each step; yields how many lines it packed.

    Raises what `writing` raises; what was done stays done, and who begins again goes on with the rest.
    """
    seen = 0
    while ended := deque(_ended(engine, before, seen)):
        seen = ended[-1]
        while ended:
            yield _pack_some(engine, ended)


def _ended(engine: Engine, before: Instant, after: int) -> list[int]:
    """The first runs whose story is not packed. Only what is not packed is looked at, however much is."""
    is_over = exists().where(run.c.run_id == event.c.run_id, run.c.finished_at < before)
    query = select(event.c.run_id).distinct().where(event.c.run_id > after, is_over)
    with reading(engine) as connection:
        return list(connection.scalars(query.order_by(event.c.run_id).limit(_RUNS)))


def _pack_some(engine: Engine, ended: "deque[int]") -> int:
    """Pack a portion of what the runs that stand first have, and take those that are done off the queue."""
    runs = list(islice(ended, _PORTION))
    of_runs = column(event.c.run_id.name).in_(runs)
    with writing(engine) as connection:
        rows = connection.execute(_LINES.where(of_runs).order_by(*_COLUMNS[:2]).limit(_PORTION)).all()
        stretches = [(key, list(lines)) for key, lines in groupby(rows, lambda row: (row.run_id, row.seq // LINES))]
        if len(rows) == _PORTION:  # of the last of them there may be more
            (unfinished, _), _ = stretches.pop()
            runs = runs[: runs.index(unfinished)]
        if stretches:
            _replace(connection, stretches)
    for _ in runs:
        ended.popleft()
    return sum(len(lines) for _, lines in stretches)


def _replace(connection: Connection, stretches: Sequence[tuple[tuple[int, int], Sequence[Any]]]) -> None:
    packs = [{"run_id": run_id, "pack_no": pack_no, "packed": _packed(lines)} for (run_id, pack_no), lines in stretches]
    connection.execute(insert(event_pack), packs)
    last = stretches[-1][1][-1]
    upto = tuple_(event.c.run_id, event.c.seq) <= tuple_(last.run_id, last.seq)
    runs = sorted({run_id for (run_id, _), _ in stretches})
    removed = connection.execute(delete(event).where(event.c.run_id.in_(runs), upto)).rowcount
    if removed != sum(len(lines) for _, lines in stretches):
        raise InvariantBroken(f"{removed} lines would be removed, of which not all are packed")


def lines(connection: Connection, run_id: int, after: int, limit: int) -> list[LoggedEvent]:
    """Those lines of a run after a sequence number that are packed, oldest first."""
    first = (after + 1) // LINES  # numbers follow each other, so every pack but the last is full
    query = _PACKS.where(event_pack.c.run_id == run_id, event_pack.c.pack_no >= first)
    rows = connection.execute(query.order_by(event_pack.c.pack_no).limit(limit // LINES + 2)).all()
    found = chain.from_iterable(_unpacked(run_id, _opened(connection, row)) for row in rows)
    return list(islice((line for line in found if line.seq > after), limit))


def damage(connection: Connection) -> list[str]:
    """What is wrong with the first pack that cannot be read, if there is one. Reads all of them."""
    with connection.execute(_PACKS, execution_options={"yield_per": _PORTION}) as rows:
        try:
            for row in rows:
                _opened(connection, row)
        except StoreDamaged as error:
            return [error.what]
    return []


def _packed(rows: Sequence[Any]) -> bytes:
    """Lines as one pack, which has a checksum of its bytes; each row is of `_LINES`."""
    _, seq, at, cause, was, becomes, task_no, map_index, attempt, facts = map(list[Any], zip(*rows, strict=True))
    whole = _Pack(
        len(rows),
        _once(_steps(seq)),
        _numbers(_steps(at)),
        cause,
        was,
        becomes,
        _steps(task_no),
        _once(map_index),
        _steps(attempt),
        _once(facts),
    )
    return zlib.compress(_ENCODER.encode(whole))


def _opened(connection: Connection, row: Any) -> _Pack:
    """A row of `_PACKS`. Raises StoreDamaged if it is not what was written, or not in its place."""
    run_id, pack_no, packed = row
    where = place(connection.engine)
    what = f"part {pack_no} of the story of run {run_id} cannot be read"
    try:
        whole = _DECODER.decode(zlib.decompress(packed))
    except (zlib.error, MsgspecError, TypeError) as error:
        raise StoreDamaged(f"{what}: {error}", where=where) from error
    if {seq // LINES for seq in whole.numbers()} != {pack_no}:
        raise StoreDamaged(f"{what}: its lines belong elsewhere", where=where)
    return whole


def _unpacked(run_id: int, whole: _Pack) -> list[LoggedEvent]:
    """The lines that `_packed` was given."""
    rows = zip(
        whole.numbers(),
        _sums(_numbers_in(whole.at)),
        (CAUSE_NAMES[code] for code in whole.cause),
        (STATE_NAMES[code] for code in whole.was),
        (STATE_NAMES[code] for code in whole.becomes),
        _sums(whole.task_no),
        _sums(whole.attempt),
        _each(whole.facts, whole.count),
        _each(whole.map_index, whole.count),
        strict=True,
    )
    return [to_event((run_id, *row)) for row in rows]


def _once(values: list[Any]) -> list[Any]:
    """A column, or if all its values are the same, that one."""
    return values[:1] if values.count(values[0]) == len(values) else values


def _each(values: list[Any], count: int) -> list[Any]:
    """The column that `_once` was given."""
    return values * count if len(values) == 1 else values


def _steps(numbers: Iterable[int | None]) -> list[Any]:
    """Of each number, by how much it is more than the one before it; of the first, than -1."""
    last = -1
    steps: list[int | None] = []
    for number in numbers:
        steps.append(None if number is None else number - last)
        last = last if number is None else number
    return steps


def _sums(steps: Iterable[int | None]) -> list[int | None]:
    """The numbers that `_steps` was given."""
    last = -1
    numbers: list[int | None] = []
    for step in steps:
        last += step or 0
        numbers.append(None if step is None else last)
    return numbers


def _numbers(numbers: Iterable[int]) -> bytes:
    """Numbers of any size, each in as many bytes as it needs: as LEB128, the lowest bit being the sign."""
    found = bytearray()
    for number in numbers:
        rest = number << 1 if number >= 0 else ~number << 1 | 1
        while rest > _SEVEN_BITS:
            found.append(rest & _SEVEN_BITS | _SEVEN_BITS + 1)
            rest >>= 7
        found.append(rest)
    return bytes(found)


def _numbers_in(found: bytes) -> Iterator[int]:
    """The numbers that `_numbers` was given."""
    rest = shift = 0
    for byte in found:
        rest |= (byte & _SEVEN_BITS) << shift
        shift += 7
        if byte <= _SEVEN_BITS:
            yield ~(rest >> 1) if rest & 1 else rest >> 1
            rest = shift = 0
