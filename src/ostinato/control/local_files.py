"""The author's own files as a compile child meets them: modules that are imported, data that is read on the way."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, cast

from ostinato.authoring.imports import imported_names
from ostinato.authoring.load import DATA, LocalModule, LocalModules

from .file_mark import FileMark, mark

_MOST_FILES: Final = 10_000


class LocalFiles:
    """What lies in the folder of a dag file and below, and which of it the file depends on."""

    def __init__(self, file: Path, sources: dict[str, bytes]) -> None:
        self._folder = file.parent
        self._prefix = os.path.join(self._folder, "")  # noqa: PTH118 - a prefix with its slash, which a Path drops
        self._sources = sources
        self._found: dict[str, LocalModule] = {}
        self._marks: dict[str, FileMark] = {}
        self._watching = False
        sys.addaudithook(self._notice)

    def modules(self) -> LocalModules:
        """Modules straight from the folder; what is found is remembered."""
        return LocalModules(self._find, self._is_folder, self._data)

    def snapshot(self) -> tuple[tuple[str, str, bytes], ...]:
        """All modules found so far, and those that they or the dag file import anywhere, by name."""
        todo = [*self._found.values()]
        seen = set(self._found)
        file_names = imported_names(self._sources[next(iter(self._sources))], "", is_package=False)
        self._look_for(file_names, seen, todo)
        while todo:
            module = todo.pop()
            self._look_for(imported_names(module.code, module.name, is_package=module.is_package), seen, todo)
        return tuple((m.name, m.path, m.code) for m in sorted(self._found.values(), key=lambda m: m.name))

    def marks(self) -> tuple[FileMark, ...]:
        """Every file that was read, by path."""
        return tuple(self._marks[path] for path in sorted(self._marks))

    def watch(self, *, on: bool) -> None:
        """Whether the author's code is running, so that what it opens counts."""
        self._watching = on

    def read(self, file: Path) -> bytes:
        """A file's content, remembered with its mark. Raises OSError, also for what is no plain file."""
        if file.exists() and not file.is_file():
            raise OSError(f"{file.name} is not a file")
        self._marks[str(file)] = mark(file)
        return file.read_bytes()

    def missed(self, name: str) -> None:
        """A module was not there; if it appears, the dag file is another."""
        place = self._folder.joinpath(*name.split("."))
        for path in (place, place / "__init__.py", place.with_suffix(".py")):
            self._marks[str(path)] = mark(path)

    def _look_for(self, names: Iterator[str], seen: set[str], todo: list[LocalModule]) -> None:
        for name in names:
            if name not in seen and name.partition(".")[0] not in sys.stdlib_module_names:
                seen.add(name)
                module = self._find(name)
                if module is not None:
                    todo.append(module)

    def _find(self, name: str) -> LocalModule | None:
        known = self._found.get(name)
        if known is not None:
            return known
        place = self._folder.joinpath(*name.split("."))
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                code = self.read(path)
                module = self._found[name] = LocalModule(name, str(path), code)
                self._sources[str(path)] = code
                return module
        return None

    def _data(self, name: str) -> LocalModule | None:
        """A file that is no module, as a part of the snapshot; if it is not there, it may appear."""
        known = self._found.get(DATA + name)
        if known is not None:
            return known
        path = self._folder / name
        if not path.is_file():
            self._marks[str(path)] = mark(path)
            return None
        code = self.read(path)
        self._sources[str(path)] = code
        found = self._found[DATA + name] = LocalModule(DATA + name, str(path), code)
        return found

    def _is_folder(self, name: str) -> bool:
        place = self._folder.joinpath(*name.split("."))
        return place.is_dir() and any(place.rglob("*.py"))

    def _notice(self, event: str, args: tuple[object, ...]) -> None:
        """An audit hook: files opened for reading and folders listed while the author's code runs."""
        if not self._watching or event not in {"open", "os.listdir", "os.scandir"}:
            return
        path = args[0]
        if isinstance(path, os.PathLike | str | bytes) and not (event == "open" and _writes(args)):
            self._watching = False
            try:
                self._depend_on(os.path.abspath(os.fsdecode(cast("str", path))))  # noqa: PTH100 - as the author's code would open it
            finally:
                self._watching = True

    def _depend_on(self, path: str) -> None:
        inside = path.startswith(self._prefix) or path == str(self._folder)
        if inside and "__pycache__" not in path and path not in self._marks and len(self._marks) < _MOST_FILES:
            self._marks[path] = mark(Path(path))


def _writes(args: tuple[object, ...]) -> bool:
    _, _, flags = args
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
