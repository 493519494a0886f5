"""A contract that contradicts itself is refused where it is written, and says everything that is wrong."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ostinato_data import Column, Contract, DataError, Rule
from ostinato_data.check import check
from ostinato_data.column_types import column_type
from ostinato_data.errors import ContractInvalid


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Column("", "text"), "needs a name"),
        (lambda: Column("__row", "text"), "names that begin with __ are taken"),
        (lambda: Column("a", "varchar"), r"'varchar' is no type; there are text, integer, .*decimal\(digits,scale\)"),
        (lambda: Column("a", "decimal(2,3)"), "is no type"),
        (lambda: Column("a", "decimal(39,0)"), "is no type"),
        (lambda: Column("a", "integer", min=1.5), "min 1.5 does not fit type integer"),
        (lambda: Column("a", "integer", min=2**63), "does not fit"),
        (lambda: Column("a", "integer", max=True), "max True does not fit"),
        (lambda: Column("a", "number", min=float("nan")), "does not fit"),
        (lambda: Column("a", "decimal(5,2)", min=Decimal("NaN")), "does not fit"),
        (lambda: Column("a", "boolean", min=0), "does not fit"),
        (lambda: Column("a", "integer", min=2, max=1), "min 2 is above max 1"),
        (lambda: Column("a", "date", min=datetime(2013, 1, 1, tzinfo=UTC)), "does not fit"),
        (lambda: Column("a", "timestamp", min=datetime(2013, 1, 1, tzinfo=UTC)), "does not fit"),
        (lambda: Column("a", "timestamptz", min=datetime(2013, 1, 1)), "does not fit"),
        (lambda: Column("a", "date", values=("2013-01-01",)), "only text and integer columns"),
        (lambda: Column("a", "integer", values=("1",)), "the values do not all fit"),
        (lambda: Column("a", "integer", pattern="1"), "only text columns can have a pattern"),
        (lambda: Column("a", "text", pattern="["), "no regular expression"),
        (lambda: Column("", "text", pattern="["), "needs a name; the pattern"),
        (lambda: Rule(" ", "a"), "needs a name"),
        (lambda: Contract("x", ()), "needs columns"),
        (lambda: Contract("", (Column("a", "text"),)), "name of its asset"),
        (lambda: Contract("x", (Column("a", "text"), Column("A", "text"))), "column 'a' is there twice"),
        (
            lambda: Contract("x", (Column("a", "text"),), key=("b", "a", "a")),
            "'a' is there twice; .*'b' is not a column",
        ),
        (lambda: Contract("x", (Column("a", "text", nullable=True),), key=("a",)), "key column 'a' is nullable"),
        (
            lambda: Contract("x", (Column("a", "text"),), rules=(Rule("r", "1"), Rule("r", "2"))),
            "rule 'r' is there twice",
        ),
    ],
)
def test_a_mistake_in_a_contract_is_named_where_it_is_written(make: object, words: str) -> None:
    with pytest.raises(ContractInvalid, match=words) as caught:
        make()  # type: ignore[operator]
    assert (caught.value.code, caught.value.error_class) == ("OST-501", "logic")


def test_what_only_the_engine_can_refuse_is_named_before_a_file_is_read() -> None:
    column = Column("a", "text", pattern="(?=a)")  # Python's regular expressions can look ahead, RE2 cannot
    with (
        pytest.raises(ContractInvalid, match=r"a: does not match .* is not understood"),
        check(Contract("x", (column,))),
    ):
        pass


@pytest.mark.parametrize("sql", ["b > 1", "a >", "nonsense(a)"])
def test_a_rule_that_is_no_sql_is_named(sql: str) -> None:
    contract = Contract("x", (Column("a", "integer"),), rules=(Rule("fine", "a > 0"), Rule("the broken one", sql)))
    with pytest.raises(ContractInvalid, match="rule: the broken one") as caught, check(contract):
        pass
    assert caught.value.where == "x"


def test_a_decimal_has_its_own_way_of_writing() -> None:
    kind = column_type("decimal(6,0)")
    assert kind is not None
    assert kind.written == "[+-]?[0-9]+"
    assert column_type("decimal(0,0)") is None


def test_an_error_says_what_where_and_what_to_do() -> None:
    error = DataError("it broke", where="here", help="Mend it.")
    assert str(error) == "OST-500: it broke (here). Mend it."
    assert str(DataError("it broke")) == "OST-500: it broke."


def test_codes_are_unique_and_classes_are_known() -> None:
    kinds = DataError.__subclasses__()
    assert len({kind.code for kind in kinds} | {DataError.code}) == len(kinds) + 1
    assert {kind.error_class for kind in kinds} == {"transient", "resource", "logic"}
    assert all(kind.__doc__ for kind in kinds)
