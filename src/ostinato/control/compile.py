"""From a dag file to its specs, without importing it here: a child process does, under limits of time and memory.

Nothing that an author's file does reaches the caller but as a value: it may loop for ever, write to any descriptor, exit,
fork, raise what is no Exception, or not be a file at all. All of this becomes problems of the file.
"""

import os
import secrets
import selectors
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import IO, Final

from msgspec import DecodeError, Struct, msgpack
from msgspec.structs import replace

from ostinato.authoring.mistakes import Mistake
from ostinato.model.canonical import unpacked
from ostinato.model.limits import Limits
from ostinato.model.record import DagProblem
from ostinato.model.spec import Source

from .compilation import Compilation
from .file_mark import FileMark, mark

_CHILD: Final = "ostinato.control.compile_child"
_CHUNK: Final = 1 << 20
_MOST_OUTPUT: Final = 64 << 10
_MOST_RESULT: Final = 256 << 20
_GRACE_S: Final = 1.0
"""The child stops itself at its limit, and can say where it was; who does not let it is killed a little later."""


def compile_file(path: Path, limits: Limits = Limits()) -> Compilation:  # noqa: B008 - a frozen value
    """Import a dag file in a child process and give its dags, or all its problems. Never raises for what is in the file."""
    return import_apart(path, limits).compilation()


def import_apart(path: Path, limits: Limits) -> "Imported":
    """Import a dag file in a child process, and give what came of it as the child wrote it. Never raises for what is in it."""
    file = Path(path).absolute()
    before = mark(file)
    return _Child(file, before, limits).run()


class Imported(Struct):
    """How an import ended: with a result, or with what to say instead. Results of thousands of dags take room as objects."""

    file: FileMark
    output: str
    result: bytes | None = None
    mistake: Mistake = Mistake.DIED
    what: str = ""
    help: str = ""

    def compilation(self) -> Compilation:
        """The same, taken apart."""
        if self.result is not None:
            with suppress(DecodeError):
                found = msgpack.decode(self.result, type=Compilation)
                dags = tuple([replace(dag, spec=unpacked(dag.spec)) for dag in found.dags])
                return Compilation(dags, found.source, found.problems, found.files, self.output)
        problem = DagProblem(file=self.file.path, code=self.mistake.value, what=self.what, help=self.help)
        return Compilation((), Source(self.file.path, b""), (problem,), (self.file,), self.output)


class _Child:
    """One child process, from start to its last descendant's end."""

    def __init__(self, file: Path, before: FileMark, limits: Limits) -> None:
        self._file = file
        self._before = before
        self._limits = limits
        self._result = bytearray()
        self._output = bytearray()

    def run(self) -> Imported:
        """Start the child, take what it says while it has time, and leave nothing of it behind."""
        mark = secrets.token_hex(16)
        reading, writing = os.pipe()
        with open(reading, "rb", buffering=0) as result:  # noqa: PTH123 - a descriptor has no path
            try:
                process = self._start(writing, mark)
            finally:
                os.close(writing)
            with process:
                try:
                    timed_out = self._listen(process, result)
                finally:
                    _kill_group(process)
        return self._ended(process.returncode, mark.encode(), timed_out=timed_out)

    def _start(self, writing: int, mark: str) -> subprocess.Popen[bytes]:
        limits = (str(self._limits.compile_s), str(self._limits.compile_bytes))
        words = (str(self._file), str(writing), mark, *limits)
        return subprocess.Popen(
            [sys.executable, "-P", "-m", _CHILD, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            pass_fds=(writing,),
            env=_environment(),
            start_new_session=True,
        )

    def _listen(self, process: subprocess.Popen[bytes], result: IO[bytes]) -> bool:
        """Read until the child has ended or its time is up; whether the time was up."""
        assert process.stdout is not None
        deadline = monotonic() + self._limits.compile_s + _GRACE_S
        ended = os.pidfd_open(process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                for pipe, buffer in ((result, self._result), (process.stdout, self._output)):
                    os.set_blocking(pipe.fileno(), False)
                    selector.register(pipe, selectors.EVENT_READ, buffer)
                selector.register(ended, selectors.EVENT_READ)
                while (left := deadline - monotonic()) > 0:
                    ready = [key for key, _ in selector.select(left)]
                    for key in ready:
                        if key.data is not None and not self._take(key.fd, key.data):
                            selector.unregister(key.fileobj)
                    if any(key.data is None for key in ready):
                        self._take_rest(result, self._result)
                        self._take_rest(process.stdout, self._output)
                        return False
        finally:
            os.close(ended)
        return True

    def _take(self, descriptor: int, buffer: bytearray) -> bool:
        """Read once; whether there may be more."""
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return False
        buffer += data
        most = _MOST_OUTPUT if buffer is self._output else _MOST_RESULT
        if len(buffer) > most:
            del buffer[: len(buffer) - most]
        return bool(data)

    def _take_rest(self, pipe: IO[bytes], buffer: bytearray) -> None:
        """What the child left in a pipe: no more than a pipe holds, for others may still be writing."""
        self._take(pipe.fileno(), buffer)

    def _ended(self, code: int, mark: bytes, *, timed_out: bool) -> Imported:
        output = bytes(self._output).decode(errors="replace")
        _, found, rest = bytes(self._result).partition(mark)
        size = int.from_bytes(rest[:8], "big")
        if found and len(rest) >= size + 8:
            return Imported(self._before, output, rest[8 : 8 + size])
        if timed_out:
            what = f"importing it took longer than {self._limits.compile_s:g} seconds"
            return Imported(
                self._before, output, None, Mistake.TOO_SLOW, what, "move the work into tasks; see what it waits for"
            )
        return Imported(self._before, output, None, Mistake.DIED, _death(code), _last_line(output))


def _death(code: int) -> str:
    if code >= 0:
        return f"importing it ended the process, with exit code {code}"
    return f"importing it ended the process: {signal.strsignal(-code) or f'signal {-code}'}"


def _last_line(output: str) -> str:
    lines = output.strip().splitlines()
    return f"the last it printed: {lines[-1][:500]}" if lines else "it printed nothing"


def _environment() -> dict[str, str]:
    """The environment without what is meant for the control plane, and with sets in the same order every time."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OSTINATO_")}
    return kept | {"PYTHONHASHSEED": "0"}


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
