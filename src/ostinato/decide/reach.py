"""What comes before and after task instances, as far as one wants.

A task in a scope has as many instances as the scope unfolded to; until then it stands for itself, as a whole. In a scope
an instance comes after others of its own map index; in a loop also after all of the turn before.
"""

from collections.abc import Collection, Iterator, Mapping

from ostinato.model.record import UNMAPPED, Instance

from .shape import ScopeShape, Shape


class Reach:
    """The task instances of a run. ``items`` is how many instances each scope has that has unfolded, by scope number."""

    def __init__(self, shape: Shape, items: Mapping[int, int]) -> None:
        self.shape = shape
        self.items = items

    def instances(self, task_no: int) -> list[Instance]:
        """The instances of a task."""
        scope_no = self.shape.tasks[task_no].scope
        count = 0 if scope_no is None else self.items.get(scope_no, 0)
        return [(task_no, index) for index in range(count)] or [(task_no, UNMAPPED)]

    def everything(self) -> list[Instance]:
        """All task instances, by task."""
        return [instance for task_no in range(len(self.shape.tasks)) for instance in self.instances(task_no)]

    def after(
        self, start: Collection[Instance], steps: int | None = None, barred: Collection[Instance] = ()
    ) -> set[Instance]:
        """These instances and all that comes after them, at most ``steps`` away, by no way through what is ``barred``."""
        found, edge, passed = set(start), list(start), set[object]()
        while edge and steps != 0:
            edge = [
                each for one in edge for each in self._right_after(one, passed) if not (each in found or each in barred)
            ]
            edge = list(dict.fromkeys(edge))
            found.update(edge)
            steps = None if steps is None else steps - 1
        return found

    def before(self, start: Collection[Instance], steps: int | None = None) -> set[Instance]:
        """These instances and all that comes before them, at most ``steps`` away."""
        found, edge, passed = set(start), list(start), set[object]()
        while edge and steps != 0:
            edge = [each for one in edge for each in self._right_before(one, passed) if each not in found]
            edge = list(dict.fromkeys(edge))
            found.update(edge)
            steps = None if steps is None else steps - 1
        return found

    def between(self, first: Instance, last: Instance) -> set[Instance]:
        """What comes after the one and before the other."""
        return (self.after([first]) & self.before([last])) - {first, last}

    def _right_after(self, instance: Instance, passed: set[object]) -> Iterator[Instance]:
        """``passed`` are the gates whose members were given already."""
        task_no, index = instance
        for gate in self.shape.graph.feeds[task_no]:
            if gate not in passed:
                passed.add(gate)
                for member in self.shape.graph.gates[gate].members:
                    yield from self.instances(member)
        scope_no, scope = self._scope(task_no)
        if scope is None:
            return
        for gate in scope.graph.feeds[scope.place[task_no]]:
            if (scope_no, index, gate) not in passed:
                passed.add((scope_no, index, gate))
                for place in scope.graph.gates[gate].members:
                    yield scope.members[place], index
        if self._has_turn(scope_no, scope, index + 1):
            for member in scope.members:
                yield member, index + 1

    def _right_before(self, instance: Instance, passed: set[object]) -> Iterator[Instance]:
        task_no, index = instance
        scope_no, scope = self._scope(task_no)
        upstream = self.shape.tasks[task_no].upstream
        if scope is not None:
            yield from ((up, index) for up in upstream)
            if self._has_turn(scope_no, scope, index - 1):
                for member in scope.members:
                    yield member, index - 1
            upstream = scope.spec.upstream
        if upstream not in passed:
            passed.add(upstream)
            for up in upstream:
                yield from self.instances(up)

    def _scope(self, task_no: int) -> tuple[int, ScopeShape | None]:
        scope_no = self.shape.tasks[task_no].scope
        return (-1, None) if scope_no is None else (scope_no, self.shape.scopes[scope_no])

    def _has_turn(self, scope_no: int, scope: ScopeShape, index: int) -> bool:
        return scope.spec.kind == "loop" and 0 <= index < self.items.get(scope_no, 0)
