"""From a dispatch to an assignment: arguments filled in from the run, its parameters and its upstreams' outputs."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import msgpack

from ostinato.authoring.template import render, values
from ostinato.decide.step import Dispatch
from ostinato.model.errors import OstinatoError
from ostinato.model.message import Assignment, Call, Failure, Finished
from ostinato.model.spec import Argument, CompiledDag, OutputOf, ParamOf, TaskSpec, Template, Value
from ostinato.model.time import Instant
from ostinato.model.value import decode, encode
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
        filled = _Filled(dispatch, compiled, outputs)
        call = Call(
            dag_id=run.dag_id,
            version=run.version,
            file=compiled.file,
            task_no=dispatch.task_no,
            task_id=task.task_id,
            run_id=run.run_id,
            attempt=dispatch.attempt,
            number=dispatch.number,
            start=run.interval.start,
            end=run.interval.end,
            params=run.params,
            args=tuple([filled.encoded(argument) for argument in task.args]),
            kwargs=tuple([(name, filled.encoded(argument)) for name, argument in task.kwargs]),
            clock=compiled.spec.clock,
        )
        return Assignment(
            attempt=dispatch.attempt,
            source=compiled.source,
            isolation=task.isolation,
            priority=task.priority,
            timeout=task.timeout,
            memory=task.memory,
            call=self._encoder.encode(call),
        )


class _Filled:
    """The arguments of one attempt."""

    def __init__(self, dispatch: Dispatch, compiled: CompiledDag, outputs: Outputs) -> None:
        self._run = dispatch.run
        self._spec = compiled.spec
        self._task = compiled.spec.tasks[dispatch.task_no]
        self._outputs = outputs

    def encoded(self, argument: Argument) -> bytes:
        """An argument's value, in stored form."""
        match argument:
            case Value(value):
                return encode(value)
            case OutputOf(task_no):
                return self._outputs.get((self._run.run_id, task_no), _NOTHING)
            case ParamOf(name):
                return encode(decode(self._run.params)[name])
            case Template(text):
                known = values(self._spec, self._run.run_id, self._run.interval, decode(self._run.params))
                return encode(render(text, known, self._task.task_id))


def _arguments(task: TaskSpec) -> Iterator[Argument]:
    yield from task.args
    for _, argument in task.kwargs:
        yield argument
