"""From a dispatch to an assignment: arguments filled in from the run, its parameters and its upstreams' outputs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import msgpack

from ostinato.authoring.fill import call_of
from ostinato.decide.step import Dispatch
from ostinato.model.errors import InvariantBroken, OstinatoError
from ostinato.model.message import Assignment, Failure, Finished
from ostinato.model.spec import Argument, CompiledDag, ItemOf, OutputOf, TaskSpec
from ostinato.model.time import Instant
from ostinato.model.value import encode
from ostinato.store import Store

from .sources import SourceShelf

_NOTHING: Final = encode(None)

Outputs = dict[tuple[int, int], bytes]


class Preparer:
    """Prepares dispatches for agents. ``compiled`` gives a dag version."""

    def __init__(self, store: Store, shelf: SourceShelf, compiled: Callable[[str], CompiledDag]) -> None:
        self._store = store
        self._shelf = shelf
        self._compiled = compiled
        self._encoder = msgpack.Encoder()

    def prepare(self, dispatches: Sequence[Dispatch], now: Instant) -> tuple[list[Assignment], list[Finished]]:
        """The assignments, in order, and a failed result for each dispatch that cannot be prepared."""
        wanted = {
            (dispatch.run.run_id, argument.task_no)
            for dispatch in dispatches
            for argument in _arguments(self._compiled(dispatch.run.version).spec.tasks[dispatch.task_no])
            if isinstance(argument, OutputOf)
        }
        outputs = self._store.outputs(sorted(wanted)) if wanted else {}
        ready: list[Assignment] = []
        refused: list[Finished] = []
        for dispatch in dispatches:
            try:
                ready.append(self._assignment(dispatch, outputs))
            except OstinatoError as error:
                failure = Failure(how="unloadable", message=str(error), code=error.code)
                refused.append(Finished(dispatch.attempt, "failed", now, now, failure=failure))
        return ready, refused

    def _assignment(self, dispatch: Dispatch, outputs: Outputs) -> Assignment:
        run = dispatch.run
        compiled = self._compiled(run.version)
        task = compiled.spec.tasks[dispatch.task_no]
        self._shelf.ensure(compiled.source)

        def stored(argument: OutputOf | ItemOf) -> bytes:
            if isinstance(argument, ItemOf):
                raise InvariantBroken(f"step {task.task_id!r} has no item")
            return outputs.get((run.run_id, argument.task_no), _NOTHING)

        call = call_of(compiled, run, dispatch.task_no, dispatch.attempt, dispatch.number, stored)
        return Assignment(
            attempt=dispatch.attempt,
            source=compiled.source,
            isolation=task.isolation,
            priority=task.priority,
            timeout=task.timeout,
            memory=task.memory,
            call=self._encoder.encode(call),
        )


def _arguments(task: TaskSpec) -> Iterator[Argument]:
    yield from task.args
    for _, argument in task.kwargs:
        yield argument
