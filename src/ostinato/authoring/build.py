"""From the steps of a dag to the tasks of its spec: numbered so that each comes after those it waits for."""

from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

from ostinato.model.spec import Argument, OutputOf, TaskSpec

from .check import Place, place_of, report
from .mistakes import Mistake
from .step import Kept, Layout, Node


def tasks_of(layout: Layout) -> tuple[TaskSpec, ...]:
    """The tasks of a spec, in the order of the calls as far as ``>>`` allows. A cycle is reported; its steps are left out."""
    nodes = layout.nodes
    upstream = _upstream(nodes)
    if all(not before or before[-1] < number for number, before in enumerate(upstream)):
        return tuple([_task(node, before, _same) for node, before in zip(nodes, upstream, strict=True)])
    order = _sorted(upstream)
    if len(order) < len(nodes):
        _report_cycle(nodes, upstream, set(order))
    new = {old: number for number, old in enumerate(order)}
    return tuple(_task(nodes[old], tuple(sorted(new[up] for up in upstream[old])), new.__getitem__) for old in order)


def _task(node: Node, upstream: tuple[int, ...], number: Callable[[int], int]) -> TaskSpec:
    spec = node.task.spec
    return TaskSpec(
        node.task_id,
        spec.kind,
        upstream,
        spec.trigger_rule,
        tuple([_argument(kept, number) for _, kept in node.args]),
        tuple([(label, _argument(kept, number)) for label, kept in node.kwargs]),
        spec.retry,
        spec.timeout,
        spec.pool,
        spec.slots,
        spec.priority,
        spec.isolation,
        spec.memory,
        spec.sensor,
    )


def _argument(kept: Kept, number: Callable[[int], int]) -> Argument:
    return OutputOf(number(kept.number)) if isinstance(kept, Node) else kept


def _same(number: int) -> int:
    return number


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


def _sorted(upstream: Sequence[tuple[int, ...]]) -> list[int]:
    """All numbers that are in no cycle and after none, each after its upstream, else ascending."""
    waiting = [len(before) for before in upstream]
    after: list[list[int]] = [[] for _ in upstream]
    for number, before in enumerate(upstream):
        for up in before:
            after[up].append(number)
    ready = [number for number, left in enumerate(waiting) if not left]
    heapify(ready)
    order: list[int] = []
    while ready:
        number = heappop(ready)
        order.append(number)
        for down in after[number]:
            waiting[down] -= 1
            if not waiting[down]:
                heappush(ready, down)
    return order


def _report_cycle(nodes: Sequence[Node], upstream: Sequence[tuple[int, ...]], sorted_out: set[int]) -> None:
    """Report one cycle by the ids on it. Every node that is left has one upstream, so going up leads round."""
    trail: list[int] = []
    number = next(n for n in range(len(nodes)) if n not in sorted_out)
    while number not in trail:
        trail.append(number)
        number = next(up for up in upstream[number] if up not in sorted_out)
    circle = [*trail[trail.index(number) :], number][::-1]
    ids = " >> ".join(nodes[n].task_id for n in circle)
    help = "take one of these orders away"
    report(Mistake.CYCLE, f"steps wait for each other in a circle: {ids}", help, place=_edge_place(nodes, circle))


def _edge_place(nodes: Sequence[Node], circle: Sequence[int]) -> Place:
    """Where the last ``>>`` of a cycle stands."""
    places = list(_edge_places(nodes, circle))
    return max(places, key=lambda place: (place.line, place.column))


def _edge_places(nodes: Sequence[Node], circle: Sequence[int]) -> Iterator[Place]:
    for up, down in pairwise(circle):
        for edge in nodes[down].after:
            if nodes[up] in edge.nodes:
                yield place_of(edge.code, edge.instruction)
