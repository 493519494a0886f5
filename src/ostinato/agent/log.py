"""The agent's own log: few lines, for people who wonder what it did."""

import os
from pathlib import Path
from typing import Final

from ostinato.clock import Clock
from ostinato.model.time import stamp

MOST_BYTES: Final = 4 << 20
"""A log that has grown to this becomes ``agent.log.1``, and a new one is begun."""


class AgentLog:
    """``agent.log``. What else this process or the zygote prints, such as a trace of a mistake of ours, goes there too.

    A disk that is full costs lines, nothing more.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._path = folder / "agent.log"
        self._clock = clock
        self._open()

    def say(self, text: str) -> None:
        """Add a line."""
        try:
            os.write(2, f"{stamp(self._clock.now())} {text}\n".encode())
            if os.fstat(2).st_size > MOST_BYTES:
                self._open()
        except OSError:
            return

    def _open(self) -> None:
        try:
            if self._path.exists() and self._path.stat().st_size > MOST_BYTES:
                self._path.rename(self._path.with_name("agent.log.1"))
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        os.close(fd)
