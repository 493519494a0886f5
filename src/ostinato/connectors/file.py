"""Alerts as JSON lines in a file. A line that was delivered is whole, and survives a loss of power."""

import errno
import json
import os
from pathlib import Path

from ostinato.model.errors import AlertUndeliverable
from ostinato.model.record import Outgoing
from ostinato.model.time import stamp


class AlertFile:
    """Appends to the file at ``path``, which is made when the first alert comes, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def deliver(self, alert: Outgoing) -> None:
        """Append the alert and flush it to disk. Raises AlertUndeliverable if the disk does not take it whole."""
        try:
            self._append(_line(alert))
        except OSError as error:
            what = f"the alert file cannot be written: {error.strerror}"
            raise AlertUndeliverable(what, retryable=True, where=str(self._path)) from error

    def _append(self, line: bytes) -> None:
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            before = os.fstat(file).st_size
            if os.write(file, line) < len(line):
                os.ftruncate(file, before)
                raise OSError(errno.ENOSPC, "there is no room for the whole line")
            os.fsync(file)
        finally:
            os.close(file)
        if before == 0:
            self._keep_name()

    def _keep_name(self) -> None:
        """A new file's name is safe once its folder is flushed too."""
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _line(alert: Outgoing) -> bytes:
    document = {
        "at": stamp(alert.at),
        "action": alert.action,
        "severity": alert.severity,
        "summary": alert.summary,
        "dedup_key": alert.dedup_key,
        "details": alert.details,
    }
    return json.dumps(document).encode() + b"\n"
