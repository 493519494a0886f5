"""From the source of a dag file to its dags, in this process: executors load what was compiled, never the live files."""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import decode_source
from pathlib import PurePath
from types import CodeType, ModuleType
from typing import Final

from msgspec import Struct

from ostinato.model.errors import DagFileInvalid, NotFound
from ostinato.model.spec import DagSpec, Source

from .check import YAML_SUFFIX, Collecting, collecting, did_you_mean
from .clock_guard.rewrite import NAME as ASKED
from .clock_guard.rewrite import Asked, rewritten
from .clock_guard.watch import Watch, tell_in_log
from .dag import Dag, register
from .import_problem import note_import_error
from .unknown import LayoutStopped


class LocalModule(Struct, frozen=True):
    """A module of the author's own: a file in the folder of the dag file or below."""

    name: str
    path: str
    code: bytes

    @property
    def is_package(self) -> bool:
        """Whether it is the ``__init__.py`` of a folder."""
        return PurePath(self.path).name == "__init__.py"


class LocalModules(Struct):
    """Where local modules come from: a snapshot in executors, the folder itself while a file is compiled.

    ``find`` gives a module by its dotted name, ``is_folder`` says whether a name is that of a folder with modules in it,
    ``data`` gives a file that a dag in YAML names, by its path from the dag file's folder. With ``asked`` the author's
    code shows it each call that it makes; see `clock_guard.rewrite`.
    """

    find: Callable[[str], LocalModule | None]
    is_folder: Callable[[str], bool]
    data: Callable[[str], LocalModule | None]
    asked: Asked | None = None


DATA: Final = "./"
"""What the names of data files in a snapshot begin with. No module is called so."""


class Loaded(Struct, frozen=True):
    """A dag file that has been imported."""

    source: Source
    dags: dict[str, Dag]
    watch: Watch | None = None

    def dag(self, dag_id: str) -> Dag:
        """The dag of that id. Raises NotFound if the file does not make it."""
        found = self.dags.get(dag_id)
        if found is None:
            help = did_you_mean(dag_id, self.dags)
            raise NotFound(f"there is no dag {dag_id!r} in this version of the file", where=self.source.file, help=help)
        return found


def load_source(source: Source, dag_id: str | None = None, *, watched: bool = False) -> Loaded:
    """Import a snapshot and give its dags. With ``dag_id`` only that dag lays out its steps, which is quicker.

    ``watched`` code can be asked whether it asks the clock, see `clock_guard.watch`; it is a little slower.

    Local modules come from the snapshot, also those that tasks import while they run. One source at a time is loaded in a
    process: loading another replaces it. Raises DagFileInvalid, from the error that was raised, if it cannot be imported.
    """
    sources = {source.file: source.code} | {path: code for _, path, code in source.modules}
    gathered = Collecting(source.file, sources, dag_id)
    watch = Watch(sources, tell_in_log) if watched else None
    error = import_file(gathered, source.code, local_modules(source, watch.asked if watch else None))
    if gathered.problems:
        problem = gathered.problems[0]
        raise DagFileInvalid(
            problem.what, problems=tuple(gathered.problems), where=f"{problem.file}:{problem.line}", help=problem.help
        ) from error
    return Loaded(source, gathered.dags, watch)


def import_file(gathered: Collecting, code: bytes, modules: LocalModules) -> BaseException | None:
    """Import a dag file, adding its dags and problems to ``gathered``. Gives the error it raised, if it did.

    A dag file in YAML is read, and nothing is imported: its error is a module that it names and that is not there.
    """
    install(modules)
    if gathered.file.endswith(YAML_SUFFIX):
        return _read_yaml(gathered, code, modules)
    name = _module_name(gathered.file)
    module = ModuleType(name)
    module.__file__ = gathered.file
    token = collecting.set(gathered)
    sys.modules[name] = module
    try:
        loader = LocalLoader(LocalModule(name, gathered.file, code), modules.asked)
        module.__spec__ = ModuleSpec(name, loader, origin=gathered.file)
        loader.exec_module(module)
        for value in list(vars(module).values()):
            if isinstance(value, Dag) and value not in gathered.counted:
                register(value, gathered)
    except LayoutStopped:
        return None
    except BaseException as error:  # noqa: BLE001 - an author's file may raise anything, and must not take us along
        note_import_error(gathered, error)
        return error
    finally:
        collecting.reset(token)
    return None


def _read_yaml(gathered: Collecting, code: bytes, modules: LocalModules) -> BaseException | None:
    from .yaml_dags import lay_out_file  # noqa: PLC0415 - dags in Python need no YAML

    try:
        missing = lay_out_file(gathered, code, modules)
    except LayoutStopped:
        return None
    except BaseException as error:  # noqa: BLE001 - the time may be up, or the memory
        note_import_error(gathered, error)
        return error
    return None if missing is None else ModuleNotFoundError(f"No module named {missing!r}", name=missing)


def build_all(gathered: Collecting) -> list[DagSpec]:
    """The specs of all dags that an import brought up. What is wrong with them is added to ``gathered``."""
    token = collecting.set(gathered)
    try:
        return [dag.build() for dag in gathered.dags.values()]
    finally:
        collecting.reset(token)


def compiled_text(code: bytes, path: str) -> CodeType:
    """Compiled source. As text and not as bytes, because then the places of mistakes are counted in characters."""
    return compile(decode_source(code), path, "exec", dont_inherit=True)


class LocalLoader(Loader):
    """Runs a local module's code."""

    def __init__(self, module: LocalModule, asked: Asked | None) -> None:
        self._module = module
        self._asked = asked

    def create_module(self, spec: ModuleSpec) -> None:
        """Python's own kind of module will do."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the code that was found, whatever the file holds by now."""
        compiled = compiled_text if self._asked is None else rewritten
        if self._asked is not None:
            module.__dict__[ASKED] = self._asked
        exec(compiled(self._module.code, self._module.path), module.__dict__)  # noqa: S102 - this is the import

    def get_source(self, name: str) -> str:
        """The text, for tracebacks and ``inspect``."""
        return self._module.code.decode(errors="replace")


class LocalFinder:
    """Finds local modules before installed ones; the standard library is never hidden by a file of the same name."""

    def __init__(self, modules: LocalModules) -> None:
        self._modules = modules

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """The spec of a local module, or None to let others look."""
        if name.partition(".")[0] in sys.stdlib_module_names:
            return None
        module = self._modules.find(name)
        if module is None:
            return None
        spec = ModuleSpec(
            name, LocalLoader(module, self._modules.asked), origin=module.path, is_package=module.is_package
        )
        spec.has_location = True
        if module.is_package:
            spec.submodule_search_locations = [str(PurePath(module.path).parent)]
        return spec


class FolderFinder:
    """Finds folders without ``__init__.py`` when nobody else knows the name: namespace packages."""

    def __init__(self, modules: LocalModules) -> None:
        self._modules = modules

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """The spec of a package that has only modules."""
        if not self._modules.is_folder(name):
            return None
        spec = ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = []
        spec.loader_state = _LOCAL_FOLDER
        return spec


_LOCAL_FOLDER: Final = "a folder of local modules"
"""Marks the specs of namespace packages that were found by us."""


def install(modules: LocalModules) -> None:
    """Take local modules from ``modules`` from now on, and forget those that were imported from elsewhere."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, LocalFinder | FolderFinder)]
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if isinstance(spec, ModuleSpec) and (
            isinstance(spec.loader, LocalLoader) or spec.loader_state is _LOCAL_FOLDER
        ):
            del sys.modules[name]
    sys.meta_path.insert(0, LocalFinder(modules))
    sys.meta_path.append(FolderFinder(modules))


def local_modules(source: Source, asked: Asked | None = None) -> LocalModules:
    """The modules of a snapshot."""
    modules = {name: LocalModule(name, path, code) for name, path, code in source.modules}
    named = [name for name in modules if not name.startswith(DATA)]
    folders = {name[:dot] for name in named for dot in range(len(name)) if name[dot] == "."}
    return LocalModules(modules.get, folders.__contains__, lambda name: modules.get(DATA + name), asked)


def _module_name(file: str) -> str:
    """The name that the dag file is imported by: its own, unless that is no name or taken."""
    stem = PurePath(file).stem
    taken = not stem.isidentifier() or stem in sys.stdlib_module_names or stem in sys.modules
    return f"dag_file_{stem}" if taken else stem
