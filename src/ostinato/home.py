"""The state folder: which file lies where. Everything of one installation is under one path."""

import os
from dataclasses import dataclass
from pathlib import Path

from .model.errors import HomeUnusable


@dataclass(frozen=True, slots=True)
class Home:
    """The paths under ``OSTINATO_HOME`` (default ``./.ostinato``)."""

    path: Path

    @classmethod
    def from_environment(cls) -> "Home":
        """The home that ``OSTINATO_HOME`` names, else ``.ostinato`` in the current folder."""
        return cls(Path(os.environ.get("OSTINATO_HOME") or ".ostinato").absolute())

    def create(self) -> "Home":
        """Make the folders, readable by their owner only. Raises HomeUnusable if that cannot be done."""
        try:
            for folder in (self.path, self.logs, self.sources, self.agent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise HomeUnusable(f"the state folder cannot be made: {error.strerror}", where=str(self.path)) from error
        return self

    @property
    def database(self) -> Path:
        """The state, a SQLite database."""
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
