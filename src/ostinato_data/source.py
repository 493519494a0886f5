"""An input file, read once from front to back in pieces of whole records, and any piece again when rejects are explained.

The file stays open, so that replacing it by a rename does not matter; if it is rewritten in place, SourceChanged is
raised before anything of it is used.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from .errors import DataError, HeaderMismatch, SourceChanged, SourceUnreadable, storage_error
from .records import BROKEN_QUOTES, CARRIAGE_RETURN, RECORD_LIMIT, TOO_LONG, Record, sound, split, walk

BLOCK: Final = 8 << 20
"""How much is read at a time, in bytes. At most half of ``RECORD_LIMIT``, so that most pieces hold no longer record."""

RAW_LIMIT: Final = 64 << 10
"""How much of a record that is too long is kept."""

_SHOWN_NAMES: Final = 10
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some whole records: where they are, and their bytes (ending with a line feed).

    ``sound`` is whether all are well formed, as far as known without parsing (see ``records.sound``). A single record
    that is too long to hold has its true length, without the line end, as ``too_long``; ``data`` is its beginning.
    """

    offset: int
    length: int
    data: bytes
    sound: bool | None
    too_long: int = 0

    def records(self, width: int) -> list[Record]:
        """Every record in it, each with what is wrong with it."""
        if self.too_long:
            return [Record(0, self.too_long, (TOO_LONG,))]
        return walk(self.data, width, last=True)[0]

    def raw(self, record: Record) -> bytes:
        """The bytes of one of its records, of one that is too long just the beginning."""
        stop = record.stop if record.stop - record.start <= RECORD_LIMIT else record.start + RAW_LIMIT
        return self.data[record.start : stop]


class Source:
    """One CSV file whose header has exactly the ``expected`` columns, in any order. Close it after use.

    Raises SourceUnreadable and HeaderMismatch when it is opened, StorageUnavailable and SourceChanged at any time.
    """

    def __init__(self, path: Path, expected: tuple[str, ...]) -> None:
        self.path = path
        self._file = _open(path)
        try:
            self._state = self._signature()
            self.columns, self._body = self._header(expected)
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def pieces(self) -> Iterator[Piece]:
        """The file's records, piece by piece."""
        width = len(self.columns)
        offset, carry = self._body, b""
        while True:
            block = self._read(offset + len(carry), BLOCK)
            last = not block
            data = carry + block
            if last and not data:
                break
            end = len(data) if last else data.rfind(b"\n") + 1
            if not last and end == 0:
                if len(data) <= RECORD_LIMIT:
                    carry = data
                    continue
                piece = self._too_long(offset, data)
                carry = b""
            else:
                whole = data[:end] if data.endswith(b"\n", 0, end) else data + b"\n"
                piece = _piece(offset, whole, end, width, last=last)
                carry = data[piece.length :]
            if piece.length:
                yield piece
            offset += piece.length
            if last:
                break
        self.confirm()

    def again(self, piece: Piece) -> Piece:
        """The same piece, read once more. ``piece`` may have lost its data."""
        self.confirm()
        data = self._read(piece.offset, RAW_LIMIT if piece.too_long else piece.length)
        if not data.endswith(b"\n"):
            data += b"\n"
        return Piece(piece.offset, piece.length, data, piece.sound, piece.too_long)

    def confirm(self) -> None:
        """Raise SourceChanged unless the file still is what was opened."""
        if self._signature() != self._state:
            raise SourceChanged("the file changed while it was read", where=self.path)

    def _signature(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns

    def _read(self, offset: int, size: int) -> bytes:
        try:
            self._file.seek(offset)
            return self._file.read(size)
        except OSError as error:
            raise _unreadable(self.path, error) from error

    def _too_long(self, offset: int, data: bytes) -> Piece:
        """A line without an end in sight: pass over it, keeping its beginning."""
        length, end = len(data), 0
        while not end and (block := self._read(offset + length, BLOCK)):
            end = block.find(b"\n") + 1
            length += end - 1 if end else len(block)
        return Piece(offset, length + bool(end), data[:RAW_LIMIT] + b"\n", sound=False, too_long=length)

    def _header(self, expected: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
        """The columns in the file's order, and where its records begin."""
        data = self._read(0, BLOCK)
        start = len(_BOM) if data.startswith(_BOM) else 0
        whole = data[start:] if data.endswith(b"\n") else data[start:] + b"\n"
        records, body = walk(whole, len(expected), last=True, most=1)
        if not records:
            raise SourceUnreadable("the file is empty, it has not even a header", where=self.path)
        header = records[0]
        if CARRIAGE_RETURN in header.broken or BROKEN_QUOTES in header.broken:
            raise HeaderMismatch(f"the header cannot be read: {header.broken[0]}", where=self.path)
        names = [field.decode(errors="replace") for field in split(whole[header.start : header.stop])]
        if problem := _mismatch(names, expected):
            raise HeaderMismatch(problem, where=self.path)
        return tuple(names), min(start + body, len(data))


def _piece(offset: int, whole: bytes, end: int, width: int, *, last: bool) -> Piece:
    """The piece that ``whole`` (``end`` bytes of the file) makes, without a quoted field still open at its end."""
    verdict = sound(whole, width)
    if verdict is not False:
        return Piece(offset, end, whole, verdict)
    _, consumed = walk(whole, width, last=last)
    return Piece(offset, min(consumed, end), whole[:consumed], sound=False)


def _open(path: Path) -> BinaryIO:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SourceUnreadable("it is not a file", where=path)
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> DataError:
    return storage_error(error.errno, f"the file cannot be read: {error.strerror or error}", path, SourceUnreadable)


def _mismatch(names: list[str], expected: tuple[str, ...]) -> str:
    """What is wrong with the header, or nothing."""
    missing = [name for name in expected if name not in names]
    unknown = [name for name in names if name not in expected]
    twice = sorted({name for name in names if names.count(name) > 1})
    parts = [
        f"{what}: {_listed(found)}"
        for what, found in (("missing columns", missing), ("unknown columns", unknown), ("columns twice", twice))
        if found
    ]
    return "the header does not fit the contract; " + "; ".join(parts) if parts else ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(map(repr, names[:_SHOWN_NAMES])) + more
