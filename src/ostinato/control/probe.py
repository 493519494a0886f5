"""Looking for the files that sensors wait for. No user code runs here: a path is filled in and looked up."""

from collections.abc import Callable

from ostinato.authoring.fill import awaited_file
from ostinato.decide.step import Probe
from ostinato.model.spec import CompiledDag


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
