"""What came of it: rows per month, rejects by reason, and the content of the table as one digest.

    python results.py          as a table
    python results.py --json   as one JSON document
"""

import json
import sys
from collections import Counter
from pathlib import Path

import duckdb

from ostinato_data import dead_letters
from ostinato_data.commit import open_table
from ostinato_data.digest import digest_table

HERE = Path(__file__).parent
TABLE, DLQ = HERE / "tables" / "daily_flights", HERE / "dlq"


def results() -> dict[str, object]:
    """All figures. The digest does not depend on the order of rows, or on how they lie in files."""
    table = open_table(TABLE)
    if table is None:
        sys.exit("There is no table yet: run the pipeline first.")
    flights = table.to_pyarrow_dataset()
    months = duckdb.sql(
        "select strftime(date, '%Y-%m') as label, count(*) as rows, count(distinct date) as days, "
        "count(*) filter (cancelled) as cancelled, round(avg(dep_delay), 1) as delay "
        "from flights group by label order by label"
    ).fetchall()
    reasons = Counter(
        reason for path in dead_letters.find(DLQ) for reject in dead_letters.read(path) for reason in reject.reasons
    )
    content = digest_table(TABLE)
    return {
        "months": [dict(zip(("month", "rows", "days", "cancelled", "mean_delay"), row, strict=True)) for row in months],
        "rejects": dict(reasons.most_common()),
        "rows": content.rows,
        "digest": content.hex,
        "table_version": table.version(),
    }


def main(words: list[str]) -> None:
    """Print."""
    found = results()
    if "--json" in words:
        print(json.dumps(found))
        return
    print(f"{'month':<8}{'rows':>9}{'days':>6}{'cancelled':>11}{'mean delay, min':>17}")
    for month in found["months"]:
        print(f"{month['month']:<8}{month['rows']:>9,}{month['days']:>6}{month['cancelled']:>11,}{month['mean_delay']:>17}")
    print(f"{'all':<8}{found['rows']:>9,}")
    print("\nrejected records, by reason")
    for reason, count in found["rejects"].items():
        print(f"{count:>9,}  {reason}")
    print(f"\ndigest of the table's content  {found['digest']}")


if __name__ == "__main__":
    main(sys.argv[1:])
