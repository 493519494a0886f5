"""What only the state knows of an argument: outputs of tasks, one or all of their instances, and the items of scopes."""

from collections.abc import Iterable
from typing import Final

from ostinato.model.errors import InvariantBroken
from ostinato.model.record import UNMAPPED, Instance, Run
from ostinato.model.spec import Argument, DagSpec, ItemOf, OutputOf
from ostinato.model.value import decode, encode
from ostinato.store import Store
from ostinato.store.read import OutputKey

NOTHING: Final = encode(None)


class StoredValues:
    """Reads what arguments of task instances and scopes need; what is asked of many at once is read at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._outputs: dict[OutputKey, bytes] = {}

    def read(self, wanted: Iterable[OutputKey]) -> None:
        """Read outputs that will be asked for."""
        keys = sorted(set(wanted))
        if keys:
            self._outputs.update(self._store.outputs(keys))

    def of(self, argument: OutputOf | ItemOf, spec: DagSpec, run: Run, scope_no: int | None, map_index: int) -> bytes:
        """An argument's value, in stored form, for an instance of a scope; or outside of any (``scope_no`` None)."""
        if isinstance(argument, ItemOf):
            return self._part(argument.name, run, scope_no, map_index)
        key = output_key(argument, spec, run, scope_no, map_index)
        if key is not None:
            return self._outputs.get(key, NOTHING)
        outputs = self._store.outputs_of_all(run.run_id, argument.task_no)
        return encode([None if output is None else decode(output) for output in outputs])

    def _part(self, name: str, run: Run, scope_no: int | None, map_index: int) -> bytes:
        item = None if scope_no is None else self._store.item(run.run_id, scope_no, map_index)
        if item is None:
            raise InvariantBroken(f"instance {map_index} of a scope has no item", where=f"run {run.run_id}")
        return encode(decode(item)[name])


def output_key(argument: OutputOf, spec: DagSpec, run: Run, scope_no: int | None, map_index: int) -> OutputKey | None:
    """Where the output is that an argument stands for; None: it is a list of the outputs of all instances."""
    theirs = spec.tasks[argument.task_no].scope
    if theirs is None:
        return run.run_id, argument.task_no, UNMAPPED
    return (run.run_id, argument.task_no, map_index) if theirs == scope_no else None


def arguments_of(spec: DagSpec, instance: Instance) -> Iterable[Argument]:
    """The arguments of a task."""
    task = spec.tasks[instance[0]]
    return (*task.args, *(argument for _, argument in task.kwargs))
