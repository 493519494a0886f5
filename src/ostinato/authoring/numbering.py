"""The order of a dag's steps. A scope is one unit among the steps outside of it; its members are ordered within it."""

from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

from .check import Place, place_of, report
from .layout import Layout, Node, Scoped
from .mistakes import Mistake


class Ties:
    """Who waits for whom. ``inner`` are the upstreams of each step, those of a member within its scope only.

    ``outer`` are the upstreams of each scope: what it and its members need from outside.
    """

    __slots__ = ("inner", "outer")

    def __init__(self, layout: Layout) -> None:
        self.inner = _upstream(layout.nodes)
        self.outer: dict[Scoped, set[int]] = {}
        for scope in layout.scopes:
            self.outer[scope] = {used.number for used in scope.uses}
            for member in scope.members:
                before = self.inner[member.number]
                self.inner[member.number] = tuple(up for up in before if layout.nodes[up].scope is scope)
                self.outer[scope].update(up for up in before if layout.nodes[up].scope is not scope)


def numbered(layout: Layout, ties: Ties) -> list[int] | None:
    """The steps in an order in which each comes after its upstreams; None if that is the order of the calls.

    None as well if there is no such order, because of a cycle, which is reported.
    """
    inner = ties.inner
    calls = all(not before or before[-1] < number for number, before in enumerate(inner))
    if calls and all(
        max(before, default=-1) < min((member.number for member in scope.members), default=0)
        for scope, before in ties.outer.items()
        if scope.members
    ):
        return None
    nodes = layout.nodes
    first = {scope: min(member.number for member in scope.members) for scope in layout.scopes if scope.members}
    units = [number if node.scope is None else first[node.scope] for number, node in enumerate(nodes)]
    roots = sorted(set(units))
    before = {root: {units[up] for up in inner[root]} if nodes[root].scope is None else set[int]() for root in roots}
    for scope, number in first.items():
        before[number] = {units[up] for up in ties.outer[scope]}
    members = {number: [member.number for member in scope.members] for scope, number in first.items()}
    order: list[int] = []
    for unit in _sorted(layout, roots, before, members):
        inside = members.get(unit)
        order += [unit] if inside is None else _sorted(layout, inside, inner, {})
    return order if len(order) == len(nodes) else None


def _sorted(
    layout: Layout,
    numbers: Sequence[int],
    before: Sequence[tuple[int, ...]] | Mapping[int, set[int]],
    members: Mapping[int, list[int]],
) -> list[int]:
    """All numbers that are in no cycle and after none, each after its upstream, else ascending."""
    waiting = {number: len(before[number]) for number in numbers}
    after: dict[int, list[int]] = {number: [] for number in numbers}
    for number in numbers:
        for up in before[number]:
            after[up].append(number)
    ready = [number for number, left in waiting.items() if not left]
    heapify(ready)
    order: list[int] = []
    while ready:
        number = heappop(ready)
        order.append(number)
        for down in after[number]:
            waiting[down] -= 1
            if not waiting[down]:
                heappush(ready, down)
    if len(order) < len(numbers):
        _report_cycle(layout, [number for number in numbers if waiting[number]], before, members)
    return order


def _report_cycle(
    layout: Layout,
    left: Sequence[int],
    before: Sequence[tuple[int, ...]] | Mapping[int, set[int]],
    members: Mapping[int, list[int]],
) -> None:
    """Report one cycle by the ids on it. Every unit that is left has one upstream, so going up leads round."""
    among = set(left)
    trail: list[int] = []
    number = left[0]
    while number not in trail:
        trail.append(number)
        number = min(up for up in before[number] if up in among)
    circle = [*trail[trail.index(number) :], number][::-1]
    nodes = {number: [layout.nodes[n] for n in members.get(number, [number])] for number in circle}
    ids = " >> ".join(_name(nodes[number]) for number in circle)
    what = f"steps wait for each other in a circle: {ids}"
    places = [place for up, down in pairwise(circle) for place in _edge_places(nodes[up], nodes[down])]
    place = max(places, key=lambda place: (place.line, place.column), default=None)
    last = nodes[circle[-1]][0]
    report(Mistake.CYCLE, what, "take one of these orders away", place=place or place_of(last.code, last.instruction))


def _name(unit: Sequence[Node]) -> str:
    scope = unit[0].scope
    return unit[0].task_id if scope is None or len(unit) == 1 else scope.task_id


def _edge_places(up: Sequence[Node], down: Sequence[Node]) -> Iterator[Place]:
    """Where the ``>>`` between two units stand."""
    for node in down:
        for edge in node.after:
            if not set(up).isdisjoint(edge.nodes):
                yield place_of(edge.code, edge.instruction)


def _upstream(nodes: Sequence[Node]) -> list[tuple[int, ...]]:
    """The numbers of the nodes that each waits for, ascending. Equal sets from one ``>>`` are one tuple."""
    of_group: dict[int, tuple[int, ...]] = {}
    found: list[tuple[int, ...]] = []
    for node in nodes:
        if not node.after:
            uses = node.uses
            found.append((uses[0].number,) if len(uses) == 1 else tuple(sorted({used.number for used in uses})))
            continue
        groups = [_group(edge.nodes, of_group) for edge in node.after]
        if len(groups) == 1 and not node.uses:
            found.append(groups[0])
        else:
            found.append(tuple(sorted({used.number for used in node.uses}.union(*groups))))
    return found


def _group(nodes: tuple[Node, ...], known: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    group = known.get(id(nodes))
    if group is None:
        group = known[id(nodes)] = tuple(sorted({node.number for node in nodes}))
    return group
