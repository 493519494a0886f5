"""What a dag version looks like to the board: the graph of its tasks, one for each of its scopes, and who decides a run.

In the graph of the dag every task of a scope stands where the scope stands: it waits for what the scope waits for. What
it waits for inside of the scope is in the scope's own graph, which is gone through once for each instance.
"""

from collections.abc import Collection
from functools import cached_property
from typing import Final

from ostinato.model.spec import CompiledDag, DagSpec, Scope, TaskSpec
from ostinato.model.state import TaskState

from .graph import BAD, Graph, Node, Steering


class ScopeShape:
    """A scope: the numbers of its tasks, and their graph, whose nodes are their places among them."""

    __slots__ = ("graph", "members", "place", "spec")

    def __init__(self, spec: Scope, scope_no: int, tasks: tuple[TaskSpec, ...]) -> None:
        self.spec = spec
        self.members = tuple(no for no, task in enumerate(tasks) if task.scope == scope_no)
        self.place = {no: place for place, no in enumerate(self.members)}
        self.graph = Graph([_node(tasks[no], self.place) for no in self.members])


class Shape:
    """See the module; made once for each version."""

    def __init__(self, compiled: CompiledDag) -> None:
        self.compiled = compiled
        self.spec = compiled.spec
        self.tasks = compiled.spec.tasks
        self.scopes = tuple(ScopeShape(scope, no, self.tasks) for no, scope in enumerate(self.spec.scopes))
        everywhere = {no: no for no in range(len(self.tasks))}
        self.graph = Graph([self._outer(task, everywhere) for task in self.tasks])

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Task numbers by id."""
        return {task.task_id: no for no, task in enumerate(self.tasks)}

    def failed(self, states: list[TaskState]) -> bool:
        """Whether a run whose tasks ended so has failed, by the dag's rule. ``states`` are by task number."""
        return run_failed(self.spec, self.graph, states)

    def nodes(self, names: Collection[str], scope: ScopeShape | None) -> list[int]:
        """The nodes that tasks and scopes of these names are, in the dag's graph or a scope's; others are passed over."""
        numbers = [self.numbers[name] for name in names if name in self.numbers]
        if scope is not None:
            return [scope.place[no] for no in numbers if no in scope.place]
        return numbers + [each.members[0] for each in self.scopes if each.spec.scope_id in names]

    def _outer(self, task: TaskSpec, everywhere: dict[int, int]) -> Node:
        if task.scope is None:
            return _node(task, everywhere)
        scope = self.spec.scopes[task.scope]
        return Node(upstream=scope.upstream, rule=scope.trigger_rule, together=task.scope)


def run_failed(spec: DagSpec, graph: Graph, states: list[TaskState]) -> bool:
    """Whether a run has failed; see `model.spec.RunOutcome`. Nothing that tears down is asked."""
    if BAD.isdisjoint(states):
        return False
    asked = [no for no, task in enumerate(spec.tasks) if task.role != "teardown"]
    if spec.outcome != "every_task":
        leaves = [no for no in asked if all(spec.tasks[after].role == "teardown" for after in graph.right_after(no))]
        asked = _standing(leaves, spec, states) if spec.outcome == "leaves_and_skipped_parents" else leaves
    return any(states[no] in BAD for no in asked)


def _standing(leaves: list[int], spec: DagSpec, states: list[TaskState]) -> list[int]:
    """Leaves, in place of each that was skipped its upstreams, and so on."""
    found: dict[int, None] = {}
    ahead = list(leaves)
    while ahead:
        no = ahead.pop()
        if no in found:
            continue
        found[no] = None
        if states[no] is TaskState.SKIPPED:
            task = spec.tasks[no]
            ahead += task.upstream if task.scope is None else spec.scopes[task.scope].upstream
    return list(found)


_STEERS: Final[dict[str, Steering]] = {"branch": "branch", "short_circuit": "short_circuit"}


def _node(task: TaskSpec, place: dict[int, int]) -> Node:
    """A task as a node of the graph in which its upstreams have these places."""
    return Node(
        upstream=tuple([place[no] for no in task.upstream]),
        rule=task.trigger_rule,
        conditions=task.conditions,
        setups=tuple([place[no] for no in task.setups]),
        steers=_STEERS.get(task.kind),
        spared=task.role == "teardown",
    )
