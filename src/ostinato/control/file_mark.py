"""How a file was when it was read, so that what was made of it need not be made again."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ostinato.model.canonical import digest


class FileMark(Struct, frozen=True):
    """A file's path, its time, size and number, and the digest of its content; size -1: it was not there."""

    path: str
    mtime_ns: int = 0
    size: int = -1
    inode: int = 0
    digest: str = ""


def mark(path: Path) -> FileMark:
    """The file as it is now, or the names in a folder. What cannot be read counts as not there."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            names = sorted(name for name in os.listdir(path) if name[0] != "." and name != "__pycache__")  # noqa: PTH208
            content = digest(*(os.fsencode(name) for name in names))
        elif stat.S_ISREG(status.st_mode):
            content = digest(path.read_bytes())
        else:
            return FileMark(str(path))
    except (OSError, ValueError):  # a name with a zero byte in it is no file's
        return FileMark(str(path))
    return FileMark(str(path), status.st_mtime_ns, status.st_size, status.st_ino, content)


def unchanged(files: Sequence[FileMark]) -> tuple[FileMark, ...] | None:
    """The same files as they are marked now, or None if the content of one is another.

    A file whose time, size and number are as before is not read.
    """
    now: list[FileMark] = []
    for was in files:
        if _looks_same(was):
            now.append(was)
            continue
        fresh = mark(Path(was.path))
        if fresh.digest != was.digest:
            return None
        now.append(fresh)
    return tuple(now)


def _looks_same(was: FileMark) -> bool:
    try:
        status = os.stat(was.path)  # noqa: PTH116 - thousands of files are looked at, and a Path costs more than the look
    except OSError:
        return was.size < 0
    return (status.st_mtime_ns, status.st_size, status.st_ino) == (was.mtime_ns, was.size, was.inode)
