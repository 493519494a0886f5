"""The state folder: which file lies where. Everything of one installation is under one path."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from .model.errors import HomeUnusable

STATE_VARIABLE: Final = "OSTINATO_STATE"
"""What names the database of the state, if it is on a server. It may hold a password."""


@dataclass(frozen=True, slots=True)
class Home:
    """The paths under ``OSTINATO_HOME`` (default ``./.ostinato``), and where the state is.

    ``address`` is that of a database on a server; without one the state is a file in the folder.
    """

    path: Path
    address: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls) -> "Home":
        """The home that ``OSTINATO_HOME`` names, else ``.ostinato`` in the current folder; state as ``OSTINATO_STATE`` says."""
        address = os.environ.get(STATE_VARIABLE, "").strip()
        return cls(Path(os.environ.get("OSTINATO_HOME") or ".ostinato").absolute(), address or None)

    def create(self) -> "Home":
        """Make the folders, readable by their owner only. Raises HomeUnusable if that cannot be done."""
        try:
            for folder in (self.path, self.logs, self.sources, self.agent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise HomeUnusable(f"the state folder cannot be made: {error.strerror}", where=str(self.path)) from error
        return self

    @property
    def state(self) -> Path | str:
        """The state: the file of a SQLite database, or the address of one on a server."""
        return self.address or self.database

    @property
    def database(self) -> Path:
        """The file that the state is in unless it is on a server."""
        return self.path / "state.db"

    @property
    def logs(self) -> Path:
        """What tasks wrote, in segment files."""
        return self.path / "logs"

    @property
    def sources(self) -> Path:
        """The code of dag versions, one file for each source digest."""
        return self.path / "sources"

    @property
    def agent(self) -> Path:
        """The agent's own folder: socket, lock, journals of started attempts, its log."""
        return self.path / "agent"

    @property
    def agent_lock(self) -> Path:
        """Held by the one agent of this home."""
        return self.agent / "agent.lock"

    @property
    def agent_socket(self) -> Path:
        """Where the agent listens for its scheduler."""
        return self.agent / "socket"

    @property
    def hint_socket(self) -> Path:
        """Where the scheduler listens for hints that the state has changed."""
        return self.path / "scheduler.socket"

    @property
    def scheduler_lock(self) -> Path:
        """Held by the one scheduler that works on this home."""
        return self.path / "scheduler.lock"

    @property
    def alerts(self) -> Path:
        """Alerts as JSON lines, for when no other channel is set up."""
        return self.path / "alerts.jsonl"


def scheduler_alive(home: Home) -> int | None:
    """The process id of the scheduler that works on this home, if there is one."""
    return _holder(home.scheduler_lock)


def agent_alive(home: Home) -> int | None:
    """The process id of the agent of this home, if there is one."""
    return _holder(home.agent_lock)


def _holder(path: Path) -> int | None:
    """The process that holds a lock file, as the kernel's list says: asking does not touch the lock."""
    try:
        inode = str(path.stat().st_ino)
        locks = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return None
    for line in locks:
        _, kind, _, _, pid, place, *_ = line.split()
        if kind == "FLOCK" and place.rpartition(":")[2] == inode:
            return int(pid)
    return None
