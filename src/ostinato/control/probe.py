"""Looking for the files that sensors wait for. No user code runs here: a path is filled in and looked up."""

from collections.abc import Callable
from pathlib import Path

from ostinato.authoring.template import render, values
from ostinato.decide.step import Probe
from ostinato.model.record import Run
from ostinato.model.spec import CompiledDag
from ostinato.model.value import decode


class FileProber:
    """Looks on this machine's file system. ``compiled`` gives a dag version."""

    def __init__(self, compiled: Callable[[str], CompiledDag]) -> None:
        self._compiled = compiled

    def look(self, probe: Probe) -> bool:
        """Whether the file is there now. One that cannot be looked at is not there yet."""
        try:
            return awaited_file(self._compiled(probe.run.version), probe.run, probe.task_no).exists()
        except OSError:
            return False


def awaited_file(compiled: CompiledDag, run: Run, task_no: int) -> Path:
    """The path that a file sensor of a run waits for; a relative one starts at the dag file's folder."""
    task = compiled.spec.tasks[task_no]
    path = task.sensor.path if task.sensor else None
    if path is None:
        raise ValueError(f"task {task.task_id} waits for no file")
    known = values(compiled.spec, run.run_id, run.interval, decode(run.params))
    return Path(compiled.file).parent / render(path, known, task.task_id)
