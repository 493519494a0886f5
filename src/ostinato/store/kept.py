"""Keeping the state in order: looking through it, backups, old history, and the record of what people did."""

from collections.abc import Iterator
from pathlib import Path

from ostinato.model.errors import StoreDamaged
from ostinato.model.record import AuditEntry, Chain
from ostinato.model.time import Instant

from . import audit, backup, check, database, packs, prune, transfer
from .backup import Contents
from .door import Door


class Kept(Door):
    """The part of the door for those who keep the state. See `Store`."""

    def check(self) -> None:
        """Look through the whole database. Raises StoreDamaged with what does not hold."""
        with database.reading(self._engine) as connection:
            findings = check.findings(connection)
        if findings:
            raise StoreDamaged("; ".join(findings[:5]), where=database.place(self._engine))

    def size(self) -> tuple[int, dict[str, int]]:
        """How many bytes the database takes, and how many rows each table has. Reads the whole database."""
        with database.reading(self._engine) as connection:
            return database.size(connection), transfer.counts(connection)

    def back_up(self, file: Path, now: Instant) -> Contents:
        """Write the state of this moment into a new file, while work goes on, and look through it.

        Raises PlaceTaken if there is such a file, BackupNotWritten, StoreDamaged if the state is.
        """
        return backup.back_up(self._engine, file, now)

    def pack(self, before: Instant) -> Iterator[int]:
        """Keep the events of runs that ended before an instant in less room, some with each step: how many were packed.

        To those who read them nothing changes. Between two steps others may write; a step takes milliseconds.
        """
        return packs.pack(self._engine, before)

    def prune(self, before: Instant) -> Iterator[int]:
        """Forget the history of runs that ended before an instant, a little with each step: how many rows were removed.

        The runs themselves stay, with how they ended. Between two steps others may write; a step takes milliseconds.
        """
        return prune.prune(self._engine, before)

    def prunable(self, before: Instant) -> tuple[int, int]:
        """How many runs `prune` would forget the history of, and how many task instances."""
        with database.reading(self._engine) as connection:
            return prune.prunable(connection, before)

    def note_pruned(self, by: str, before: Instant, now: Instant, runs: int) -> None:
        """Write down that somebody had history forgotten."""
        with database.asking(self._engine) as connection:
            self._note(connection, by, "prune", "history", now, {"before": before, "runs": runs})

    def is_pruned(self, run_id: int) -> bool:
        """Whether the history of a run was forgotten."""
        with database.reading(self._engine) as connection:
            return prune.is_pruned(connection, run_id)

    def audit(
        self, limit: int = 50, before: int | None = None, who: str | None = None, subject: str | None = None
    ) -> list[AuditEntry]:
        """What people did, newest first, as far as it fits; ``before`` is the entry to go on from."""
        with database.reading(self._engine) as connection:
            return audit.entries(connection, limit, before, who, subject)

    def verify_audit(self, head: str | None = None) -> Chain:
        """Go through the whole record. Raises AuditBroken where it is not what was written, or lacks the digest ``head``."""
        with database.reading(self._engine) as connection:
            return audit.verify(connection, head)
