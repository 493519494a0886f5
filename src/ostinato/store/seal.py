"""A checksum in the file itself, which tells that a backup is what was written: SQLite has none for its pages.

It is the CRC-32 of the file with four zeros at `_PLACE`, and stands there: the "user version" of the file's header, which
SQLite leaves to whoever uses it (https://www.sqlite.org/fileformat2.html#user_version_number).
"""

from pathlib import Path
from typing import Final
from zlib import crc32

_PLACE: Final = 60
_SIZE: Final = 4
_PORTION: Final = 1 << 20


def seal(path: Path) -> None:
    """Write the checksum of a database file that nobody has open. Raises OSError."""
    checksum = _checksum(path)
    with path.open("r+b") as file:
        file.seek(_PLACE)
        file.write(checksum)


def is_whole(path: Path) -> bool:
    """Whether a file is what was sealed. Raises OSError."""
    with path.open("rb") as file:
        file.seek(_PLACE)
        written = file.read(_SIZE)
    return written == _checksum(path)


def _checksum(path: Path) -> bytes:
    with path.open("rb") as file:
        head = file.read(_PLACE + _SIZE)
        value = crc32(head[:_PLACE] + bytes(_SIZE))
        while portion := file.read(_PORTION):
            value = crc32(portion, value)
    return value.to_bytes(_SIZE, "big")
