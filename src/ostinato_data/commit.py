"""Exactly-once commits to a Delta table: one atomic overwrite of one partition, fenced.

delta-rs records application transactions but does not compare them. So a commit opens the table, looks up the fence
recorded for its partition, and writes through *that same handle*: any commit in between that concerns the partition makes
the write fail, and the next try opens the table anew. What follows from the look-up:

- the recorded fence is newer: StaleWriter, nothing is written;
- it is equal: this very attempt has committed already, which is the answer;
- it is older, or there is none: the partition is overwritten, and the fence recorded, in one step.

Readers see the old partition or the new one. Afterwards the log is read: nothing but the partition may have changed, and
everything the commit points to is on the disk before it is reported.
"""

import json
import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError, SchemaMismatchError, TableNotFoundError

from .errors import (
    CommitContended,
    CommitOutsidePartition,
    CommitRefused,
    StaleWriter,
    TableUnreadable,
    TargetInvalid,
    storage_error,
)
from .files import make_folder, sync
from .partition import Partition

TRIES: Final = 10
"""How often a commit that lost a race is tried; each try makes up to ``_REBASES`` of its own inside delta-rs."""

CHECKPOINT_EVERY: Final = 10
"""Commits between two checkpoints. Opening a table reads the last checkpoint and every commit after it."""

_REBASES: Final = 100
_FIRST_WAIT: Final = 0.05
_LONGEST_WAIT: Final = 2.0
_MAX_FENCE: Final = 2**63 - 1
_OS_ERROR: Final = re.compile(r"\(os error (\d+)\)")


@dataclass(frozen=True, slots=True)
class Target:
    """Where an attempt commits: a table, one partition of it, and the fence.

    The fence is the attempt's number: larger for every later attempt at the same partition, in whichever run. One
    attempt commits a partition once.
    """

    table: Path
    partition: Partition
    fence: int

    def __post_init__(self) -> None:
        if not 0 <= self.fence <= _MAX_FENCE:
            raise TargetInvalid(f"{self.fence} cannot be a fence")

    @property
    def app(self) -> str:
        """The name under which the partition's fence is recorded in the table."""
        return f"ostinato/{self.table.name}/{self.partition.path}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A table opened at one version (None: it does not exist yet), and whether this attempt has committed already."""

    handle: DeltaTable | None
    committed: bool


@dataclass(frozen=True, slots=True)
class Committed:
    """The table's version that holds the partition. ``rows`` is None when the attempt had committed it before."""

    version: int
    rows: int | None


def open_table(table: Path, version: int | None = None) -> DeltaTable | None:
    """The table as it is, or as of a version; None if there is none. Raises TableUnreadable, StorageUnavailable."""
    try:
        return DeltaTable(table, version=version)
    except TableNotFoundError:
        return None
    except DeltaError as error:
        raise storage_error(_errno(error), _first_line(error), table, TableUnreadable) from error


def claim(target: Target) -> Claim:
    """Open the table and look up who committed the partition last. Raises StaleWriter, TableUnreadable."""
    handle = open_table(target.table)
    if handle is None:
        return Claim(None, committed=False)
    recorded = handle.transaction_version(target.app)
    if recorded is not None and recorded > target.fence:
        raise StaleWriter(
            f"attempt {target.fence} of {target.partition.path} comes after attempt {recorded} has committed",
            where=target.table,
        )
    return Claim(handle, committed=recorded == target.fence)


def create_table(table: Path, schema: pa.Schema, partition_columns: list[str]) -> None:
    """Create a table unless it exists. Do it before many tasks write to it: creating it then costs them conflicts."""
    make_folder(table.parent)
    DeltaTable.create(
        table,
        schema=Schema.from_arrow(schema),
        mode="ignore",
        partition_by=partition_columns,
        configuration={"delta.checkpointInterval": str(CHECKPOINT_EVERY)},
    )


def commit(
    target: Target,
    rows: Callable[[], pa.RecordBatchReader],
    *,
    claimed: Claim | None = None,
    metadata: Mapping[str, str] | None = None,
    wait: Callable[[float], object] | None = None,
) -> Committed:
    """Make the partition hold exactly these rows, creating the table if need be.

    ``rows`` is asked anew for each try. ``metadata`` is kept with the commit. ``wait`` pauses for some seconds between
    tries that lost a race. Raises StaleWriter, CommitContended, CommitRefused, CommitOutsidePartition, TableUnreadable,
    OutOfResources, StorageUnavailable.
    """
    wait = wait or threading.Event().wait  # an event that nobody sets: it just waits
    for tried in range(TRIES):
        if tried:
            wait(min(_FIRST_WAIT * 2**tried, _LONGEST_WAIT) * random.uniform(0.5, 1.0))  # noqa: S311 - spreads a crowd
        claimed = claimed or claim(target)
        if claimed.committed:
            assert claimed.handle is not None
            return Committed(claimed.handle.version(), None)
        try:
            return _write(target, claimed.handle, rows(), metadata or {})
        except CommitFailedError:
            claimed = None
        except DeltaError as error:
            raise _refused(error, target) from error
    raise CommitContended(f"{TRIES} tries to commit {target.partition.path} lost against others", where=target.table)


def _write(
    target: Target, handle: DeltaTable | None, rows: pa.RecordBatchReader, metadata: Mapping[str, str]
) -> Committed:
    if handle is None:
        create_table(target.table, rows.schema, target.partition.columns)
        handle = claim(target).handle
        assert handle is not None
    before = handle.version()
    write_deltalake(
        handle,
        rows,
        mode="overwrite",
        predicate=target.partition.predicate,
        commit_properties=CommitProperties(
            app_transactions=[Transaction(target.app, target.fence)],
            max_commit_retries=_REBASES,
            custom_metadata=dict(metadata),
        ),
    )
    return _confirmed(target, before, handle.version())


def _confirmed(target: Target, before: int, after: int) -> Committed:
    """Find our commit in the log, make sure of what it changed, and that it outlives a loss of power."""
    for version in range(after, before, -1):
        actions = _actions(target.table, version)
        recorded = [action["txn"] for action in actions if "txn" in action]
        if any(txn["appId"] == target.app and txn["version"] == target.fence for txn in recorded):
            break
    else:
        raise CommitOutsidePartition(f"no commit from {before + 1} to {after} is ours", where=target.table)
    rows = 0
    written: list[Path] = []
    for action in actions:
        if "metaData" in action or "protocol" in action:
            raise CommitOutsidePartition(f"version {version} changed the table's definition", where=target.table)
        for change in ("add", "remove"):
            if change in action and action[change]["partitionValues"] != target.partition.texts:
                raise CommitOutsidePartition(
                    f"version {version} touched {action[change]['partitionValues']}, not just {target.partition.texts}",
                    where=target.table,
                )
        if "add" in action:
            written.append(target.table / unquote(action["add"]["path"]))
            rows += json.loads(action["add"]["stats"])["numRecords"]
    _make_durable(target.table, version, written)
    return Committed(version, rows)


def _actions(table: Path, version: int) -> list[dict[str, Any]]:
    with _log_file(table, version).open("rb") as file:
        return [json.loads(line) for line in file]


def _make_durable(table: Path, version: int, written: list[Path]) -> None:
    """delta-rs leaves it to the system when its files reach the disk. A commit that is reported must be there."""
    log = table / "_delta_log"
    checkpoint = [log / f"{version:020}.checkpoint.parquet", log / "_last_checkpoint"]
    for path in written:
        sync(path)
    for path in [_log_file(table, version), *(path for path in checkpoint if path.exists())]:
        sync(path)
    for folder in {log, table, table.parent, *(path.parent for path in written)}:
        sync(folder)


def _log_file(table: Path, version: int) -> Path:
    return table / "_delta_log" / f"{version:020}.json"


def _refused(error: DeltaError, target: Target) -> Exception:
    if isinstance(error, SchemaMismatchError):
        return CommitRefused(f"the rows have another schema than the table: {_first_line(error)}", where=target.table)
    return storage_error(_errno(error), _first_line(error), target.table, CommitRefused)


def _first_line(error: DeltaError) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def _errno(error: DeltaError) -> int | None:
    """The operating system's error number, which delta-rs gives in its text only."""
    found = _OS_ERROR.search(str(error))
    return int(found[1]) if found else None
