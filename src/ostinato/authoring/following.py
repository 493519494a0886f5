"""Which of the steps right after it a branch or a short circuit lets go on."""

from collections.abc import Iterator, Sequence
from typing import cast

from .check import listed
from .layout import Node


class Choices:
    """The steps right after a branch, by what it may call them. A teardown always goes on and is not chosen."""

    def __init__(self, node: Node) -> None:
        self._by_id: dict[str, tuple[str, ...]] = {}
        self._always: list[str] = []
        for other in node.layout.nodes:
            if node not in other.before():
                continue
            if other.scope is not node.scope:
                self._add_scope(node, other)
            elif other.role == "teardown":
                self._always.append(other.task_id)
            else:
                self._by_id[other.task_id] = (other.task_id,)
        for scope in node.layout.scopes:
            if node in scope.uses and scope.members:
                self._add_scope(node, scope.members[0])

    def _add_scope(self, node: Node, member: Node) -> None:
        """A scope goes on as a whole. What comes after the block of a branch is none of the branch's."""
        if node.scope is None and member.scope is not None:
            scope = member.scope
            ids = dict.fromkeys((scope.task_id, *(each.task_id for each in scope.members)))
            self._by_id[scope.task_id] = (*ids,)

    def all(self) -> tuple[str, ...]:
        """The ids of all that goes on if nothing is left out."""
        return (*(task_id for ids in self._by_id.values() for task_id in ids), *self._always)

    def none(self) -> tuple[str, ...]:
        """The ids of what goes on whatever is left out."""
        return (*self._always,)

    def chosen(self, answer: object) -> tuple[str, ...]:
        """The ids of what a branch's answer names. Raises ValueError or TypeError, saying what it may name."""
        followed = dict.fromkeys(task_id for word in _words(answer) for task_id in self._meant(word))
        return (*followed, *self._always)

    def _meant(self, word: str) -> Iterator[str]:
        found = [known for known in self._by_id if known == word or known.startswith(f"{word}.")]
        if not found:
            raise ValueError(f"the branch chose {word!r}; right after it come {listed(self._by_id)}")
        for known in found:
            yield from self._by_id[known]


def _words(answer: object) -> Sequence[str]:
    words = cast("Sequence[object]", [answer] if isinstance(answer, str) else answer)
    if isinstance(words, list | tuple) and all(isinstance(word, str) for word in words):
        return cast("Sequence[str]", words)
    raise TypeError(f"a branch returns the id of a step or a list of ids, not {type(answer).__name__}")
