"""The child of ``compile``: imports one dag file, and writes what came of it to a pipe that the file cannot find."""

import fcntl
import gc
import os
import resource
import signal
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from msgspec import MsgspecError, msgpack

from ostinato.authoring.check import Collecting
from ostinato.authoring.dag import place_in
from ostinato.authoring.import_problem import TimeUp
from ostinato.authoring.load import build_all, import_file
from ostinato.authoring.mistakes import Mistake
from ostinato.model.canonical import canonical, digest, packed
from ostinato.model.spec import CompiledDag, Source

from .alignment import check
from .compilation import Compilation
from .local_files import LocalFiles

_HIGH_DESCRIPTOR: Final = 200
_SCAN_OBJECTS: Final = 100_000


def main() -> NoReturn:
    """``python -m ostinato.control.compile_child FILE DESCRIPTOR MARK SECONDS BYTES``."""
    file, descriptor, mark, seconds, memory = sys.argv[1:]
    high = min(_HIGH_DESCRIPTOR, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
    result = fcntl.fcntl(int(descriptor), fcntl.F_DUPFD_CLOEXEC, high)
    os.close(int(descriptor))
    sys.argv[:] = [file]
    process = os.getpid()
    _limit(float(seconds), int(memory))
    try:
        compilation = compile_here(Path(file))
    finally:
        _lift_limits()
    if os.getpid() != process:
        os._exit(0)  # the author's code forked, and this is the copy
    payload = msgpack.encode(compilation)
    _write(result, mark.encode() + len(payload).to_bytes(8, "big") + payload)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # the author's code may have put anything in their places
            stream.flush()
    os._exit(0)


def compile_here(file: Path) -> Compilation:
    """Import a dag file in this process, for good: its modules stay, its threads run on."""
    sources: dict[str, bytes] = {str(file): b""}
    files = LocalFiles(file, sources)
    gathered = Collecting(str(file), sources)
    try:
        sources[str(file)] = files.read(file)
        os.chdir(file.parent)
    except OSError as error:
        gathered.add(Mistake.UNREADABLE, f"the file cannot be read: {error.strerror or error}")
        return Compilation((), Source(str(file), b""), tuple(gathered.problems), files.marks())
    _import(file, gathered, files)
    source = Source(str(file), sources[str(file)], files.snapshot())
    dags = _compiled(gathered, source)
    return Compilation(() if gathered.problems else dags, source, tuple(gathered.problems), files.marks())


def _import(file: Path, gathered: Collecting, files: LocalFiles) -> None:
    files.watch(on=True)
    error = import_file(gathered, gathered.sources[str(file)], files.modules())
    files.watch(on=False)
    signal.setitimer(signal.ITIMER_REAL, 0)
    if isinstance(error, ModuleNotFoundError) and error.name:
        files.missed(error.name)


def _compiled(gathered: Collecting, source: Source) -> tuple[CompiledDag, ...]:
    name = digest(canonical(source))
    found: list[CompiledDag] = []
    specs = build_all(gathered)
    _check_alignment(gathered)
    for spec in map(packed, specs):
        try:
            found.append(CompiledDag(spec, source.file, name, digest(canonical(spec), name.encode())))
        except (UnicodeEncodeError, MsgspecError) as error:
            gathered.add(Mistake.NOT_STORABLE, f"the dag {spec.dag_id!r} has text that cannot be kept: {error}")
    return tuple(found)


def _check_alignment(gathered: Collecting) -> None:
    """Report the steps that ask another dag of this file for what it can never give."""
    specs = {} if gathered.problems else {dag.dag_id: dag.build() for dag in gathered.dags.values()}
    for dag_id, spec in specs.items():
        check(gathered, spec, specs, partial(place_in, gathered.dags[dag_id]))


def _limit(seconds: float, memory: int) -> None:
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (memory if hard == resource.RLIM_INFINITY else min(memory, hard), hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.set_threshold(_SCAN_OBJECTS)

    def up(_signum: int, _frame: FrameType | None) -> None:
        raise TimeUp(f"importing it took longer than {seconds:g} seconds")

    signal.signal(signal.SIGALRM, up)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _lift_limits() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _write(descriptor: int, data: bytes) -> None:
    with memoryview(data) as view:
        written = 0
        while written < len(view):
            written += os.write(descriptor, view[written:])


if __name__ == "__main__":
    main()
