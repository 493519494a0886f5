"""The fenced blocks of a Markdown page, in order, as the tests of the documentation run them."""

import re
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the file it stands for if it has a title, its text and its line in the page."""

    language: str
    title: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Command:
    """A line of a console block and what the page says that it answers."""

    text: str
    answer: str


def blocks(page: Path) -> list[Block]:
    """Every fenced block of a page."""
    text = page.read_text()
    return [_block(text, found) for found in _FENCE.finditer(text)]


def commands(block: Block) -> list[Command]:
    """What a console block has a reader type: lines after ``$``, continued after a backslash; the rest are answers."""
    found: list[Command] = []
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        typed = re.match(r"(?:[^\n]*\\\n)*[^\n]*\n", part)
        assert typed, f"line {block.line}: a command without an end"
        found.append(Command(typed.group().strip(), part[typed.end() :]))
    assert found, f"line {block.line}: a console block in which nothing is typed"
    return found


def _block(text: str, found: re.Match[str]) -> Block:
    language, _, rest = found["info"].partition(" ")
    title = _TITLE.search(rest)
    body = re.sub(rf"^{found['indent']}", "", found["body"], flags=re.MULTILINE)
    return Block(language, title[1] if title else "", body, text.count("\n", 0, found.start()) + 1)
