"""The life of one delivery: read, check, put the rejects aside, transform the rest, commit.

Running it twice gives what running it once gave: the dead letters have the same bytes, the partition the same content.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import dead_letters
from .contract import Contract
from .errors import TooManyRejects
from .partition import Partition, PartitionValue

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from .check import Checked

    Transform = Callable[[DuckDBPyRelation], DuckDBPyRelation]

_SHOWN_REASONS: Final = 3


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of a delivery of ``total`` records: ``rejected`` of them put aside, ``rows`` in the partition.

    ``reasons`` counts the rejects by reason; one reject may have several. ``dead_letters`` is their file, None without
    rejects. ``version`` is the table's version. ``repeated`` says that this very attempt had committed before.
    ``figures`` are the answers to what was asked about the rows.
    """

    total: int
    rejected: int
    rows: int
    reasons: dict[str, int]
    dead_letters: Path | None
    version: int
    repeated: bool
    figures: dict[str, Any]


def land(
    contract: Contract,
    sources: Path | str | Iterable[Path | str],
    *,
    table: Path | str,
    partition: Mapping[str, PartitionValue],
    fence: int,
    dead_letters_in: Path | str,
    transform: "Transform | None" = None,
    max_rejects: int | None = None,
    max_reject_share: float = 1.0,
    figures: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Landed:
    """Make a partition of a Delta table hold what CSV files say, as far as they keep the contract.

    ``partition`` names it by the values of the table's partition columns, and gives the contract's rules their
    ``$names``. ``fence`` is the attempt's number, larger for each later one (see ``commit.Target``). Rejects go to a file
    under ``dead_letters_in``; more than ``max_rejects``, or than a share of ``max_reject_share`` of all records, raise
    TooManyRejects, and the table stays as it was. ``transform`` gets the good rows as a DuckDB relation and returns the
    rows for the table, with the partition columns in them. ``figures`` asks about these rows: names, and what they stand
    for as aggregates in SQL, such as ``{"late": "count(*) FILTER (delay > 15)"}``. ``metadata`` is kept with the commit.

    Raises DataError, see its subclasses; whatever ``transform`` raises passes through.
    """
    from .check import check  # noqa: PLC0415 - dag files import this module; engines are needed when data moves
    from .commit import Target, claim, commit  # noqa: PLC0415
    from .engine import ask, stream  # noqa: PLC0415

    paths = [sources] if isinstance(sources, Path | str) else list(sources)
    target = Target(Path(table), Partition.of(partition), fence)
    letters_path = dead_letters.place(Path(dead_letters_in), contract.asset, target.partition)
    with check(contract, *paths, given=partition) as checked:
        claimed = claim(target)  # a late attempt is refused before it touches the dead letters
        letters = dead_letters.write(letters_path, checked.rejects())
        assert letters.count == checked.rejected, f"{letters.count} dead letters for {checked.rejected} rejects"
        _refuse_too_many(letters, checked.total, max_rejects, max_reject_share)
        with _rows(checked, transform) as rows:
            count, *answers = ask(checked.engine, rows, ["count(*)", *(figures or {}).values()])
            committed = commit(target, lambda: stream(checked.engine, rows), claimed=claimed, metadata=metadata)
    return Landed(
        total=checked.total,
        rejected=letters.count,
        rows=count,
        reasons=letters.reasons,
        dead_letters=letters.path,
        version=committed.version,
        repeated=committed.rows is None,
        figures=dict(zip(figures or {}, answers, strict=True)),
    )


def _rows(checked: "Checked", transform: "Transform | None") -> AbstractContextManager[str]:
    """The name of a table of the rows to commit. They are computed once, so that each try writes the same."""
    from .engine import computed  # noqa: PLC0415

    return computed(checked.engine, transform(checked.relation())) if transform else nullcontext(checked.table)


def _refuse_too_many(letters: dead_letters.DeadLetters, total: int, most: int | None, share: float) -> None:
    if most is not None and letters.count > most:
        allowed = f"{most:,}"
    elif letters.count > share * total:
        allowed = f"{share:.2%}"
    else:
        return
    top = ", ".join(f"{reason} ({count:,})" for reason, count in list(letters.reasons.items())[:_SHOWN_REASONS])
    raise TooManyRejects(
        f"{letters.count:,} of {total:,} records are rejected, {allowed} are allowed; mostly {top}",
        where=letters.path or "",
    )
