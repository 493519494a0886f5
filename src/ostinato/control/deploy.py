"""From dag files to dag versions in the store; and again, whenever the files change."""

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from msgspec import Struct

from ostinato.authoring.check import YAML_SUFFIX
from ostinato.clock import Clock
from ostinato.model.canonical import canonical
from ostinato.model.errors import NotFound, StoreUnavailable
from ostinato.model.limits import Limits
from ostinato.model.record import Deployment
from ostinato.model.spec import DagSpec
from ostinato.store import Store

from .compilation import Compilation
from .file_mark import unchanged
from .inotify import FolderWatch
from .known_files import KnownFiles
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


def compile_all(files: Sequence[Path], limits: Limits) -> list[Compilation]:
    """Compile each file by itself, as many at a time as there are processors."""
    with ThreadPoolExecutor(max_workers=min(os.cpu_count() or 1, max(len(files), 1))) as pool:
        return list(pool.map(partial(compile_steady, limits=limits), files))


def deploy(
    store: Store, paths: Sequence[Path], clock: Clock, limits: Limits, by: str, ahead: Iterable[Compilation] = ()
) -> KnownFiles:
    """Compile all dag files and put what they define, and what is wrong with them, into the store.

    What was compiled ``ahead`` and has not changed since is not compiled again. What was deployed from a file below these
    paths that is no longer there is retired.
    """
    files = dag_files(paths)
    there = {str(file) for file in files}
    compiled = [
        each for each in ahead if each.source.file in there and each.files and unchanged(each.files) is not None
    ]
    done = {each.source.file for each in compiled}
    compiled += compile_all([file for file in files if str(file) not in done], limits)
    compiled.sort(key=lambda each: each.source.file)  # of two files that claim a dag, the first one has it
    gone = _gone(store, paths, compiled)
    sound = {each.source.file for each in compiled if not each.problems}
    known = KnownFiles(_in_force(store, sound | gone))
    put(store, known.take(compiled), clock, by, gone)
    return known


def put(store: Store, compiled: Iterable[Compilation], clock: Clock, by: str, gone: Iterable[str] = ()) -> None:
    """Put compiled files into the store. A file with problems leaves the versions before it in force."""
    new = [Deployment(c.source.file, c.dags, canonical(c.source), c.problems) for c in compiled]
    store.put_dags([*(Deployment(file) for file in gone), *new], clock.now(), by)


def moved_from(store: Store, compiled: Iterable[Compilation]) -> set[str]:
    """The files that are not there any more and whose dags one of these files now has."""
    ids = {dag.spec.dag_id for each in compiled for dag in each.dags}
    return {dag.file for dag in store.dags() if dag.dag_id in ids and not Path(dag.file).exists()}


def _gone(store: Store, paths: Sequence[Path], compiled: Sequence[Compilation]) -> set[str]:
    """The files that were deployed and are not there: those below the paths, and those whose dags have moved."""
    before = {dag.file for dag in store.dags()} | {problem.file for problem in store.problems()}
    below = {file for file in before if _is_below(file, paths)} - {each.source.file for each in compiled}
    return below | moved_from(store, compiled)


def _in_force(store: Store, without: Collection[str]) -> dict[str, list[DagSpec]]:
    """What is deployed from other files, by file."""
    specs: dict[str, list[DagSpec]] = {}
    for dag in store.dags():
        if dag.file not in without:
            specs.setdefault(dag.file, []).append(store.compiled(dag.version).spec)
    return specs


def _is_below(file: str, paths: Iterable[Path]) -> bool:
    return any(Path(file).is_relative_to(path.absolute()) for path in paths)


class Reloader:
    """Compiles changed dag files in a thread, and puts the results into the store from the loop's own thread.

    ``known`` is what deploying the files at ``paths`` came to; from then on it is the reloader's.
    """

    def __init__(
        self, store: Store, paths: Sequence[Path], known: KnownFiles, clock: Clock, limits: Limits, by: str
    ) -> None:
        self._store = store
        self._paths = paths
        self._clock = clock
        self._limits = limits
        self._by = by
        self._known = known
        self._watch = FolderWatch()
        self._asked: SimpleQueue[bool] = SimpleQueue()
        self._results: SimpleQueue[_Result] = SimpleQueue()
        self._next: _Result | None = None
        self._wake: Callable[[], None] | None = None
        self._watch_folders(known.folders())

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
        """Put what was compiled since the last call into the store; whether there was anything.

        What the store does not take now is kept for the next call.
        """
        applied = False
        while self._next is not None or not self._results.empty():
            self._next = self._next or self._results.get()
            try:
                put(self._store, self._next.compiled, self._clock, self._by, self._next.gone)
            except StoreUnavailable:
                break
            self._watch_folders(self._next.folders)
            self._next = None
            applied = True
        return applied

    def close(self) -> None:
        """End the thread and stop watching."""
        self._asked.put(False)
        self._watch.close()

    def _watch_folders(self, folders: set[Path]) -> None:
        for path in self._paths:
            if path.is_dir():
                folders |= {path.absolute(), *(below.absolute() for below in path.rglob("*") if below.is_dir())}
        for folder in folders:
            if folder.is_dir():
                self._watch.add(folder)

    def _work(self) -> None:
        while self._asked.get():
            files = dag_files(path for path in self._paths if path.exists())
            there = set(map(str, files))
            gone = [file for file in self._known if file not in there and _is_below(file, self._paths)]
            compiled = compile_all(self._known.changed(files), self._limits)
            compiled += compile_all(self._known.misled(compiled), self._limits)
            compiled = self._known.take(compiled, gone)
            if compiled or gone:
                self._results.put(_Result(compiled, gone, self._known.folders()))
                if self._wake is not None:
                    self._wake()


class _Result(Struct):
    """What a look at the files came to: what to put into the store, and which folders to watch from now on."""

    compiled: list[Compilation]
    gone: list[str]
    folders: set[Path]


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) and part != "." for part in path.parts)
