"""Partitions: what may name one, and that whatever does is kept apart from every other."""

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ostinato_data import Partition
from ostinato_data.errors import TargetInvalid

VALUES = st.one_of(st.text(min_size=1), st.integers(), st.dates())


@given(st.lists(VALUES, min_size=2, max_size=2), st.lists(VALUES, min_size=2, max_size=2))
def test_different_partitions_have_different_paths(one: list[str], other: list[str]) -> None:
    first, second = (Partition.of({"a": values[0], "b": values[1]}) for values in (one, other))
    assert (first.path == second.path) == (first.texts == second.texts)


@given(st.text(min_size=1))
def test_a_path_is_one_folder_for_each_column_whatever_the_value(value: str) -> None:
    path = Partition.of({"a": value}).path
    assert path.startswith("a=")
    assert "/" not in path
    assert "\0" not in path


def test_a_partition_is_a_condition_a_path_and_texts() -> None:
    partition = Partition.of({"date": date(2013, 5, 1), "part": 7, "carrier": "O'Hare"})
    assert partition.predicate == """"date" = '2013-05-01' AND "part" = 7 AND "carrier" = 'O''Hare'"""
    assert partition.path == "date=2013-05-01/part=7/carrier=O%27Hare"
    assert partition.texts == {"date": "2013-05-01", "part": "7", "carrier": "O'Hare"}
    assert partition.columns == ["date", "part", "carrier"]


@pytest.mark.parametrize(
    "values",
    [{}, {"a b": 1}, {"": 1}, {'a"': 1}, {"a": ""}, {"a": None}, {"a": True}, {"a": 1.5}, {"a": datetime(2013, 1, 1)}],
)
def test_what_cannot_name_a_partition_is_refused(values: dict[str, object]) -> None:
    with pytest.raises(TargetInvalid):
        Partition.of(values)  # type: ignore[arg-type]
