"""Checking files: what is good is typed, what is not is rejected with every reason, and nothing else happens."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from ostinato_data import Column, Contract, Rule
from ostinato_data.check import check
from ostinato_data.errors import ContractInvalid, SourceUnreadable
from ostinato_data.reject import Reject

CONTRACT = Contract(
    "orders",
    (
        Column("id", "integer", min=1, max=99),
        Column("city", "text", nullable=True, values=("Rom", "Oslo")),
        Column("price", "number"),
        Column("code", "text", pattern="[A-Z]{2}"),
    ),
    key=("id",),
    rules=(Rule("cheap in Rom", "city <> 'Rom' OR price < 10"),),
)
HEADER = b"id,city,price,code\n"

Outcome = tuple[list[tuple[object, ...]], list[Reject]]


def outcome(path: Path, content: bytes, contract: Contract = CONTRACT) -> Outcome:
    path.write_bytes(content)
    with check(contract, path) as checked:
        rows, rejects = [tuple(row.values()) for row in checked.rows().read_all().to_pylist()], list(checked.rejects())
        assert (checked.kept, checked.rejected) == (len(rows), len(rejects))
        assert checked.total == len(rows) + len(rejects)
        assert list(checked.rejects()) == rejects
    for reject in rejects:
        assert content[reject.byte_offset : reject.byte_offset + reject.byte_length] == reject.raw
    return rows, rejects


def reasons(outcome: Outcome) -> list[tuple[int, tuple[str, ...]]]:
    return [(reject.record_no, reject.reasons) for reject in outcome[1]]


def accepted(tmp_path: Path, column: Column, texts: list[str]) -> dict[str, object]:
    """The texts that are good values of a column, with the values."""
    quoted = ['"' + text.replace('"', '""') + '"' for text in texts]
    content = "\n".join(["n,v", *(f"{n},{text}" for n, text in enumerate(quoted))]) + "\n"
    contract = Contract("x", (Column("n", "integer"), column))
    return {texts[n]: value for n, value in outcome(tmp_path / "in.csv", content.encode(), contract)[0]}


def test_good_rows_come_typed_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows, rejects = outcome(tmp_path / "in.csv", HEADER + b'2,Rom,1e0,AB\n1,NA,"2.5","CD"\n')
    assert rows == [(2, "Rom", 1.0, "AB"), (1, None, 2.5, "CD")]
    assert rejects == []


def test_every_reason_of_a_record_is_given(tmp_path: Path) -> None:
    found = outcome(tmp_path / "in.csv", HEADER + b"1,Rom,1,AA\n0,Bonn,x,a\n1,Rom,50,\n,,,\n")
    assert reasons(found) == [
        (2, ("id: below 1", "city: not one of Rom, Oslo", "price: not a number", "code: does not match [A-Z]{2}")),
        (3, ("code: missing", "rule: cheap in Rom", "duplicate key")),
        (4, ("id: missing", "price: missing", "code: missing")),
    ]


def test_records_that_cannot_be_parsed_are_rejected_among_the_others(tmp_path: Path) -> None:
    content = HEADER + b'1,Rom\n2,Rom,1,AA,9\n3,Rom,1,AA\n4,"Rom,1,AA\n5,\xe9,x,AA\n6,\xe9\n7,Ro\rm,1,AA\n8,Rom,1,BB\n'
    found = outcome(tmp_path / "in.csv", content)
    assert [row[0] for row in found[0]] == [3, 8]
    assert reasons(found) == [
        (1, ("too few columns",)),
        (2, ("too many columns",)),
        (4, ("broken quotes",)),
        (5, ("city: not UTF-8", "price: not a number")),
        (6, ("too few columns", "not UTF-8")),
        (7, ("a carriage return inside the record",)),
    ]
    assert found[1][3].fields == {"id": "5", "price": "x", "code": "AA"}
    assert found[1][0].fields is None


def test_of_a_key_the_first_good_record_is_kept(tmp_path: Path) -> None:
    content = HEADER + b"1,Bonn,1,AA\n1,Rom,1,AA\n1,Rom,2,AA\n1,Bonn,2,AA\n2,Rom,1,AA\n"
    found = outcome(tmp_path / "in.csv", content)
    assert [row[:3] for row in found[0]] == [(1, "Rom", 1.0), (2, "Rom", 1.0)]
    assert reasons(found) == [
        (1, ("city: not one of Rom, Oslo",)),
        (3, ("duplicate key",)),
        (4, ("city: not one of Rom, Oslo", "duplicate key")),
    ]


def test_keys_are_compared_as_values_and_over_all_files(tmp_path: Path) -> None:
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_bytes(HEADER + b"1,Rom,1,AA\n")
    second.write_bytes(b"code,price,city,id\nAA,1,Rom,2\nAA,1,Rom,+01\n")
    with check(CONTRACT, first, second) as checked:
        assert checked.relation().fetchall() == [(1, "Rom", 1.0, "AA"), (2, "Rom", 1.0, "AA")]
        [reject] = checked.rejects()
    assert (reject.source_file, reject.record_no, reject.reasons) == (str(second), 2, ("duplicate key",))


def test_only_a_false_rule_rejects(tmp_path: Path) -> None:
    contract = Contract("x", (Column("a", "integer", nullable=True),), rules=(Rule("positive", "a > 0 -- always"),))
    found = outcome(tmp_path / "in.csv", b"a\n1\nNA\n-1\n", contract)
    assert found[0] == [(1,), (None,)]
    assert reasons(found) == [(3, ("rule: positive",))]


def test_a_rule_may_use_the_values_of_the_partition(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(b"day,city\n1,Rom\n2,Rom\n1,Oslo\nx,Rom\n")
    rules = (Rule("of its day", "day = $day"), Rule("of its place", "city = $city OR $day = 9"))
    contract = Contract("x", (Column("day", "integer"), Column("city", "text")), rules=rules)
    with check(contract, path, given={"day": 1, "city": "Rom", "unused": 3}) as checked:
        assert checked.relation().fetchall() == [(1, "Rom")]
        assert [reject.reasons for reject in checked.rejects()] == [
            ("rule: of its day",),
            ("rule: of its place",),
            ("day: not an integer",),
        ]
    with (
        pytest.raises(ContractInvalid, match=r"a rule uses \$city, which is not given"),
        check(contract, given={"day": 1}),
    ):
        pass


def test_a_rule_that_breaks_on_a_record_is_named(tmp_path: Path) -> None:
    contract = Contract("x", (Column("a", "text"),), rules=(Rule("number", "CAST(a AS INTEGER) > 0"),))
    with pytest.raises(ContractInvalid, match=r"a rule cannot be applied: .*Could not convert string 'b'"):
        outcome(tmp_path / "in.csv", b"a\nb\n", contract)


def test_names_may_be_anything(tmp_path: Path) -> None:
    contract = Contract(
        'a"b', (Column('q"x', "integer", max=1), Column("select", "text"), Column("a,b'", "date")), key=("select",)
    )
    found = outcome(tmp_path / "in.csv", b'"q""x",select,"a,b\'"\n1,x,2013-01-01\n2,x,2013-02-30\n', contract)
    assert found[0] == [(1, "x", date(2013, 1, 1))]
    assert reasons(found) == [(2, ('q"x: above 1', "a,b': not a date (YYYY-MM-DD)", "duplicate key"))]


def test_no_records_is_a_good_delivery_and_no_file_is_not(tmp_path: Path) -> None:
    assert outcome(tmp_path / "in.csv", HEADER) == ([], [])
    with pytest.raises(SourceUnreadable), check(CONTRACT, tmp_path / "in.csv", tmp_path / "none.csv"):
        pass


def test_integers_are_written_as_integers(tmp_path: Path) -> None:
    texts = ["1", "+1", "-0", "007", "9223372036854775807", "9223372036854775808", "1.0", "1e3", "1_000", " 1", "0x10"]
    assert accepted(tmp_path, Column("v", "integer"), texts) == {
        "1": 1,
        "+1": 1,
        "-0": 0,
        "007": 7,
        "9223372036854775807": 2**63 - 1,
    }


def test_numbers_are_finite_and_without_blanks_or_separators(tmp_path: Path) -> None:
    texts = ["1", ".5", "5.", "-1.5e-3", "1e400", "nan", "inf", "1_0", " 1", "1,5", ".", "1e", "0x1p3"]
    assert accepted(tmp_path, Column("v", "number"), texts) == {"1": 1.0, ".5": 0.5, "5.": 5.0, "-1.5e-3": -0.0015}


def test_decimals_are_never_rounded(tmp_path: Path) -> None:
    column = Column("v", "decimal(5,2)", min=Decimal("-1.005"), max=999)
    texts = ["1", "1.2", "1.25", "1.255", "-1.00", "-1.01", "1000", "99999.1", "1e1", "1."]
    good = accepted(tmp_path, column, texts)
    assert good == {"1": Decimal(1), "1.2": Decimal("1.2"), "1.25": Decimal("1.25"), "-1.00": Decimal(-1)}


def test_booleans_are_a_few_words(tmp_path: Path) -> None:
    texts = ["true", "False", "T", "f", "1", "0", "yes", "2", " true"]
    expected = {"true": True, "False": False, "T": True, "f": False, "1": True, "0": False}
    assert accepted(tmp_path, Column("v", "boolean"), texts) == expected


def test_dates_are_days_that_exist(tmp_path: Path) -> None:
    texts = ["2013-01-05", "2013-1-5", "2013-02-30", "20130105", "2013-01-05 10:00", "epoch", "infinity"]
    column = Column("v", "date", min=date(2012, 1, 1))
    assert accepted(tmp_path, column, [*texts, "2011-12-31"]) == {"2013-01-05": date(2013, 1, 5)}


def test_a_local_time_has_no_offset_and_a_time_has_one(tmp_path: Path) -> None:
    local = [
        "2013-01-05 10:00",
        "2013-01-05T10:00:00.25",
        "2013-01-05",
        "2013-01-05 24:00",
        "2013-01-05 10:60",
        "epoch",
    ]
    offset = ["2013-01-05T10:00:00Z", "2013-01-05 10:00:00+02:00", "2013-01-05 10:00-0530", "2013-01-05 10:00 UTC"]
    naive = [datetime(2013, 1, 5, 10), datetime(2013, 1, 5, 10, 0, 0, 250_000)]
    assert accepted(tmp_path, Column("v", "timestamp"), local + offset) == dict(zip(local, naive, strict=False))
    bounded = Column("v", "timestamptz", min=datetime(2013, 1, 5, 8, tzinfo=UTC))
    good = accepted(tmp_path, bounded, [*local, *offset, "2013-01-05T09:59:59+02:00"])
    assert good == {
        offset[0]: datetime(2013, 1, 5, 10, tzinfo=UTC),
        offset[1]: datetime(2013, 1, 5, 8, tzinfo=UTC),
        offset[2]: datetime(2013, 1, 5, 15, 30, tzinfo=UTC),
    }


def test_integers_can_be_listed_too(tmp_path: Path) -> None:
    column = Column("v", "integer", values=(1, 2, 3, 5, 8, 13, 21, 34))
    found = outcome(tmp_path / "in.csv", b"n,v\n1,8\n2,9\n", Contract("x", (Column("n", "integer"), column)))
    assert reasons(found) == [(2, ("v: not one of 1, 2, 3, 5, 8, 13 and 2 more",))]
