"""What attempts wrote: ranges of segment files in the log folder, of a live attempt up to what is there now."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ostinato.home import Home
from ostinato.model.record import Attempt
from ostinato.model.state import LIVE_ATTEMPT

_CHUNK: Final = 1 << 20


class LogText:
    """The output of one attempt, read on from where the last read ended."""

    def __init__(self, home: Home, attempt: Attempt) -> None:
        self.attempt = attempt
        self._home = home
        self._read = 0

    def more(self, attempt: Attempt) -> Iterator[bytes]:
        """What was written since the last call, in pieces; ``attempt`` is the row as it is now."""
        self.attempt = attempt
        if attempt.log is None or not attempt.log.segment:
            return
        live = attempt.state in LIVE_ATTEMPT
        try:
            with self._segment(attempt.log.segment).open("rb") as file:
                file.seek(attempt.log.offset + self._read)
                while piece := file.read(_CHUNK if live else min(_CHUNK, attempt.log.length - self._read)):
                    self._read += len(piece)
                    yield piece
        except FileNotFoundError:
            return  # cleaned away: there is nothing left to show

    def last(self, most: int) -> tuple[bytes, bool]:
        """The end of it, at most so many bytes, and whether something before that was left out."""
        log = self.attempt.log
        if log is None or not log.segment:
            return b"", False
        try:
            with self._segment(log.segment).open("rb") as file:
                end = log.offset + log.length
                if self.attempt.state in LIVE_ATTEMPT:
                    end = max(file.seek(0, 2), log.offset)
                begin = max(log.offset, end - most)
                file.seek(begin)
                return file.read(end - begin), begin > log.offset
        except FileNotFoundError:
            return b"", False

    def _segment(self, name: str) -> Path:
        return self._home.logs / Path(name).name
