"""The guard of a running task: notices when the author's code asks the clock or chance, and tells it or refuses it."""

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from ostinato.authoring.check import caller
from ostinato.model.errors import ClockAsked
from ostinato.model.spec import ClockGuard

from .called import asking, seeds
from .exempt import Exemptions, exemptions
from .rewrite import Asked
from .table import ALTERNATIVE, MEANS, Asking


class Watch:
    """Answers the author's rewritten code. Outside of `during` nothing is noticed.

    ``sources`` are the author's files by path; ``tell`` takes a line for the log of the attempt.
    """

    def __init__(self, sources: Mapping[str, bytes], tell: Callable[[str], None]) -> None:
        self.asked = Asked(self._answer)
        self._sources = sources
        self._tell = tell
        self._mode: ClockGuard = "off"
        self._seeded: tuple[str, ...] = ()
        self._told: set[tuple[str, int, str]] = set()
        self._exempt: dict[str, Exemptions] = {}

    @contextmanager
    def during(self, mode: ClockGuard) -> Generator[None]:
        """Watch while an attempt runs: ``warn`` tells each place once, ``fail`` raises ClockAsked there."""
        self._mode, self._seeded = mode, ()
        self._told.clear()
        try:
            yield
        finally:
            self._mode = "off"

    def _answer(self, arguments: int, called: Any) -> Any:
        if self._mode != "off":
            found = asking(called)
            if found is not None and found.asks(arguments) and not found.is_seeded(self._seeded):
                self._notice(found)
            elif arguments and (seeded := seeds(called)):
                self._seeded = (*self._seeded, seeded)
        return called

    def _notice(self, found: Asking) -> None:
        frame = caller(3)
        file, line = frame.f_code.co_filename, frame.f_lineno
        if line in self._exemptions(file).lines:
            return
        what = f"{found.name} {MEANS[found.kind]}"
        if self._mode == "fail":
            raise ClockAsked(what, where=f"{file}:{line}", help=f"Instead, {ALTERNATIVE[found.kind]}.")
        if (file, line, found.name) not in self._told:
            self._told.add((file, line, found.name))
            self._tell(f"{ClockAsked.code}: {what} ({file}:{line}). Instead, {ALTERNATIVE[found.kind]}.")

    def _exemptions(self, file: str) -> Exemptions:
        if file not in self._exempt:
            self._exempt[file] = exemptions(self._sources.get(file, b""))
        return self._exempt[file]


def tell_in_log(line: str) -> None:
    """A line among what the task prints."""
    sys.stderr.write(f"{line}\n")
