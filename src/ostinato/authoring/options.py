"""Options that are names, numbers, one of a few words, or yes and no. A wrong one is reported; something stands in for it."""

import re
from collections.abc import Sequence
from typing import Final, TypeVar

from .check import did_you_mean, listed, report, shown
from .mistakes import Mistake

W = TypeVar("W", bound=str)

_ID: Final = re.compile(r"\w[\w.-]{0,199}")


def identifier(option: str, value: str) -> str:
    """An id that is safe to show and type. A wrong one is reported and still stands for itself."""
    if not isinstance(value, str) or not _ID.fullmatch(value):  # pyright: ignore[reportUnnecessaryIsInstance]
        report(
            Mistake.BAD_ID,
            f"{option}={shown(value)} is not a usable name",
            "use letters, digits, '_', '-' and '.', at most 200, beginning with a letter or digit",
            near=str(value) or option,
        )
        return str(value)
    return value


def whole(option: str, value: int, least: int, most: int, otherwise: int) -> int:
    """A whole number between bounds. A wrong one is reported, and ``otherwise`` stands in for it."""
    if type(value) is int and least <= value <= most:
        return value
    help = f"give a whole number between {least:,} and {most:,}"
    report(Mistake.BAD_NUMBER, f"{option}={shown(value)} does not fit", help, near=f"{option}={value!r}")
    return otherwise


def choice(option: str, value: W, choices: tuple[W, ...]) -> W:
    """One of a few words. A wrong one is reported, and the first stands in for it."""
    if value in choices:
        return value
    help = did_you_mean(str(value), choices, f"choose one of {listed(choices)}")
    report(Mistake.BAD_CHOICE, f"{option}={shown(value)} is not a choice", help, near=str(value))
    return choices[0]


def flag(option: str, value: bool) -> bool:
    """True or False. Anything else is reported, and False stands in for it."""
    if value is True or value is False:
        return value
    report(Mistake.BAD_CHOICE, f"{option}={shown(value)} is not a choice", "it is True or False", near=f"{option}=")
    return False


def texts(option: str, value: Sequence[str]) -> tuple[str, ...]:
    """A list of texts, each once. A wrong one is reported, and none stands in for it."""
    if isinstance(value, str) or not all(isinstance(text, str) for text in value):  # pyright: ignore[reportUnnecessaryIsInstance]
        help = f"write {option}=['sales']"
        report(Mistake.BAD_TEXT, f"{option}={shown(value)} is not a list of texts", help, near=f"{option}=")
        return ()
    return tuple(dict.fromkeys(value))
