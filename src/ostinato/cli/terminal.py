"""How words reach people: data on stdout, messages on stderr, colour only where it is wanted."""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

_CODES: Final = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
}

_WIDTH: Final = 100

STATE_STYLES: Final = {
    "queued": "dim",
    "running": "cyan",
    "deferred": "magenta",
    "up_for_retry": "yellow",
    "success": "green",
    "failed": "red",
    "lost": "red",
    "upstream_failed": "yellow",
    "skipped": "dim",
    "cancelled": "dim",
    "interrupted": "yellow",
}
"""The colour of each state of a run, task instance or attempt."""


def coloured(stream: TextIO) -> bool:
    """Whether to colour what goes to ``stream``: NO_COLOR says no, CLICOLOR_FORCE says yes, else a terminal decides."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


class Ink:
    """Colours text for one stream, or leaves it as it is."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.on = coloured(stream or sys.stdout)

    def __call__(self, text: str, *styles: str) -> str:
        """The text in these styles: ``bold``, ``dim`` or a colour's name."""
        codes = [_CODES[style] for style in styles if style]
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.on and codes and text else text

    def state(self, state: str) -> str:
        """A state's name in its colour."""
        return self(state, STATE_STYLES.get(state, ""))


def out(text: str = "") -> None:
    """One line of data."""
    sys.stdout.write(f"{text}\n")


def say(text: str = "") -> None:
    """One line of message; never part of the data. If nobody reads them any more, the work goes on without."""
    try:
        sys.stderr.write(f"{text}\n")
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)


def next_step(text: str) -> None:
    """What to do now, after something went well."""
    say(Ink(sys.stderr)(f"next: {text}", "dim"))


def out_json(document: object) -> None:
    """The one JSON document of a command."""
    from msgspec import json  # noqa: PLC0415 - only asked for by machines

    sys.stdout.write(json.format(json.encode(document), indent=2).decode() + "\n")


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[int] = (), ink: Ink) -> str:
    """Columns under a header, as wide as they need to be; those numbered in ``right`` are set to the right.

    Cells may be coloured: only what is visible counts.
    """
    lines = [list(row) for row in rows]
    widths = [max(visible(cell) for cell in column) for column in zip(header, *lines, strict=True)]
    drawn = [_line([ink(cell, "dim") for cell in header], widths, right)]
    drawn += [_line(line, widths, right) for line in lines]
    return "\n".join(drawn)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[int]) -> str:
    padded: list[str] = []
    for n, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        blank = " " * (width - visible(cell))
        padded.append(blank + cell if n in right else cell + blank)
    return "  ".join(padded).rstrip()


def visible(text: str) -> int:
    """How many characters of a text are seen: colour codes are not."""
    length = len(text)
    while (start := text.find("\x1b[")) >= 0:
        end = text.index("m", start) + 1
        length -= end - start
        text = text[end:]
    return length


def plain(text: str) -> str:
    """Text from outside, made harmless: control characters, which could drive the terminal, are shown instead."""
    return "".join(c if c.isprintable() or c in "\t\n" else f"\\x{ord(c):02x}" for c in text)


def shortened(text: str, width: int) -> str:
    """The first line of a text, cut to ``width`` with an ellipsis."""
    line = text.strip().split("\n", 1)[0]
    return line if len(line) <= width else line[: max(width - 1, 0)] + "…"


def columns() -> int:
    """How wide the terminal is: what COLUMNS says, else what the terminal says, else 100."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said) > 0:
        return int(said)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _WIDTH
    except (OSError, ValueError):
        return _WIDTH
