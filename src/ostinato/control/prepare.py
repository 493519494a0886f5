"""From a dispatch to an assignment: arguments filled in from the run, its parameters and its upstreams' outputs."""

from collections.abc import Callable, Sequence

from msgspec import msgpack

from ostinato.authoring.fill import call_of, refused
from ostinato.decide.step import Dispatch
from ostinato.model.errors import OstinatoError
from ostinato.model.message import Assignment, Finished
from ostinato.model.spec import CompiledDag, ItemOf, OutputOf
from ostinato.model.time import Instant
from ostinato.store import Store

from .sources import SourceShelf
from .stored import StoredValues, arguments_of, output_key


class Preparer:
    """Prepares dispatches for agents. ``compiled`` gives a dag version."""

    def __init__(self, store: Store, shelf: SourceShelf, compiled: Callable[[str], CompiledDag]) -> None:
        self._store = store
        self._shelf = shelf
        self._compiled = compiled
        self._encoder = msgpack.Encoder()

    def prepare(self, dispatches: Sequence[Dispatch], now: Instant) -> tuple[list[Assignment], list[Finished]]:
        """The assignments, in order, and a failed result for each dispatch that cannot be prepared."""
        values = StoredValues(self._store)
        keys = [key for dispatch in dispatches for key in self._outputs(dispatch)]
        values.read(key for key in keys if key is not None)
        ready: list[Assignment] = []
        failed: list[Finished] = []
        for dispatch in dispatches:
            try:
                ready.append(self._assignment(dispatch, values))
            except OstinatoError as error:
                failed.append(Finished(dispatch.attempt, "failed", now, now, failure=refused(error)))
        return ready, failed

    def _outputs(self, dispatch: Dispatch) -> list[tuple[int, int, int] | None]:
        spec = self._compiled(dispatch.run.version).spec
        scope_no = spec.tasks[dispatch.task_no].scope
        return [
            output_key(argument, spec, dispatch.run, scope_no, dispatch.map_index)
            for argument in arguments_of(spec, (dispatch.task_no, dispatch.map_index))
            if isinstance(argument, OutputOf)
        ]

    def _assignment(self, dispatch: Dispatch, values: StoredValues) -> Assignment:
        run = dispatch.run
        compiled = self._compiled(run.version)
        task = compiled.spec.tasks[dispatch.task_no]
        self._shelf.ensure(compiled.source)

        def stored(argument: OutputOf | ItemOf) -> bytes:
            return values.of(argument, compiled.spec, run, task.scope, dispatch.map_index)

        instance = dispatch.task_no, dispatch.map_index
        call = call_of(compiled, run, instance, dispatch.attempt, dispatch.number, stored)
        return Assignment(
            attempt=dispatch.attempt,
            source=compiled.source,
            isolation=task.isolation,
            priority=task.priority,
            timeout=task.timeout,
            memory=task.memory,
            call=self._encoder.encode(call),
        )
