"""Lengths of time and sizes are read as they are written, or refused with what was meant."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis.strategies import floats, integers, sampled_from, text

from ostinato.authoring.durations import LONGEST, seconds, size
from ostinato.model.errors import DagFileInvalid

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("200ms", 0.2), ("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86400), ("1.5 h", 5400), (7, 7), (0.5, 0.5)],
)
def test_a_duration_is_a_number_of_seconds(written: str | float, meant: float) -> None:
    assert seconds("timeout", written) == pytest.approx(meant)


def test_a_timedelta_is_a_duration() -> None:
    assert seconds("timeout", timedelta(minutes=2, milliseconds=500)) == 120.5


@given(integers(0, 3000), sampled_from(sorted(UNITS)))
def test_every_number_with_a_unit_is_that_many_units(number: int, unit: str) -> None:
    assert seconds("timeout", f"{number}{unit}") == pytest.approx(number * UNITS[unit])


@given(text() | floats(allow_nan=True, allow_infinity=True))
def test_any_value_is_either_a_duration_within_bounds_or_refused(value: str | float) -> None:
    try:
        found = seconds("timeout", value)
    except DagFileInvalid:
        return
    assert 0 <= found <= LONGEST


@pytest.mark.parametrize("wrong", ["", "ten", "10", "10x", "-5s", "1h30m", -1, True, None, [1], "99999d"])
def test_what_is_no_duration_is_refused_naming_the_option(wrong: object) -> None:
    with pytest.raises(DagFileInvalid, match=r"OST-132.*timeout="):
        seconds("timeout", wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("long", "short"),
    [("10 minutes", "10m"), ("2 hours", "2h"), ("5 seconds", "5s"), ("3 DAYS", "3d"), ("9 millis", "9ms")],
)
def test_a_unit_in_words_is_answered_by_its_short_form(long: str, short: str) -> None:
    with pytest.raises(DagFileInvalid) as refused:
        seconds("timeout", long)
    assert refused.value.help == f"did you mean '{short}'?"


@pytest.mark.parametrize(
    ("written", "bytes_"),
    [
        (1, 1),
        ("512", 512),
        ("10B", 10),
        ("2kB".upper(), 2000),
        ("512MB", 512_000_000),
        ("2 GiB", 2 << 30),
        ("1.5K", 1500),
        ("1T", 10**12),
    ],
)
def test_sizes_count_in_thousands_unless_they_are_binary(written: int | str, bytes_: int) -> None:
    assert size("memory", written) == bytes_


@pytest.mark.parametrize("wrong", ["", "two", "2 gigs", "-1", 0, -5, "0B", True, None, "9" * 30])
def test_what_is_no_size_is_refused(wrong: object) -> None:
    with pytest.raises(DagFileInvalid, match=r"OST-137.*memory="):
        size("memory", wrong)  # type: ignore[arg-type]
