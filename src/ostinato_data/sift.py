"""Reading a small input that goes with a delivery (a day's exchange rates, an hour's weather): the good rows, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import dead_letters
from .contract import Contract
from .partition import Partition, PartitionValue

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Sifted:
    """The good ``rows`` as an Arrow table, and what became of the others (as in ``Landed``)."""

    rows: "pa.Table"
    rejected: int
    reasons: dict[str, int]
    dead_letters: Path | None


def sift(
    contract: Contract, source: Path | str, *, partition: Mapping[str, PartitionValue], dead_letters_in: Path | str
) -> Sifted:
    """The good rows of a CSV file that fits in memory; its rejects go to the partition's file of dead letters.

    ``partition`` gives the contract's rules their ``$names``. Raises DataError, see its subclasses.
    """
    from .check import check  # noqa: PLC0415 - dag files import this module; engines are needed when data moves

    place = dead_letters.place(Path(dead_letters_in), contract.asset, Partition.of(partition))
    with check(contract, source, given=partition) as checked:
        letters = dead_letters.write(place, checked.rejects())
        return Sifted(checked.rows().read_all(), letters.count, letters.reasons, letters.path)
