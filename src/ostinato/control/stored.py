"""What only the state knows of an argument: outputs of tasks, one or all of their instances, and the items of scopes."""

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from ostinato.model.errors import InvariantBroken
from ostinato.model.record import UNMAPPED, Instance, OutputKey, Run
from ostinato.model.spec import Argument, DagSpec, ItemOf, OutputOf
from ostinato.model.value import decode, encode

NOTHING: Final = encode(None)


class Kept(Protocol):
    """Where outputs and items are kept; see `Store`."""

    def outputs(self, wanted: Sequence[OutputKey]) -> dict[OutputKey, bytes]:
        """The outputs there are among these."""
        ...

    def outputs_of_all(self, run_id: int, task_no: int) -> list[bytes | None]:
        """What those instances of a task in a scope returned that succeeded, in order."""
        ...

    def output(self, run_id: int, task_no: int, map_index: int) -> bytes | None:
        """What a task instance returned; None if that was None, or it has not succeeded."""
        ...

    def item(self, run_id: int, scope_no: int, map_index: int) -> bytes | None:
        """What an instance of a scope is for; None: there is no such instance."""
        ...


class StoredValues:
    """Reads what arguments of task instances and scopes need; what is asked of many at once is read at once."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._read: set[OutputKey] = set()
        self._outputs: dict[OutputKey, bytes] = {}

    def read(self, wanted: Iterable[OutputKey]) -> None:
        """Read outputs that will be asked for."""
        keys = sorted(set(wanted) - self._read)
        if keys:
            self._read.update(keys)
            self._outputs.update(self._kept.outputs(keys))

    def of(self, argument: OutputOf | ItemOf, spec: DagSpec, run: Run, scope_no: int | None, map_index: int) -> bytes:
        """An argument's value, in stored form, for an instance of a scope; or outside of any (``scope_no`` None)."""
        if isinstance(argument, ItemOf):
            return self._part(argument.name, run, scope_no, map_index)
        key = output_key(argument, spec, run, scope_no, map_index)
        if key is not None:
            if key not in self._read:
                self.read([key])
            return self._outputs.get(key, NOTHING)
        outputs = self._kept.outputs_of_all(run.run_id, argument.task_no)
        return encode([None if output is None else decode(output) for output in outputs])

    def _part(self, name: str, run: Run, scope_no: int | None, map_index: int) -> bytes:
        item = None if scope_no is None else self._kept.item(run.run_id, scope_no, map_index)
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
