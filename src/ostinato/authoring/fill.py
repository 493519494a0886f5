"""What a run gives to its attempts: arguments in stored form, and the path that a file sensor waits for."""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from ostinato.model.errors import OstinatoError
from ostinato.model.message import Call, Failure
from ostinato.model.record import Instance, Run
from ostinato.model.spec import Argument, CompiledDag, ItemOf, OutputOf, ParamOf, Template, Value
from ostinato.model.value import decode, encode

from .template import render, values

Stored = Callable[[OutputOf | ItemOf], bytes]
"""Gives, in stored form, the arguments that only the state knows."""


def call_of(compiled: CompiledDag, run: Run, instance: Instance, attempt: int, number: int, stored: Stored) -> Call:
    """The call that performs an attempt. Raises UsageError for a template that nothing fills, and what ``stored`` does."""
    task_no, map_index = instance
    task = compiled.spec.tasks[task_no]
    filled = Filled(compiled, run, task.task_id, stored)
    return Call(
        dag_id=run.dag_id,
        version=run.version,
        file=compiled.file,
        task_no=task_no,
        task_id=task.task_id,
        run_id=run.run_id,
        attempt=attempt,
        number=number,
        start=run.interval.start,
        end=run.interval.end,
        params=run.params,
        args=tuple([filled.encoded(argument) for argument in task.args]),
        kwargs=tuple([(name, filled.encoded(argument)) for name, argument in task.kwargs]),
        map_index=map_index,
        clock=compiled.spec.clock,
    )


def refused(error: OstinatoError) -> Failure:
    """Why an attempt was not sent out: its arguments could not be filled in."""
    return Failure(how="unloadable", message=str(error), code=error.code)


def awaited_file(compiled: CompiledDag, run: Run, task_no: int) -> Path:
    """The path that a file sensor of a run waits for; a relative one starts at the dag file's folder."""
    task = compiled.spec.tasks[task_no]
    path = task.sensor.path if task.sensor else None
    if path is None:
        raise ValueError(f"task {task.task_id} waits for no file")
    known = values(compiled.spec, run.run_id, run.interval, decode(run.params))
    return Path(compiled.file).parent / render(path, known, task.task_id)


class Filled:
    """Arguments of a task, or of a scope, filled in for one run. ``what`` is its name in messages."""

    def __init__(self, compiled: CompiledDag, run: Run, what: str, stored: Stored) -> None:
        self._compiled = compiled
        self._run = run
        self._what = what
        self._stored = stored

    @cached_property
    def _known(self) -> dict[str, str]:
        return values(self._compiled.spec, self._run.run_id, self._run.interval, decode(self._run.params))

    def encoded(self, argument: Argument) -> bytes:
        """An argument's value, in stored form. Raises UsageError for a template that nothing fills."""
        match argument:
            case Value(value):
                return encode(value)
            case OutputOf() | ItemOf():
                return self._stored(argument)
            case ParamOf(name):
                return encode(decode(self._run.params)[name])
            case Template(text):
                return encode(render(text, self._known, self._what))
