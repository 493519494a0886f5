"""A dag's graph as the board counts it: gates instead of edges.

A *gate* is a distinct pair of (set of upstreams, trigger rule), shared by every task that has it. A finished task is
counted once in each gate it feeds, and a gate decides for all its members at once. Two layers of a thousand tasks, fully
connected, are one gate with a thousand members and a thousand edges instead of a million.
"""

from typing import Final

from msgspec import Struct

from ostinato.model.spec import CompiledDag, TriggerRule
from ostinato.model.state import TaskState

GOOD: Final = frozenset({TaskState.SUCCESS})
PASSED_OVER: Final = frozenset({TaskState.SKIPPED})


class Gate(Struct, frozen=True):
    """``size`` upstreams under one rule, and the tasks (by number) that wait for them."""

    size: int
    rule: TriggerRule
    members: tuple[int, ...]


class Shape:
    """What a dag version looks like to the board; made once for each version."""

    __slots__ = ("compiled", "feeds", "gate_of", "gates", "roots", "spec", "tasks")

    def __init__(self, compiled: CompiledDag) -> None:
        self.compiled = compiled
        self.spec = compiled.spec
        self.tasks = compiled.spec.tasks
        keys: dict[tuple[tuple[int, ...], TriggerRule], int] = {}
        members: list[list[int]] = []
        self.gate_of: list[int | None] = []
        roots: list[int] = []
        for task_no, task in enumerate(self.tasks):
            if not task.upstream:
                roots.append(task_no)
                self.gate_of.append(None)
                continue
            gate = keys.setdefault((task.upstream, task.trigger_rule), len(members))
            if gate == len(members):
                members.append([])
            members[gate].append(task_no)
            self.gate_of.append(gate)
        self.roots = tuple(roots)
        self.gates = tuple(Gate(len(upstream), rule, tuple(members[gate])) for (upstream, rule), gate in keys.items())
        feeds: list[list[int]] = [[] for _ in self.tasks]
        for (upstream, _), gate in keys.items():
            for task_no in upstream:
                feeds[task_no].append(gate)
        self.feeds = tuple(map(tuple, feeds))


class Count:
    """How the upstreams of one gate, in one run, have ended so far, and whether that was acted on (``decided``)."""

    __slots__ = ("bad", "decided", "done", "skipped")

    def __init__(self) -> None:
        self.done = 0
        self.bad = 0
        self.skipped = 0
        self.decided = False

    def add(self, state: TaskState) -> None:
        """Count one upstream that ended in ``state``."""
        self.done += 1
        if state in PASSED_OVER:
            self.skipped += 1
        elif state not in GOOD:
            self.bad += 1


def verdict(gate: Gate, count: Count) -> TaskState | None:
    """What becomes of a gate's members: QUEUED (they may start), a final state, or None (not decided yet).

    Every rule is monotone: what it says once it never takes back, in whatever order the upstreams end. So a failure
    decides ``all_success`` at once, but a skip only when all are done, or the order would show in the result.
    """
    if gate.rule == "all_success" and count.bad:
        return TaskState.UPSTREAM_FAILED
    if count.done < gate.size:
        return None
    if gate.rule == "all_success" and count.skipped:
        return TaskState.SKIPPED
    return TaskState.QUEUED
