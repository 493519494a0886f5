"""Files that are there whole or not at all, open to their owner only, and never in the place of another one."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from ostinato.model.errors import BackupNotWritten, PlaceTaken


@contextmanager
def part_of(file: Path, folder: Path) -> Generator[Path]:
    """A new file in a folder, named after another one; it is gone after the block. Raises BackupNotWritten."""
    part = folder / f"{file.name}.{os.getpid()}.part"
    with said(folder / file.name):
        _make(part)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def give_name(part: Path, file: Path) -> None:
    """From now on a part is the file, on the disk with its name. Raises PlaceTaken if the name is taken."""
    _sync(part)
    try:
        _make(file)  # which nobody else can now do
    except FileExistsError as error:
        raise PlaceTaken("there is such a file already", where=str(file), help="Choose another name.") from error
    part.replace(file)
    _sync(file.parent)


@contextmanager
def said(file: Path) -> Generator[None]:
    """In the block, what the system refuses becomes BackupNotWritten."""
    try:
        yield
    except OSError as error:
        raise BackupNotWritten(error.strerror or str(error), where=str(file)) from error


def _make(path: Path) -> None:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
