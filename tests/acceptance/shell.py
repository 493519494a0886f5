"""Commands as people run them: real processes, whose lines are waited for."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from time import monotonic
from typing import NamedTuple

PATIENCE_S = 60.0


class Said(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def ostinato(*words: str, cwd: Path | None = None) -> Said:
    """Run a command to its end."""
    done = subprocess.run(_command(words), cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return Said(done.returncode, done.stdout, done.stderr)


def until(condition: Callable[[], bool], look_s: float = 0.05) -> None:
    """Wait for something that another process brings about, and look for it so often."""
    pause, deadline = Event(), monotonic() + PATIENCE_S
    while not condition():
        assert monotonic() < deadline, "waited in vain"
        pause.wait(look_s)


class Going:
    """A command that goes on, and what it has said so far on both streams."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.text = ""

    def until(self, text: str) -> str:
        """Wait until it has said this, and return all that it said."""
        assert self.process.stdout is not None
        while text not in self.text:
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
            assert ready, f"waited in vain for {text!r}:\n{self.text}"
            data = os.read(self.process.stdout.fileno(), 1 << 16)
            assert data, f"it ended without saying {text!r}:\n{self.text}"
            self.text += data.decode(errors="replace")
        return self.text

    def end(self, number: signal.Signals | None = None) -> int:
        """Send a signal, if one is given, wait for its end, and return its exit code."""
        assert self.process.stdout is not None
        if number is not None:
            self.process.send_signal(number)
        self.text += self.process.stdout.read().decode(errors="replace")
        return self.process.wait(PATIENCE_S)


@contextmanager
def going(*words: str, cwd: Path | None = None, **environment: str) -> Iterator[Going]:
    """A command that goes on; interrupted at the end if it still does."""
    command, surroundings = _command(words), {**os.environ, **environment}
    with subprocess.Popen(
        command, cwd=cwd, env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield Going(process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(PATIENCE_S)


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "ostinato", *words]


def on_a_terminal(*words: str, cwd: Path | None = None) -> str:
    """All that a command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(_command(words), cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        text = b""
        with suppress(OSError):  # the other end is closed when the command ends
            while data := os.read(ours, 1 << 16):
                text += data
        process.wait(PATIENCE_S)
    os.close(ours)
    return text.decode(errors="replace")
