"""The state as a whole: pools, the record of what people did, backups, health."""

from datetime import datetime
from typing import Any

from msgspec import Struct


class CheckResult(Struct, kw_only=True):
    """One thing that was looked at: ``ok``, ``note``, ``warning`` or ``error``."""

    name: str
    state: str
    what: str
    help: str = ""


class PoolDocument(Struct, kw_only=True):
    """One pool: the slots it has, and how many of them live attempts occupy."""

    name: str
    slots: int
    used: int


class PoolsDocument(Struct, kw_only=True):
    """Answer of ``pools``."""

    schema: str = "pools/1"
    pools: list[PoolDocument]


class AuditEntryDocument(Struct, kw_only=True):
    """Something that somebody did: ``via`` is from where, ``subject`` to what."""

    seq: int
    at: datetime
    who: str
    via: str
    action: str
    subject: str
    facts: dict[str, Any]


class AuditDocument(Struct, kw_only=True):
    """Answer of ``audit ls``."""

    schema: str = "audit/1"
    entries: list[AuditEntryDocument]


class ChainDocument(Struct, kw_only=True):
    """Answer of ``audit verify``: how many entries there are, and the digest of the last one."""

    schema: str = "audit-chain/1"
    entries: int
    head: str


class StateDocument(Struct, kw_only=True):
    """Answer of ``db show``: which database the state is in, how many bytes it takes, and how many rows by table."""

    schema: str = "state/1"
    place: str
    bytes: int
    rows: dict[str, int]


class BackupDocument(Struct, kw_only=True):
    """Answer of ``db backup`` and ``db verify``: the state as it was at ``taken_at``.

    ``rows`` counts by table. ``head`` is the digest of the newest entry in the record of what people did.
    """

    schema: str = "backup/1"
    file: str
    bytes: int
    taken_at: datetime
    rows: dict[str, int]
    head: str


class RestoreDocument(Struct, kw_only=True):
    """Answer of ``db restore`` and ``db reconcile``: the state is as of ``taken_at`` (null: nobody knows).

    ``stopped`` runs were open then and are asked to stop, ``schedules`` go on from now. With ``again`` both are 0: work
    goes on from where it was.
    """

    schema: str = "restore/1"
    place: str
    taken_at: datetime | None
    stopped: int
    schedules: int
    again: bool


class PruneDocument(Struct, kw_only=True):
    """Answer of ``db prune``: the history of so many runs that ended before a moment, and of so many task instances.

    ``removed`` rows are gone; with ``--dry-run`` it is 0.
    """

    schema: str = "prune/1"
    before: datetime
    runs: int
    tasks: int
    removed: int


class DrillDocument(Struct, kw_only=True):
    """Answer of ``db drill``: a backup, what it took to restore it and look it through, and what that would have done.

    ``backup_ms`` is how long taking it took; null if it was there.
    """

    schema: str = "drill/1"
    backup: BackupDocument
    backup_ms: int | None
    restore_ms: int
    stopped: int
    schedules: int


class DoctorDocument(Struct, kw_only=True):
    """Answer of ``doctor``."""

    schema: str = "doctor/1"
    home: str
    checks: list[CheckResult]
