"""A graph as the board counts it: gates instead of edges.

A *gate* is one set of upstreams under one rule, shared by every node that waits for just that. A node that has ended is
counted once in each gate it feeds, and a gate decides for all its members at once. Two layers of a thousand tasks,
fully connected, are one gate with a thousand members and a thousand edges instead of a million.

A branch or a short circuit *steers*: it may end what comes after it before that begins. So a gate waits for what steers
it, whatever its rule, and the order in which upstreams end does not show in the result.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from ostinato.model.spec import Outcome, TriggerRule
from ostinato.model.state import TaskState

Steering = Literal["branch", "short_circuit"]

BAD: Final = frozenset({TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED})
"""What an upstream's downstreams take for a failure."""

TAKEN: Final[dict[Outcome, frozenset[TaskState]]] = {
    "succeeded": frozenset({TaskState.SUCCESS}),
    "failed": BAD,
    "skipped": frozenset({TaskState.SKIPPED}),
    "completed": BAD | {TaskState.SUCCESS},
}
"""The states in which an upstream fulfils what an edge asks of it."""


class Node(Struct, frozen=True):
    """What a graph must know of a step; the numbers are those of its nodes. See `model.spec.TaskSpec`."""

    upstream: tuple[int, ...] = ()
    rule: TriggerRule = "all_success"
    conditions: tuple[tuple[Outcome, ...], ...] = ()
    setups: tuple[int, ...] = ()
    steers: Steering | None = None
    spared: bool = False
    """It tears down: nothing that steers ends it, its setups alone decide."""
    together: int | None = None
    """Nodes of one number are followed together: the members of a scope."""


class Gate(Struct, frozen=True):
    """``size`` upstreams under one rule, and the nodes that wait for them.

    ``takes`` are the states that each upstream's edge takes, if the edges have conditions; ``steering`` how many
    nodes steer it.
    """

    size: int
    rule: TriggerRule
    members: tuple[int, ...]
    takes: dict[int, frozenset[TaskState]] | None = None
    setups: frozenset[int] = frozenset()
    steering: int = 0


class Graph:
    """Nodes and their gates; made once for a dag version, and once for each of its scopes.

    ``feeds`` and ``steers`` are the gates that a node is counted in, and those that wait for it because it steers.
    ``open`` are the gates that may pass before anything has ended.
    """

    __slots__ = ("_nodes", "feeds", "gate_of", "gates", "open", "roots", "steers")

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = tuple(nodes)
        keys: dict[tuple[object, ...], int] = {}
        members: list[list[int]] = []
        self.gate_of: list[int | None] = []
        for number, node in enumerate(self._nodes):
            if not node.upstream:
                self.gate_of.append(None)
                continue
            key = (node.upstream, node.rule, node.conditions, node.setups, node.spared)
            gate = keys.setdefault(key, len(members))
            if gate == len(members):
                members.append([])
            members[gate].append(number)
            self.gate_of.append(gate)
        self.roots = tuple(number for number, gate in enumerate(self.gate_of) if gate is None)
        steering = self._steering()
        first = [self._nodes[of[0]] for of in members]
        self.gates = tuple(
            Gate(
                size=len(node.upstream),
                rule=node.rule,
                members=tuple(of),
                takes=_takes(node),
                setups=frozenset(node.setups),
                steering=len(steering[of[0]]),
            )
            for node, of in zip(first, members, strict=True)
        )
        self.open = tuple(no for no, gate in enumerate(self.gates) if gate.rule == "always" and not gate.takes)
        self.feeds = self._gates_after(node.upstream for node in first)
        self.steers = self._gates_after(steering[of[0]] for of in members)

    def ended_by(self, number: int, follow: Iterable[int]) -> list[int]:
        """The nodes that end as skipped because a node that steers has said to ``follow`` only these of those it feeds.

        A branch ends those right after it that it does not lead to by way of those that it follows. A short circuit
        that follows none ends all that comes after it.
        """
        followed = self._with_companions(follow)
        led_to = self._after(followed) | followed
        candidates = self.right_after(number)
        if self._nodes[number].steers == "short_circuit":
            candidates = self._after({number})
        return sorted(node for node in candidates - led_to if not self._nodes[node].spared)

    def right_after(self, number: int) -> set[int]:
        """The nodes that wait for this one."""
        return {member for gate in self.feeds[number] for member in self.gates[gate].members}

    def _after(self, numbers: Iterable[int]) -> set[int]:
        """All that comes after these nodes."""
        found: set[int] = set()
        ahead = list(numbers)
        while ahead:
            further = self.right_after(ahead.pop()) - found
            found |= further
            ahead += further
        return found

    def _with_companions(self, numbers: Iterable[int]) -> set[int]:
        """These nodes, with those that are followed together with one of them."""
        found = set(numbers)
        groups = {self._nodes[number].together for number in found} - {None}
        return found | {number for number, node in enumerate(self._nodes) if groups and node.together in groups}

    def _steering(self) -> list[frozenset[int]]:
        """What steers each node: the branches right before it, and every short circuit anywhere before it."""
        circuits: list[frozenset[int]] = []
        found: list[frozenset[int]] = []
        of_upstreams: dict[tuple[int, ...], tuple[frozenset[int], frozenset[int]]] = {}
        for node in self._nodes:
            if node.upstream not in of_upstreams:
                before = frozenset(up for up in node.upstream if self._nodes[up].steers == "short_circuit")
                before = before.union(*(circuits[up] for up in node.upstream))
                branches = frozenset(up for up in node.upstream if self._nodes[up].steers == "branch")
                of_upstreams[node.upstream] = before, before | branches
            before, steering = of_upstreams[node.upstream]
            circuits.append(before)
            found.append(frozenset() if node.spared else steering)
        return found

    def _gates_after(self, before: Iterable[Iterable[int]]) -> tuple[tuple[int, ...], ...]:
        """Turned round: the gates after each node, from the nodes before each gate."""
        after: list[list[int]] = [[] for _ in self._nodes]
        for gate, numbers in enumerate(before):
            for number in sorted(numbers):
                after[number].append(gate)
        return tuple(map(tuple, after))


def _takes(node: Node) -> dict[int, frozenset[TaskState]] | None:
    if not node.conditions:
        return None
    return {
        upstream: frozenset().union(*(TAKEN[outcome] for outcome in outcomes))
        for upstream, outcomes in zip(node.upstream, node.conditions, strict=True)
    }
