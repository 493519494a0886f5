"""What people did, in a chain: each entry's digest covers the one before, so that none can be changed or taken out unseen.

Entries are written in the transaction of what they tell. That the newest ones were not cut off can be told by whoever
has kept a digest elsewhere.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select

from ostinato.model.canonical import canonical
from ostinato.model.errors import AuditBroken
from ostinato.model.record import AuditEntry, Chain
from ostinato.model.time import Instant

from .record import text_of
from .tables import audit

_PORTION = 10_000


def record(
    connection: Connection,
    by: str,
    via: str,
    action: str,
    subject: str,
    now: Instant,
    facts: Mapping[str, object] | None = None,
) -> None:
    """Add an entry to the end of the chain."""
    last = end(connection)
    row = {
        "seq": last.entries + 1,
        "at": now,
        "who": by,
        "via": via,
        "action": action,
        "subject": subject,
        "facts": text_of(dict(facts or {})),
    }
    connection.execute(insert(audit).values(**row, digest=_digest(last.head, row)))


def end(connection: Connection) -> Chain:
    """How long the chain is, and the digest of its last entry, as they are written; see `verify`."""
    last = connection.execute(select(audit.c.seq, audit.c.digest).order_by(audit.c.seq.desc()).limit(1)).first()
    return Chain(0, "") if last is None else Chain(last.seq, last.digest)


def entries(
    connection: Connection, limit: int, before: int | None, who: str | None, subject: str | None
) -> list[AuditEntry]:
    """The newest entries that fit, newest first; ``before`` is the number to go on from."""
    query = select(audit).order_by(audit.c.seq.desc()).limit(limit)
    for column, wanted in ((audit.c.who, who), (audit.c.subject, subject)):
        if wanted is not None:
            query = query.where(column == wanted)
    if before is not None:
        query = query.where(audit.c.seq < before)
    return [AuditEntry(**_said(row)) for row in connection.execute(query).mappings()]


def verify(connection: Connection, head: str | None) -> Chain:
    """Compute the chain anew. Raises AuditBroken where it does not hold, or if it does not contain ``head``."""
    count, last, seen = 0, "", head is None
    for row in _all(connection):
        if row["seq"] != count + 1:
            raise AuditBroken(f"entry {count + 1} is missing")
        if row["digest"] != _digest(last, _said(row)):
            raise AuditBroken(f"entry {row['seq']} is not what was written, or the one before it is not")
        count, last = row["seq"], row["digest"]
        seen = seen or last == head
    if not seen:
        raise AuditBroken(f"no entry has the digest {head}: later ones were cut off, or all were made anew")
    return Chain(count, last)


def _all(connection: Connection) -> Iterator[RowMapping]:
    seq = 0
    while (
        rows := connection.execute(select(audit).where(audit.c.seq > seq).order_by(audit.c.seq).limit(_PORTION))
        .mappings()
        .all()
    ):
        yield from rows
        seq = rows[-1]["seq"]


def _said(row: RowMapping) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "digest"}


def _digest(before: str, row: Mapping[str, object]) -> str:
    """256 bits of blake2b over the digest before and all that an entry says, in hex."""
    said = canonical([row[name] for name in sorted(row)])
    return blake2b(before.encode() + said, digest_size=32).hexdigest()
