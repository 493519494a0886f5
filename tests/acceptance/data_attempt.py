"""One attempt at landing a file, in a process of its own that stops where it is told, to be killed or let go on.

``python data_attempt.py ROOT PART FENCE STOP``: lands ``ROOT/PART.csv`` in the partition PART of ``ROOT/table``. It says
``at STOP`` at that point (``start``, ``claimed``, ``writing`` or ``committed``) and goes on when it can read a line; it
ends with a line of JSON that says what became of it. With ``many`` as STOP it stops at the start, and then makes and
lands FENCE deliveries, one after the other, each telling its number.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

import ostinato_data.commit as committing
from ostinato_data import Column, Contract, DataError, Landed, land

CONTRACT = Contract("numbers", (Column("part", "text"), Column("n", "integer"), Column("told", "integer")), key=("n",))


def stop_at(point: str) -> None:
    sys.stdout.write(f"at {point}\n")
    sys.stdout.flush()
    sys.stdin.readline()


def halting(rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same rows, with a stop when all have been taken and their file is not finished."""

    def batches():
        yield from rows
        stop_at("writing")

    return pa.RecordBatchReader.from_batches(rows.schema, batches())


def arrange(point: str) -> None:
    """Make ``write_deltalake`` stop before, during or after its work."""
    write: Callable[..., None] = committing.write_deltalake

    def stopping(handle: object, rows: pa.RecordBatchReader, **options: object) -> None:
        if point == "claimed":
            stop_at(point)
        write(handle, halting(rows) if point == "writing" else rows, **options)
        if point == "committed":
            stop_at(point)

    committing.write_deltalake = stopping


def deliver(root: Path, part: str, told: int, rows: int = 50) -> None:
    """A file with good records that all tell the same number, and one bad record."""
    lines = ["part,n,told", *(f"{part},{n},{told}" for n in range(rows)), f"{part},x,{told}"]
    (root / f"{part}.csv").write_text("\n".join(lines) + "\n")


def landed(root: Path, part: str, fence: int) -> Landed:
    """Land the file of a partition."""
    return land(
        CONTRACT,
        root / f"{part}.csv",
        table=root / "table",
        partition={"part": part},
        fence=fence,
        dead_letters_in=root / "dlq",
    )


def main(root: Path, part: str, fence: int, point: str) -> str:
    """What became of it, as JSON."""
    if point in {"start", "many"}:
        stop_at(point)
    arrange(point)
    try:
        if point == "many":
            for told in range(1, fence):
                deliver(root, part, told)
                landed(root, part, told)
            deliver(root, part, fence)
        done = landed(root, part, fence)
    except DataError as error:
        return json.dumps({"error": type(error).__name__})
    return json.dumps({"rows": done.rows, "repeated": done.repeated, "rejected": done.rejected})


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]) + "\n")
