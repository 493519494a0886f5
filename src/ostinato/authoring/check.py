"""Where problems of a dag file are gathered, so that all of them can be shown at once, each at its place."""

import re
import sys
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import date, timedelta
from itertools import islice
from types import CodeType, FrameType, TracebackType
from typing import TYPE_CHECKING, Final, NamedTuple

from ostinato.model.errors import DagFileInvalid
from ostinato.model.record import DagProblem

from .mistakes import Mistake

if TYPE_CHECKING:
    from .dag import Dag

YAML_SUFFIX: Final = ".dag.yaml"
"""What the name of a dag file in YAML ends in."""

MOST_PROBLEMS: Final = 100
_LONGEST_TEXT: Final = 2_000
_LONGEST_VALUE: Final = 200
_MOST_NAMES: Final = 12


class Place(NamedTuple):
    """A spot in the author's files. Lines and columns count from 1; 0 is unknown."""

    file: str
    line: int = 0
    column: int = 0
    last_line: int = 0


class Collecting:
    """What one import of a dag file brings up: dags and problems.

    ``sources`` holds the author's own files by path, for excerpts and to know their frames from those of libraries.
    With ``wanted`` only the dag of that id lays out its steps; executors need no other.
    """

    __slots__ = ("counted", "dags", "file", "problems", "seen", "sources", "wanted")

    def __init__(self, file: str, sources: dict[str, bytes], wanted: str | None = None) -> None:
        self.file = file
        self.sources = sources
        self.wanted = wanted
        self.dags: dict[str, Dag] = {}
        self.counted: set[Dag] = set()
        self.problems: list[DagProblem] = []
        self.seen: set[DagProblem] = set()

    def add(self, mistake: Mistake, what: str, help: str = "", place: Place | None = None, near: str = "") -> None:
        """Note a problem once. ``near`` is text of the author's at or after ``place`` to point at more exactly."""
        spot = place or Place(self.file)
        if near:
            spot = self._nearer(spot, near)
        problem = DagProblem(
            file=spot.file,
            code=mistake.value,
            what=_bounded(what),
            line=spot.line,
            column=self._characters(spot),
            help=_bounded(help),
        )
        if problem not in self.seen and len(self.problems) < MOST_PROBLEMS:
            self.seen.add(problem)
            self.problems.append(problem)

    def here(self) -> Place:
        """The innermost spot of the author's own code that is running, else the innermost outside of this package."""
        frame: FrameType | None = caller(1)
        outside: FrameType | None = None
        while frame is not None:
            if frame.f_code.co_filename in self.sources:
                return place_of(frame.f_code, frame.f_lasti)
            if outside is None and not is_ours(frame):
                outside = frame
            frame = frame.f_back
        return Place(self.file) if outside is None else place_of(outside.f_code, outside.f_lasti)

    def raised_at(self, trace: TracebackType | None) -> Place:
        """The innermost spot of the author's own code in a traceback."""
        place = Place(self.file)
        while trace is not None:
            if trace.tb_frame.f_code.co_filename in self.sources:
                place = place_of(trace.tb_frame.f_code, trace.tb_lasti)
            trace = trace.tb_next
        return place

    def _lines(self, file: str) -> list[bytes]:
        return self.sources.get(file, b"").splitlines()

    def _nearer(self, spot: Place, near: str) -> Place:
        """The first place of ``near`` from ``spot`` on: best in quotes, else as whole words, else anywhere."""
        if spot.file.endswith(YAML_SUFFIX):
            near = near.replace("=", ": ", 1)
        word = re.escape(near.encode())
        lines = self._lines(spot.file)
        for wanted in (rb"(['\"])" + word + rb"\1", rb"(?<!\w)" + word + rb"(?!\w)", word):
            for number in range(spot.line, min(max(spot.last_line, spot.line), len(lines)) + 1):
                found = re.search(wanted, lines[number - 1])
                if found:
                    return spot._replace(line=number, column=found.start() + 1)
        return spot

    def _characters(self, spot: Place) -> int:
        """Python counts columns in bytes, people in characters."""
        lines = self._lines(spot.file)
        if not 0 < spot.line <= len(lines) or spot.column < 1:
            return spot.column
        return len(lines[spot.line - 1][: spot.column - 1].decode(errors="replace")) + 1


collecting: Final = ContextVar[Collecting | None]("collecting", default=None)
"""What gathers the problems of the import that is going on. Outside of one, a mistake is raised where it is made."""


def report(mistake: Mistake, what: str, help: str = "", *, place: Place | None = None, near: str = "") -> None:
    """Note a mistake of the author's, at ``place`` or where their code is now, and let them go on to the next.

    Outside of an import that gathers problems there is nobody to show them later: raises DagFileInvalid.
    """
    gathered = collecting.get()
    if gathered is not None:
        gathered.add(mistake, what, help, place or gathered.here(), near)
        return
    alone = Collecting("", {})
    alone.add(mistake, what, help, place or alone.here())
    problem = alone.problems[0]
    raise DagFileInvalid(
        f"[{problem.code}] {what}", problems=(problem,), where=f"{problem.file}:{problem.line}", help=help
    )


def caller(levels: int) -> FrameType:
    """The frame that is ``levels`` calls above the one that asks."""
    return sys._getframe(levels + 1)  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def place_of(code: CodeType, instruction: int) -> Place:
    """The spot in the source that an instruction of compiled code was made from."""
    line, last_line, column, _ = next(islice(code.co_positions(), max(instruction, 0) // 2, None))
    return Place(code.co_filename, line or code.co_firstlineno, 0 if column is None else column + 1, last_line or 0)


def is_ours(frame: FrameType) -> bool:
    """Whether a frame runs code of this package, which authors need not see."""
    name = frame.f_globals.get("__name__")
    return isinstance(name, str) and (name == "ostinato" or name.startswith("ostinato."))


def listed(names: Iterable[str]) -> str:
    """Names as a sentence has them: ``'a', 'b'``; many are cut short."""
    quoted = [repr(name) for name in names]
    shown, rest = quoted[:_MOST_NAMES], quoted[_MOST_NAMES:]
    return ", ".join(shown) + (f", and {len(rest)} more" if rest else "")


def shown(value: object) -> str:
    """A wrong value as a message shows it: plain data as it is written, anything else by its type."""
    if value is None or isinstance(value, str | int | float | date | timedelta):
        text = repr(value)
        return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."
    return f"a {type(value).__module__}.{type(value).__qualname__}"


def did_you_mean(wrong: str, names: Iterable[str], otherwise: str = "") -> str:
    """A question with the name that looks most like ``wrong``, or ``otherwise`` if none does."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed only when something is wrong

    close = get_close_matches(wrong, list(names), n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else otherwise


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]} ... ({len(text):,} characters)"
