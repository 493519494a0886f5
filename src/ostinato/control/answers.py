"""Answers to the board's questions: the items of a scope, a loop's next turn, the run that is called for, needs met."""

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import prod
from typing import Protocol

from ostinato.authoring.fill import Filled
from ostinato.authoring.params import fill
from ostinato.decide.need import History, is_met
from ostinato.decide.step import Calling, Needing, Unfolding
from ostinato.model.change import NewRun
from ostinato.model.errors import NotFound, UsageError
from ostinato.model.record import UNMAPPED, Dag, Run
from ostinato.model.spec import Argument, CompiledDag, ItemOf, OutputOf, Scope
from ostinato.model.time import Instant
from ostinato.model.value import decode, encode

from .stored import Kept, StoredValues


class Known(Kept, Protocol):
    """What is known of runs and dags; see `Store`."""

    def dag(self, dag_id: str) -> Dag:
        """One dag. Raises NotFound, with a suggestion."""
        ...


class Answers:
    """See the module. ``compiled`` gives a dag version. What has no answer raises an OstinatoError that says why."""

    def __init__(self, known: Known, compiled: Callable[[str], CompiledDag], history: History) -> None:
        self._known = known
        self._compiled = compiled
        self._history = history

    def items(self, asked: Unfolding) -> Sequence[bytes]:
        """The items that a scope unfolds to; for a loop that of its next turn, and none if it is over."""
        scope = self._compiled(asked.run.version).spec.scopes[asked.scope_no]
        if scope.kind == "loop":
            return self._next_turn(asked, scope)
        lists = {name: self._list(asked.run, scope, name, argument) for name, argument in scope.over}
        return [encode(dict(zip(lists, parts, strict=True))) for parts in _combined(scope, lists)]

    def child(self, calling: Calling, now: Instant) -> NewRun:
        """The run that a task instance calls for."""
        run, (task_no, map_index) = calling.run, calling.instance
        task = self._compiled(run.version).spec.tasks[task_no]
        if task.call is None:
            raise UsageError(f"{task.task_id} calls for no run")
        dag = self._known.dag(task.call.dag_id)
        if dag.retired_at is not None:
            raise UsageError(f"there is no dag {dag.dag_id!r} any more; it was in {dag.file}")
        given = {
            name: self._value(run, task.task_id, argument, task.scope, map_index) for name, argument in task.kwargs
        }
        return NewRun(
            dag_id=dag.dag_id,
            version=dag.version,
            run_key=f"call:{run.run_id}:{task.task_id}:{map_index}",
            kind="called",
            start=run.interval.start,
            end=run.interval.end,
            params=encode(fill(self._compiled(dag.version).spec.params, given)),
            at=now,
            by=f"{run.dag_id}, run {run.run_id}",
            parent=(run.run_id, task_no, map_index),
        )

    def met(self, needing: Needing) -> bool:
        """Whether all that a task instance needs of other intervals is there."""
        try:
            return all(is_met(need, needing.run, self._history) for need in needing.task.needs)
        except NotFound:  # a dag that is not there has no interval that has succeeded; it may come
            return False

    def _next_turn(self, asked: Unfolding, scope: Scope) -> Sequence[bytes]:
        if not asked.turn:
            value = None if scope.start is None else self._value(asked.run, scope.scope_id, scope.start, None, UNMAPPED)
        elif scope.until is not None and self._returned(asked, scope.until):
            return []
        else:
            value = self._value_before(asked) if scope.carry is None else self._returned(asked, scope.carry)
        return [encode({"value": value, "number": asked.turn})]

    def _returned(self, asked: Unfolding, task_no: int) -> object:
        """What a task of a loop returned in the turn that is over."""
        output = self._known.output(asked.run.run_id, task_no, asked.turn - 1)
        return None if output is None else decode(output)

    def _value_before(self, asked: Unfolding) -> object:
        """The value that the turn which is over was given: nothing hands on another."""
        item = self._known.item(asked.run.run_id, asked.scope_no, asked.turn - 1)
        return None if item is None else decode(item)["value"]

    def _list(self, run: Run, scope: Scope, name: str, argument: Argument) -> list[object]:
        value = self._value(run, scope.scope_id, argument, None, UNMAPPED)
        if not isinstance(value, list):
            kind = type(value).__name__
            raise UsageError(f"{scope.scope_id} is for each item of {name!r}, which is a {kind} and not a list")
        return value  # pyright: ignore[reportUnknownVariableType] - plain data, whatever it is

    def _value(self, run: Run, what: str, argument: Argument, scope_no: int | None, map_index: int) -> object:
        compiled = self._compiled(run.version)
        values = StoredValues(self._known)

        def stored(argument: OutputOf | ItemOf) -> bytes:
            return values.of(argument, compiled.spec, run, scope_no, map_index)

        return decode(Filled(compiled, run, what, stored).encoded(argument))


def _combined(scope: Scope, lists: Mapping[str, list[object]]) -> Sequence[tuple[object, ...]]:
    """The items of a scope: the combinations of all lists, or what stands in all of them at one place."""
    lengths = [len(of) for of in lists.values()]
    if scope.pairing == "zip":
        if len(set(lengths)) > 1:
            told = ", ".join(f"{name} has {len(of)}" for name, of in lists.items())
            raise UsageError(f"{scope.scope_id} takes items side by side, from lists of one length: {told}")
        return list(zip(*lists.values(), strict=True))
    count = prod(lengths)
    if count > scope.limit:
        raise UsageError(f"{scope.scope_id} has {count:,} items, and its limit is {scope.limit:,}")
    return list(product(*lists.values()))
