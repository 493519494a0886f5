"""From dag files to dag versions in the store; and again, whenever the files change."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from msgspec import structs

from ostinato.authoring.check import YAML_SUFFIX
from ostinato.clock import Clock
from ostinato.model.errors import NotFound
from ostinato.model.limits import Limits
from ostinato.model.spec import canonical
from ostinato.store import Store

from .alignment import aligned, depends_on_others
from .compilation import Compilation
from .file_mark import unchanged
from .inotify import FolderWatch
from .steady import compile_steady


def dag_files(paths: Iterable[Path]) -> list[Path]:
    """The dag files (Python and YAML) that the paths name: files as they are, folders with all that is below them.

    Names that begin with a dot or an underscore are passed over. Raises NotFound for a path that does not exist.
    """
    found: set[Path] = set()
    for path in paths:
        if not path.exists():
            raise NotFound("there is no such file or folder", where=str(path))
        below = [*path.rglob("*.py"), *path.rglob(f"*{YAML_SUFFIX}")] if path.is_dir() else [path]
        found.update(file.absolute() for file in below if not _hidden(file.relative_to(path)))
    return sorted(found)


def deploy(store: Store, paths: Iterable[Path], clock: Clock, limits: Limits) -> list[Compilation]:
    """Compile all dag files and put what they define, and what is wrong with them, into the store."""
    alone = [compile_steady(file, limits) for file in dag_files(paths)]
    compilations = [aligned(compilation, alone) for compilation in alone]
    for compilation in compilations:
        put(store, compilation, clock)
    return compilations


def put(store: Store, compilation: Compilation, clock: Clock) -> None:
    """Put one compiled file into the store. A file with problems leaves the versions before it in force."""
    source = canonical(compilation.source)
    store.put_dags(compilation.source.file, compilation.dags, source, compilation.problems, clock.now())


class Reloader:
    """Compiles changed dag files in a thread, and puts the results into the store from the loop's own thread."""

    def __init__(
        self, store: Store, paths: Sequence[Path], known: Iterable[Compilation], clock: Clock, limits: Limits
    ) -> None:
        self._store = store
        self._paths = paths
        self._clock = clock
        self._limits = limits
        self._known = {Path(compilation.source.file): compilation for compilation in known}
        self._watch = FolderWatch()
        self._asked: SimpleQueue[bool] = SimpleQueue()
        self._compiled: SimpleQueue[Compilation] = SimpleQueue()
        self._wake: Callable[[], None] | None = None
        self._watch_folders()

    def fileno(self) -> int:
        """For a selector: readable when a file in a watched folder has changed."""
        return self._watch.fileno()

    def start(self, wake: Callable[[], None]) -> None:
        """Begin to work; ``wake`` is called, from the thread, when there is something to `apply`."""
        self._wake = wake
        Thread(target=self._work, name="ostinato-compile", daemon=True).start()

    def attend(self) -> None:
        """Files have changed: look which dag files that concerns. Called from the loop."""
        if self._watch.changed():
            self._asked.put(True)

    def apply(self) -> bool:
        """Put what was compiled since the last call into the store; whether there was anything."""
        applied = False
        while not self._compiled.empty():
            put(self._store, self._compiled.get(), self._clock)
            applied = True
        if applied:
            self._watch_folders()
        return applied

    def close(self) -> None:
        """End the thread and stop watching."""
        self._asked.put(False)
        self._watch.close()

    def _watch_folders(self) -> None:
        folders = {Path(file.path).parent for known in self._known.values() for file in known.files}
        for path in self._paths:
            if path.is_dir():
                folders |= {path.absolute(), *(below.absolute() for below in path.rglob("*") if below.is_dir())}
        for folder in folders:
            if folder.is_dir():
                self._watch.add(folder)

    def _work(self) -> None:
        while self._asked.get():
            files = set(dag_files(path for path in self._paths if path.exists()))
            changed = [file for file in sorted(files) if self._concerns(file)]
            removed = [file for file in self._known if file not in files]
            for file in changed:
                self._known[file] = compile_steady(file, self._limits)
            for file in changed:
                self._known[file] = aligned(self._known[file], self._known.values())
                self._compiled.put(self._known[file])
            for file in removed:
                self._compiled.put(structs.replace(self._known.pop(file), dags=(), problems=()))
            if (changed or removed) and self._wake is not None:
                self._wake()

    def _concerns(self, file: Path) -> bool:
        known = self._known.get(file)
        marks = None if known is None else unchanged(known.files)
        if known is None or marks is None or depends_on_others(known):
            return True
        self._known[file] = structs.replace(known, files=marks)
        return False


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) and part != "." for part in path.parts)
