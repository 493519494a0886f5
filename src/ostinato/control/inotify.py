"""Linux tells us when files change, so that nothing has to be polled. A thin binding to inotify(7) through libc."""

import ctypes
import os
import struct
from pathlib import Path
from typing import Final

_CLOSE_WRITE: Final = 0x8
_MOVED_FROM: Final = 0x40
_MOVED_TO: Final = 0x80
_CREATE: Final = 0x100
_DELETE: Final = 0x200
_CHANGES: Final = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE
_HEADER: Final = struct.Struct("iIII")


class FolderWatch:
    """Watches folders (not what is below them) for files that are written, moved, made or removed."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        self._folders: dict[int, Path] = {}

    def add(self, folder: Path) -> None:
        """Watch one more folder; watching it twice is watching it once. Raises OSError where that cannot be done."""
        watch = self._libc.inotify_add_watch(self._fd, os.fsencode(folder), ctypes.c_uint32(_CHANGES))
        if watch < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))
        self._folders[watch] = folder

    def fileno(self) -> int:
        """For a selector."""
        return self._fd

    def changed(self) -> set[Path]:
        """The files that changed since the last call. When the kernel lost count, the folders themselves."""
        paths: set[Path] = set()
        while True:
            try:
                data = os.read(self._fd, 64 << 10)
            except BlockingIOError:
                return paths
            position = 0
            while position < len(data):
                watch, _, _, size = _HEADER.unpack_from(data, position)
                name = data[position + _HEADER.size : position + _HEADER.size + size].rstrip(b"\0")
                position += _HEADER.size + size
                if watch < 0:
                    paths.update(self._folders.values())
                elif watch in self._folders:
                    paths.add(self._folders[watch] / os.fsdecode(name))

    def close(self) -> None:
        """Stop watching."""
        os.close(self._fd)
