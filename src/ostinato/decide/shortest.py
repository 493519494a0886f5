"""The shortest way along the edges of a graph to something from which nothing leads onward."""

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
