"""Every error of the data plane: typed, coded, and saying what happened, where, and what to do.

``error_class`` is plain text (``transient``, ``resource`` or ``logic``), so that whoever runs the job can tell whether
trying again can help without importing anything from here.
"""

import errno
from typing import ClassVar, Final


class DataError(Exception):
    """Data could not be read, checked or committed.

    ``what`` says what happened, ``where`` names the file or table, ``help`` the next step.
    """

    code: ClassVar[str] = "OST-500"
    error_class: ClassVar[str] = "logic"
    help: str = ""

    def __init__(self, what: str, *, where: object = "", help: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = str(where)
        self.help = help or type(self).help

    def __str__(self) -> str:
        """One paragraph for logs."""
        place = f" ({self.where})" if self.where else ""
        advice = f" {self.help}" if self.help else ""
        return f"{self.code}: {self.what}{place}.{advice}"


class ContractInvalid(DataError):
    """A contract contradicts itself, or one of its rules or patterns is no SQL that the engine understands."""

    code = "OST-501"
    help = "Correct the contract; no data was read."


class SourceUnreadable(DataError):
    """An input is missing, empty, a folder, or may not be read. A file without even a header is no delivery."""

    code = "OST-502"
    help = "Wait for the file with a sensor, or ask its sender."


class HeaderMismatch(DataError):
    """The header does not have exactly the contract's columns (their order is free): the whole file is refused.

    A missing column would make every record a reject, and an unknown one would be lost in silence.
    """

    code = "OST-503"
    help = "Ask the sender for a correct file, or change the contract's columns."


class SourceChanged(DataError):
    """An input was rewritten in place while it was read. Nothing was written; reading it again may succeed."""

    code = "OST-504"
    error_class = "transient"
    help = "Deliver files under another name and rename them when they are complete."


class TooManyRejects(DataError):
    """More records were rejected than the job allows. The dead letters are written, the table is unchanged."""

    code = "OST-505"
    help = "Look at the dead letters; correct the source or the contract, or allow more rejects."


class StaleWriter(DataError):
    """A newer attempt has already committed this partition: this one comes too late and has changed nothing."""

    code = "OST-506"
    help = "Nothing to do: the newer result stands."


class CommitContended(DataError):
    """Other commits to the same table kept winning the race. Nothing was written."""

    code = "OST-507"
    error_class = "transient"
    help = "Run compaction and schema changes on a pool of one slot for each table."


class CommitRefused(DataError):
    """The table does not take these rows: they have another schema, or belong to another partition."""

    code = "OST-508"
    help = "Make the rows fit the table and the declared partition."


class CommitOutsidePartition(DataError):
    """The log shows that a commit touched more than its declared partition. It stands: this needs a person."""

    code = "OST-509"
    help = "Restore the version before it, and report this: it must never happen."


class StorageUnavailable(DataError):
    """Reading or writing failed in a way that may pass."""

    code = "OST-510"
    error_class = "transient"


class OutOfResources(DataError):
    """The disk or the memory for this job is full. Nothing was committed."""

    code = "OST-511"
    error_class = "resource"
    help = "Free some space, or give the job more memory."


class TargetInvalid(DataError):
    """A table, partition or folder name cannot be used."""

    code = "OST-512"


class DeadLettersUnreadable(DataError):
    """A dead letter file is not what was written: it is missing or damaged."""

    code = "OST-513"


class TableUnreadable(DataError):
    """There is no Delta table at that place, or its log is damaged."""

    code = "OST-514"


_PASSING: Final = frozenset({errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EAGAIN, errno.ENODEV, errno.ENXIO})
_SCARCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT})


def storage_error(number: int | None, what: str, where: object, otherwise: type[DataError]) -> DataError:
    """The error that an operating system's error number stands for; ``otherwise`` if trying again cannot help."""
    if number in _PASSING:
        return StorageUnavailable(what, where=where)
    return (OutOfResources if number in _SCARCE else otherwise)(what, where=where)
