"""``# clock ok: reason``: the author says that this statement may ask the clock or chance, and why."""

import ast
import re
from collections.abc import Iterator
from io import BytesIO
from tokenize import COMMENT, TokenError, tokenize
from typing import Final

from msgspec import Struct

_COMMENT: Final = re.compile(r"#\s*clock ok\b:?\s*(?P<reason>.*)")


class Exemptions(Struct, frozen=True):
    """The lines that may ask, and those of comments that give no reason and therefore exempt nothing."""

    lines: frozenset[int]
    unreasoned: tuple[int, ...] = ()


def exemptions(code: bytes) -> Exemptions:
    """What a source text exempts: all lines of each statement that has such a comment on one of its lines."""
    if b"clock ok" not in code:
        return Exemptions(frozenset())
    comments = dict(_comments(code))
    reasoned = {line for line, reason in comments.items() if reason}
    lines = set(reasoned)
    for first, last in _statements(ast.parse(code)):
        span = range(first, last + 1)
        if not reasoned.isdisjoint(span):
            lines.update(span)
    return Exemptions(frozenset(lines), tuple(sorted(comments.keys() - reasoned)))


def _comments(code: bytes) -> Iterator[tuple[int, str]]:
    try:
        for token in tokenize(BytesIO(code).readline):
            found = _COMMENT.match(token.string) if token.type == COMMENT else None
            if found:
                yield token.start[0], found["reason"].strip()
    except TokenError:
        return


def _statements(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """First and last line of every statement; of one with a body, of its head."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            first_within = min(
                (one.lineno for one in ast.iter_child_nodes(node) if isinstance(one, ast.stmt)), default=0
            )
            last = first_within - 1 if first_within else node.end_lineno
            yield node.lineno, max(last or node.lineno, node.lineno)
