"""What is kept of a task's result comes back as it was, or is refused with its place."""

from datetime import UTC, date, datetime, timedelta
from enum import Enum, IntEnum
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as some

from ostinato.model.errors import NotStorable
from ostinato.model.value import MAX_BYTES, decode, encode

moments = some.datetimes() | some.datetimes(timezones=some.just(UTC))
plain = (
    some.none()
    | some.booleans()
    | some.integers(-(2**63), 2**64 - 1)
    | some.floats(allow_nan=False)
    | some.text()
    | some.binary()
    | some.dates()
    | moments
    | some.timedeltas()
)
nested = some.recursive(
    plain,
    lambda inner: some.lists(inner) | some.dictionaries(some.text() | some.integers(-(2**63), 2**63 - 1), inner),
    max_leaves=20,
)


class Colour(str, Enum):  # noqa: UP042 - what many write: its own text is "Colour.RED"
    RED = "red"


class Level(IntEnum):
    HIGH = 3


@given(nested)
def test_plain_data_comes_back_equal_and_of_the_same_type(value: object) -> None:
    again = decode(encode(value))
    assert again == value
    assert type(again) is type(value)


@pytest.mark.parametrize(
    ("given_value", "kept"),
    [
        ((1, (2, 3)), [1, [2, 3]]),
        (PurePosixPath("a/b"), "a/b"),
        (Colour.RED, "red"),
        (Level.HIGH, 3),
        ({"when": date(2013, 1, 1), "took": timedelta(days=-1, microseconds=1)},) * 2,
        (datetime(2013, 1, 1, 6, tzinfo=UTC),) * 2,
    ],
)
def test_what_is_almost_plain_is_kept_as_the_plain_thing_it_is(given_value: object, kept: object) -> None:
    assert decode(encode(given_value)) == kept


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (object(), "result is a builtins.object"),
        ([1, {"a": {2, 3}}], r"result\[1\]\['a'\] is a builtins.set"),
        ({(1, 2): 3}, r"result has the key \(1, 2\)"),
        (2**64, "cannot be kept"),
        ("\ud800", "cannot be kept"),
        ("x" * (MAX_BYTES + 1), "more than the 1,048,576"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(value: object, place: str) -> None:
    with pytest.raises(NotStorable, match=place):
        encode(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(NotStorable):
        encode(endless)
