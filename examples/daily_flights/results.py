"""What came of it: rows per month, rejects by reason, and the content of the table as one digest.

Run `python results.py`, or `python results.py --json` for one JSON document.
"""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

try:
    from rich import print as draw
    from rich.table import Table
except ImportError:
    draw = Table = None

from ostinato_data import dead_letters
from ostinato_data.commit import open_table
from ostinato_data.digest import digest_table

HERE = Path(__file__).parent
TABLE, DLQ = HERE / "tables" / "daily_flights", HERE / "dlq"

MONTHS = """
    SELECT strftime(date, '%Y-%m') AS month, count(*) AS rows, count(DISTINCT date) AS days,
           count(*) FILTER (cancelled) AS cancelled, round(avg(dep_delay), 1) AS mean_delay
    FROM flights GROUP BY month ORDER BY month
"""


def results() -> dict[str, Any]:
    """All figures. The digest does not depend on the order of rows, or on how they lie in files."""
    table = open_table(TABLE)
    if table is None:
        sys.exit("There is no table yet: run the pipeline first.")
    flights = pa.RecordBatchReader.from_stream(table.scan(columns=["date", "cancelled", "dep_delay"]))
    months = duckdb.from_arrow(flights).query("flights", MONTHS)
    reasons = Counter(
        reason for path in dead_letters.find(DLQ) for reject in dead_letters.read(path) for reason in reject.reasons
    )
    content = digest_table(TABLE)
    return {
        "months": [dict(zip(months.columns, row, strict=True)) for row in months.fetchall()],
        "rejects": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        "rows": content.rows,
        "digest": content.hex,
        "table_version": table.version(),
    }


def show(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: well drawn if rich is there to do it."""
    texts = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    if draw is None or Table is None:
        widths = [max(map(len, column)) for column in zip(heads, *texts, strict=True)]
        for line in (heads, *texts):
            print("  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)))
        return
    drawn = Table(title=title, title_justify="left")
    for head, text in zip(heads, texts[0] if texts else heads, strict=True):
        drawn.add_column(head, justify="right" if text[:1].isdigit() else "left")
    for row in texts:
        drawn.add_row(*row)
    draw(drawn)


def main(words: list[str]) -> None:
    """Print."""
    found = results()
    if "--json" in words:
        print(json.dumps(found))
        return
    months = [list(month.values()) for month in found["months"]]
    show("Flights by month", ["month", "rows", "days", "cancelled", "mean delay, min"], months)
    show("Rejected records by reason", ["reason", "records"], list(found["rejects"].items()))
    print(f"{found['rows']:,} rows; the digest of their content is {found['digest']}")


if __name__ == "__main__":
    main(sys.argv[1:])
