"""Every error of the control plane: typed, coded, and saying what happened, where, and what to do."""

from enum import StrEnum
from typing import ClassVar


class ErrorClass(StrEnum):
    """What kind of failure it was, which decides whether trying again can help."""

    TRANSIENT = "transient"
    RESOURCE = "resource"
    LOGIC = "logic"


class OstinatoError(Exception):
    """Something went wrong that a person can act on.

    ``what`` says what happened, ``where`` names the place (a file and line, a run, a table), ``help`` the next step.
    Subclasses set ``code``; their docstring is the long explanation shown by the reference.
    """

    code: ClassVar[str] = "OST-000"
    exit_code: ClassVar[int] = 1
    help: str = ""

    def __init__(self, what: str, *, where: str = "", help: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.help = help or type(self).help

    def __str__(self) -> str:
        """One paragraph for logs; the command line draws the parts itself."""
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.help}" if self.help else ""
        return f"{self.code}: {self.what}{place}.{advice}"


class TransientError(Exception):
    """Raise it in a task to say: trying again at once may help. Retried at once, three times by default."""

    error_class: ClassVar[str] = ErrorClass.TRANSIENT


class ResourceError(Exception):
    """Raise it in a task to say: there was too little of something. Retried with a growing delay."""

    error_class: ClassVar[str] = ErrorClass.RESOURCE


class LogicError(Exception):
    """Raise it in a task to say: trying again will not help. Never retried."""

    error_class: ClassVar[str] = ErrorClass.LOGIC


class Skip(Exception):
    """Raise it in a task to end it as skipped; what needs its success is skipped too."""


# --- OST-1xx: a definition is wrong -----------------------------------------------------------------------------


class DagFileInvalid(OstinatoError):
    """A dag file has problems; ``problems`` lists every one of them with its place."""

    code = "OST-100"
    exit_code = 3

    def __init__(self, what: str, *, problems: "tuple[object, ...]" = (), where: str = "", help: str = "") -> None:
        super().__init__(what, where=where, help=help)
        self.problems = problems


class ClockAsked(OstinatoError):
    """A task asked the clock or chance while it ran, and its dag says ``clock="fail"``. Trying again does not help."""

    code = "OST-186"
    error_class: ClassVar[str] = ErrorClass.LOGIC


# --- OST-2xx: an attempt or a run cannot go on ------------------------------------------------------------------


class NotStorable(OstinatoError):
    """A value cannot be kept: it is not made of plain data, or it is too large."""

    code = "OST-201"
    help = "Return plain data (numbers, text, lists, dicts, dates), or write it to a file or table and return its path."


class NotInATask(OstinatoError):
    """The context of an attempt was asked for outside of one."""

    code = "OST-202"
    help = "Call it inside a task while it runs."


class NotRehearsable(OstinatoError):
    """A rehearsal was asked for what its dags do not have: a task, an outcome that the task cannot have, an interval."""

    code = "OST-250"
    exit_code = 2


# --- OST-3xx: the state cannot be read or written ---------------------------------------------------------------


class StoreUnavailable(OstinatoError):
    """The state database did not answer, or did not take a commit. What is written is read anew and work goes on by itself."""

    code = "OST-301"
    exit_code = 7


class StoreFull(StoreUnavailable):
    """The disk that holds the state is full. Nothing was half written."""

    code = "OST-302"
    help = "Free some space; work goes on by itself."


class StoreTooNew(OstinatoError):
    """The state database was written by a newer version of this program."""

    code = "OST-303"
    exit_code = 3
    help = "Install that version or a newer one, or choose another OSTINATO_HOME."


class StoreDamaged(OstinatoError):
    """The state database is not a database, or its integrity check fails."""

    code = "OST-304"
    exit_code = 3
    help = "Restore it from a backup, or move it away to start anew."


class HomeInUse(OstinatoError):
    """Another scheduler works on this state folder."""

    code = "OST-305"
    exit_code = 6
    help = "Stop it, or give this one its own OSTINATO_HOME."


class HomeUnusable(OstinatoError):
    """The state folder cannot be created or written."""

    code = "OST-306"
    exit_code = 3
    help = "Set OSTINATO_HOME to a folder you can write."


class FencedOut(OstinatoError):
    """Another scheduler has taken the lead; this one must stop and has changed nothing."""

    code = "OST-307"
    exit_code = 6


class StateAddressInvalid(OstinatoError):
    """OSTINATO_STATE is not the address of a database that state can be kept in."""

    code = "OST-308"
    exit_code = 2
    help = "Set it to postgresql://user:password@host:port/database (or mysql://), or unset it to keep the state in a file."


class DriverMissing(OstinatoError):
    """What talks to that kind of database is not installed."""

    code = "OST-309"
    exit_code = 3
    help = "Install it with `pip install 'ostinato[postgres]'`."


class AuditBroken(OstinatoError):
    """The record of what people did is not what was written: entries were changed, taken out or cut off."""

    code = "OST-310"
    exit_code = 3
    help = "Compare it with a backup; who can write to the database could have done it."


class BackupInvalid(OstinatoError):
    """A file is no backup, or is not as it was written: bytes were changed or cut off, or what it holds contradicts itself."""

    code = "OST-311"
    exit_code = 3
    help = "Take another backup; `ostinato db verify FILE` looks through one."


class BackupNotWritten(OstinatoError):
    """A backup cannot be written, read or unpacked at that place."""

    code = "OST-312"
    exit_code = 7
    help = "Choose a folder that can be written and has room."


class PlaceTaken(OstinatoError):
    """Something is there already. Backups and restored states never overwrite anything."""

    code = "OST-313"
    exit_code = 6


# --- OST-4xx: what was asked for is not there, or cannot be done now --------------------------------------------


class UsageError(OstinatoError):
    """The command's words do not fit."""

    code = "OST-400"
    exit_code = 2


class NotFound(OstinatoError):
    """There is nothing of that name."""

    code = "OST-401"
    exit_code = 4


class QueryInvalid(OstinatoError):
    """A request over HTTP asks for something in words that are not known, or for more than is given at once."""

    code = "OST-406"
    exit_code = 2
    help = "See /api/v1/openapi.json."


class TokenMissing(OstinatoError):
    """A request over HTTP has no token, or not the one that this server was started with."""

    code = "OST-407"
    help = "Send the header `Authorization: Bearer TOKEN`, with what OSTINATO_API_TOKEN is for the server."


class AddressUnusable(OstinatoError):
    """HTTP cannot be answered at an address: it is taken, not of this machine, or others could ask there without a token."""

    code = "OST-314"
    exit_code = 3


class Conflict(OstinatoError):
    """What was asked for contradicts the present state."""

    code = "OST-402"
    exit_code = 6


class BackfillOver(Conflict):
    """A backfill is over or cancelled, so there is nothing of it to hold, to go on with or to stop."""

    code = "OST-240"


# --- OST-6xx: another system did not do its part ----------------------------------------------------------------


class AlertUndeliverable(OstinatoError):
    """An alert channel refused or did not answer. ``retryable``: trying again later may help."""

    code = "OST-601"

    def __init__(self, what: str, *, retryable: bool, where: str = "", help: str = "") -> None:
        super().__init__(what, where=where, help=help)
        self.retryable = retryable


# --- OST-9xx: our own mistake -----------------------------------------------------------------------------------


class InvariantBroken(OstinatoError):
    """Something that must always hold did not. The scheduler drops what it remembers and starts from the state."""

    code = "OST-901"
    help = "Please report it with the output of `ostinato show`."


class AgentFailed(OstinatoError):
    """The agent process could not be started or spoke out of turn."""

    code = "OST-902"
    help = "See agent.log in the state folder."


class OurMistake(OstinatoError):
    """Something happened that we did not think of. A file, or what the server wrote, tells more."""

    code = "OST-999"
    exit_code = 70
