"""Lengths of time and sizes as people write them."""

import math
import re
from datetime import timedelta
from typing import Final, cast

from .check import report, shown
from .mistakes import Mistake

Duration = int | float | str | timedelta
"""Seconds as a number, a timedelta, or a number with a unit: ``200ms``, ``30s``, ``10m``, ``2h``, ``1d``."""

LONGEST: Final = 10 * 365 * 86_400.0
"""Ten years, in seconds: what is longer is a slip of the pen, and would overflow elsewhere."""

_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
_BYTES: Final = {"": 1, "B": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("KMGT", 1)
    for suffix, base in (("", 1000), ("B", 1000), ("iB", 1024))
}
_DURATION: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)\s*", re.ASCII)
_SIZE: Final = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?(?:i?B)?)\s*", re.ASCII)


def seconds(option: str, value: Duration, *, least: float = 0.0, otherwise: float = 0.0) -> float:
    """A duration in seconds. A wrong one is reported as ``option``'s, and ``otherwise`` stands in for it."""
    found = in_seconds(value)
    if found is None:
        report(
            Mistake.BAD_DURATION,
            f"{option}={shown(value)} is not a duration",
            _meant(value) or "write '200ms', '30s', '10m', '2h', '1d', a number of seconds, or a timedelta",
            near=str(value),
        )
        return otherwise
    if not least <= found <= LONGEST:
        bound = f"at least {least:g} seconds" if found < least else "at most ten years"
        report(Mistake.BAD_DURATION, f"{option}={shown(value)} is out of bounds", f"it is {bound}", near=str(value))
        return otherwise
    return found


def shift_ms(option: str, value: Duration) -> int:
    """A duration in milliseconds that may be negative: ``"-1h"``. A wrong one is reported, 0 stands in for it."""
    back = isinstance(value, str) and value.strip().startswith("-")
    found = in_seconds(cast("str", value).strip()[1:] if back else value)
    if found is None or abs(found) > LONGEST:
        help = "write '-1h', '30m', a number of seconds, or a timedelta; at most ten years"
        report(Mistake.BAD_DURATION, f"{option}={shown(value)} is not a duration", help, near=str(value))
        return 0
    return round(found * (-1000 if back else 1000))


def size(option: str, value: int | str) -> int | None:
    """A size in bytes: ``MB`` counts in thousands, ``MiB`` in 1024s. A wrong one is reported, None stands in for it."""
    found: float | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        found = value
    elif isinstance(value, str) and (match := _SIZE.fullmatch(value)) and match[2] in _BYTES:  # pyright: ignore[reportUnnecessaryIsInstance]
        found = float(match[1]) * _BYTES[match[2]]
    if found is None or not 1 <= found < 1 << 62:
        report(
            Mistake.BAD_SIZE,
            f"{option}={shown(value)} is not a size",
            "write '512MB', '2GiB' or bytes",
            near=str(value),
        )
        return None
    return int(found)


def in_seconds(value: object) -> float | None:
    """A duration in seconds; None: it is none."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, str):
        match = _DURATION.fullmatch(value)
        return float(match[1]) * _SECONDS[match[2]] if match else None
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


def _meant(value: object) -> str:
    """The short form of a long one: ``10 minutes`` means ``10m``."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*", value) if isinstance(value, str) else None
    if match is None:
        return ""
    word = match[2].lower()
    unit = "ms" if word.startswith("mil") else word[0]
    return f"did you mean '{match[1]}{unit}'?" if unit in _SECONDS else ""
