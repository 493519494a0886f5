"""What a task prints, by whatever means, lands in one log file in the order in which it was printed."""

import faulthandler
import io
import logging
import os
import sys
import time
from typing import TYPE_CHECKING, Final

from .kernel import buffer_c_stdout_by_line, flush_c_streams
from .segment import cut, end_of, note

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_LOGGED: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Capture:
    """Python's streams, ``logging`` and crash reports of this process, all turned to descriptors 1 and 2.

    It is made before the fork and attached to a log file after it. A disk that takes no more does not fail a task: what
    could not be written is counted, and said when it can be.
    """

    def __init__(self) -> None:
        self._log = self._end = -1
        buffer_c_stdout_by_line()
        self._out, self._err = _Raw(1), _Raw(2)
        sys.stdout = sys.__stdout__ = _text(self._out)
        sys.stderr = sys.__stderr__ = _text(self._err)
        faulthandler.enable(2)
        handler = logging.StreamHandler(sys.stderr)
        formatter = logging.Formatter(_LOGGED, "%Y-%m-%dT%H:%M:%SZ")
        formatter.converter = time.gmtime
        handler.setFormatter(formatter)
        logging.root.handlers[:] = [handler]
        logging.root.setLevel(logging.INFO)

    def attach(self, log: int) -> None:
        """Turn descriptors 1 and 2 to a log file."""
        os.dup2(log, 1)
        os.dup2(log, 2)
        self._log = log
        self._end = end_of(log)

    def close_range(self, remark: str) -> tuple[int, int]:
        """Where in the file the output since the last call begins and ends, bounded; with a remark of ours if any."""
        self._flush()
        begin, end = self._end, end_of(self._log)
        lost = self._out.take_lost() + self._err.take_lost()
        if end - begin or remark or lost:
            try:
                end = cut(self._log, begin, end)
                if lost:
                    note(self._log, begin, f"{lost:,} bytes that were printed here could not be written")
                if remark:
                    note(self._log, begin, remark)
            except OSError:
                pass  # the disk is full; what was printed is there as far as it went
            end = end_of(self._log)
        self._end = end
        return begin, end

    def _flush(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                continue  # the task closed or replaced it, which is told as a difference
        flush_c_streams()


class _Raw(io.RawIOBase):
    """A descriptor whose failures to write are counted instead of raised."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd
        self._lost = 0

    def fileno(self) -> int:
        return self._fd

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return os.write(self._fd, data)
        except OSError:
            size = memoryview(data).nbytes
            self._lost += size
            return size

    def take_lost(self) -> int:
        lost, self._lost = self._lost, 0
        return lost


def _text(raw: _Raw) -> io.TextIOWrapper:
    buffered = io.BufferedWriter(raw, 16 << 10)
    return io.TextIOWrapper(buffered, encoding="utf-8", errors="backslashreplace", line_buffering=True)
