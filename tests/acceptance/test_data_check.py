"""Generated deliveries with planted defects: every one is found, with its reason and place, and nothing else is."""

import random
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ostinato_data import Column, Contract, Partition, Rule, dead_letters, land, source
from ostinato_data.check import check
from ostinato_data.errors import TooManyRejects
from ostinato_data.reject import Reject

CONTRACT = Contract(
    "sales",
    (
        Column("id", "integer", min=0),
        Column("day", "date", min=date(2013, 1, 1), max=date(2013, 12, 31)),
        Column("carrier", "text", nullable=True, values=("UA", "AA", "B6")),
        Column("qty", "integer", min=0, max=100),
        Column("price", "number", nullable=True),
        Column("note", "text", nullable=True),
    ),
    key=("id",),
    rules=(Rule("free is marked", "price <> 0 OR note = 'qfree'"),),
)
COLUMNS = tuple(column.name for column in CONTRACT.columns)
NOTES = ["plain", "NA", "", "qcomma, here", 'q"quoted"', "qline\nbreak", "qline\r\nbreak", "qé", "qfree"]
"""Every note that needs quotes begins with a letter, so that an open quote before it is never closed by accident."""

VALUE_DEFECTS = {
    "id": [("x1", "id: not an integer"), ("-1", "id: below 0"), ("", "id: missing"), ("1.0", "id: not an integer")],
    "day": [("2013-02-30", "day: not a date (YYYY-MM-DD)"), ("2014-01-01", "day: above 2013-12-31")],
    "carrier": [("ZZ", "carrier: not one of UA, AA, B6")],
    "qty": [("101", "qty: above 100"), ("NA", "qty: missing"), ("1e1", "qty: not an integer")],
    "price": [("1_0", "price: not a number"), ("nan", "price: not a number")],
}
LINE_DEFECTS = ["too few columns", "too many columns", "broken quotes", "a carriage return inside the record", "bytes"]


@dataclass
class Delivery:
    """A file in the making, and what a check of it must say."""

    random: random.Random
    content: bytearray = field(default_factory=lambda: bytearray(",".join(COLUMNS).encode() + b"\n"))
    good: list[tuple[object, ...]] = field(default_factory=list)
    bad: list[tuple[int, int, bytes, set[str]]] = field(default_factory=list)

    def add(self, number: int, plant: str | None) -> None:
        """One more record, good or with a defect."""
        fields = self._good_fields(number)
        reasons: set[str] = set()
        line = None
        if plant == "value":
            for name in self.random.sample(sorted(VALUE_DEFECTS), self.random.choice([1, 1, 2, 3])):
                fields[name], reason = self.random.choice(VALUE_DEFECTS[name])
                reasons.add(reason)
        elif plant == "rule":
            fields["price"], fields["note"] = "0.0", "plain"
            reasons.add("rule: free is marked")
        elif plant == "duplicate" and self.good:
            fields["id"] = str(self.random.choice(self.good)[0])
            reasons.add("duplicate key")
        elif plant in LINE_DEFECTS:
            line, reasons = self._broken_line(fields, plant)
        raw = line if line is not None else b",".join(self._written(text) for text in fields.values())
        if reasons:
            self.bad.append((len(self.good) + len(self.bad) + 1, len(self.content), raw, reasons))
        else:
            self.good.append(typed(fields))
        self.content += raw + self.random.choice([b"\n", b"\n", b"\r\n", b"\n\n"])

    def _good_fields(self, number: int) -> dict[str, str]:
        pick = self.random
        return {
            "id": str(number),
            "day": f"2013-{pick.randint(1, 12):02}-{pick.randint(1, 28):02}",
            "carrier": pick.choice(["UA", "AA", "B6", "", "NA"]),
            "qty": str(pick.randint(0, 100)),
            "price": pick.choice(["1", "2.5", "-1e3", "NA"]),
            "note": pick.choice(NOTES),
        }

    def _written(self, text: str) -> bytes:
        must = any(mark in text for mark in ',"\n\r')
        quoted = must or (self.random.random() < 0.2 and text[:1].isalnum())
        return ('"' + text.replace('"', '""') + '"').encode() if quoted else text.encode()

    def _broken_line(self, fields: dict[str, str], plant: str) -> tuple[bytes, set[str]]:
        plain = {name: text if name != "note" else "plain" for name, text in fields.items()}
        if plant == "too few columns":
            return ",".join(list(plain.values())[:-1]).encode(), {plant}
        if plant == "too many columns":
            return ",".join([*plain.values(), "more"]).encode(), {plant}
        if plant == "broken quotes":
            return ",".join((plain | {"note": '"open'}).values()).encode(), {plant}
        if plant == "bytes":
            return ",".join((plain | {"note": ""}).values()).encode() + b"caf\xe9", {"note: not UTF-8"}
        return ",".join((plain | {"note": "a\rb"}).values()).encode(), {plant}


def typed(fields: dict[str, str]) -> tuple[object, ...]:
    """The values a good record must have."""
    value = {name: None if text in {"", "NA"} else text for name, text in fields.items()}
    price = value["price"]
    return (
        int(fields["id"]),
        date.fromisoformat(fields["day"]),
        value["carrier"],
        int(fields["qty"]),
        None if price is None else float(price),
        value["note"],
    )


def delivery(seed: int, plants: list[str | None]) -> Delivery:
    made = Delivery(random.Random(seed))
    for number, plant in enumerate(plants):
        made.add(number, plant)
    return made


def told(rejects: list[Reject]) -> list[tuple[int, int, bytes, set[str]]]:
    return [(reject.record_no, reject.byte_offset, reject.raw, set(reject.reasons)) for reject in rejects]


PLANTS = st.one_of(st.none(), st.sampled_from(["value", "rule", "duplicate", *LINE_DEFECTS]))


@given(seed=st.integers(0, 2**32), plants=st.lists(PLANTS, max_size=30))
@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_every_planted_defect_is_found_and_no_good_record_is_rejected(
    seed: int, plants: list[str | None], tmp_path: Path
) -> None:
    made = delivery(seed, plants)
    path = tmp_path / "in.csv"
    path.write_bytes(made.content)
    with check(CONTRACT, path) as checked:
        assert checked.total == checked.kept + checked.rejected == len(plants)
        assert checked.relation().fetchall() == made.good
        assert told(list(checked.rejects())) == made.bad


def test_a_delivery_of_many_pieces_lands_whole_and_its_rejects_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "BLOCK", 50_000)
    kinds = ["value", "rule", "duplicate", *LINE_DEFECTS]
    chance = random.Random(1)
    made = delivery(2, [chance.choice(kinds) if chance.random() < 0.002 else None for _ in range(20_000)])
    path = tmp_path / "in.csv"
    path.write_bytes(made.content)
    assert len(made.content) > 10 * source.BLOCK
    landed = land(
        CONTRACT,
        path,
        table=tmp_path / "table",
        partition={"source": "north"},
        fence=1,
        dead_letters_in=tmp_path / "dlq",
        transform=lambda rows: rows.project("*, 'north' AS source"),
        figures={"sold": "sum(qty)", "free": "count(*) FILTER (price = 0)"},
    )
    assert landed.figures == {"sold": sum(row[3] for row in made.good), "free": 0}
    assert (landed.total, landed.rows, landed.rejected) == (20_000, len(made.good), len(made.bad))
    assert landed.dead_letters is not None
    assert told(list(dead_letters.read(landed.dead_letters))) == made.bad
    assert DeltaTable(tmp_path / "table").count() == len(made.good)


def test_the_same_input_gives_the_same_dead_letters_and_none_takes_them_away(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(delivery(3, [None, "value", "bytes", "duplicate", None]).content)
    letters = dead_letters.place(tmp_path / "dlq", "sales", Partition.of({"day": date(2013, 1, 1)}))
    seen: list[bytes] = []
    for _ in range(2):
        with check(CONTRACT, path) as checked:
            dead_letters.write(letters, checked.rejects())
        seen.append(letters.read_bytes())
    assert seen[0] == seen[1]
    assert seen[0].count(b"\n") == 3
    path.write_bytes(delivery(3, [None, None]).content)
    with check(CONTRACT, path) as checked:
        dead_letters.write(letters, checked.rejects())
    assert not letters.exists()


@pytest.mark.parametrize(
    ("limits", "words"),
    [({"max_rejects": 1}, "2 of 4 .* 1 are allowed"), ({"max_reject_share": 0.4}, "40.00% are allowed")],
)
def test_too_many_rejects_stop_the_delivery_but_can_be_looked_at(
    limits: dict[str, float], words: str, tmp_path: Path
) -> None:
    made = delivery(4, [None, "rule", None, "rule"])
    path = tmp_path / "in.csv"
    path.write_bytes(made.content)
    with pytest.raises(TooManyRejects, match=words) as caught:
        land(
            CONTRACT,
            path,
            table=tmp_path / "table",
            partition={"day": date(2013, 1, 1)},
            fence=1,
            dead_letters_in=tmp_path / "dlq",
            **limits,  # type: ignore[arg-type]
        )
    assert caught.value.error_class == "logic"
    assert "rule: free is marked (2)" in caught.value.what
    assert told(list(dead_letters.read(Path(caught.value.where)))) == made.bad
    assert not (tmp_path / "table").exists()


def test_an_error_of_the_transform_is_the_author_s_own_and_nothing_is_committed(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(delivery(5, [None]).content)

    def transform(rows: object) -> object:
        return rows.project("CAST(day AS VARCHAR)::INTEGER AS day")  # type: ignore[attr-defined]

    with pytest.raises(Exception, match="Could not convert string") as caught:
        land(
            CONTRACT,
            path,
            table=tmp_path / "table",
            partition={"day": 1},
            fence=1,
            dead_letters_in=tmp_path / "dlq",
            transform=transform,  # type: ignore[arg-type]
        )
    assert type(caught.value).__name__ == "ConversionException"
    assert not (tmp_path / "table").exists()
