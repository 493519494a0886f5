"""The shortest way along the edges of a graph: to something from which nothing leads onward, or to what is wanted."""

from collections import deque
from collections.abc import Callable, Hashable
from typing import TypeVar

N = TypeVar("N", bound=Hashable)


def shortest(start: N, onward: Callable[[N], list[N]]) -> list[N]:
    """The shortest way from ``start`` to one from which nothing leads onward, both included. There are no circles."""
    came_from = {start: start}
    queue = deque([start])
    while further := onward(at := queue.popleft()):
        for following in further:
            if following not in came_from:
                came_from[following] = at
                queue.append(following)
    path = [at]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]


def nearest(start: N, onward: Callable[[N], list[N]], wanted: Callable[[N], bool]) -> N | None:
    """The one nearest to ``start`` that is wanted; None if there is none."""
    seen, queue = {start}, deque([start])
    while queue:
        at = queue.popleft()
        if wanted(at):
            return at
        following = [each for each in onward(at) if each not in seen]
        seen.update(following)
        queue.extend(following)
    return None
