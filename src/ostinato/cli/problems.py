"""Problems of dag files, drawn as compilers draw them: the place, the line, a mark under the spot, what to do."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from ostinato.model.record import DagProblem
from ostinato.view.documents.dags import ProblemDocument

from .terminal import Ink, plain

Problem = DagProblem | ProblemDocument
"""As it was found, or as it is told: both have what is drawn."""


class Severity(StrEnum):
    """An error keeps a file from being taken over, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


_COLOUR: Final = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def draw_problems(problems: Sequence[Problem], ink: Ink, severity: Severity = Severity.ERROR) -> str:
    """All problems, each with its source line, by file and line."""
    ordered = sorted(problems, key=lambda problem: (problem.file, problem.line, problem.column))
    return "\n\n".join(draw_problem(problem, _source_line(problem), ink, severity) for problem in ordered)


def draw_problem(problem: Problem, line: str | None, ink: Ink, severity: Severity = Severity.ERROR) -> str:
    """One problem; ``line`` is the text it points at, if that is known."""
    colour = _COLOUR[severity]
    drawn = [ink(f"{severity}[{problem.code}]", colour, "bold") + ink(f": {plain(problem.what)}", "bold")]
    drawn.append(f"  {ink('-->', 'blue')} {_place(problem)}")
    if line is not None:
        drawn += _excerpt(problem, line, ink, colour)
    if problem.help:
        drawn.append(f"{ink('help', 'cyan')}: {plain(problem.help)}")
    return "\n".join(drawn)


def _excerpt(problem: Problem, line: str, ink: Ink, colour: str) -> list[str]:
    margin = " " * len(str(problem.line))
    bar = ink(f"{margin} |", "blue")
    excerpt = [bar, f"{ink(f'{problem.line} |', 'blue')} {plain(line)}"]
    if 0 < problem.column <= len(line) + 1:
        before = "".join("\t" if c == "\t" else " " for c in line[: problem.column - 1])
        excerpt.append(f"{bar} {before}{ink('^' * _word_length(line, problem.column - 1), colour, 'bold')}")
    return excerpt


def _word_length(line: str, at: int) -> int:
    """How many characters the mark spans: the name or quoted text that begins there, at least one."""
    if at < len(line) and line[at] in "\"'":
        closing = line.find(line[at], at + 1)
        return closing - at + 1 if closing > 0 else 1
    end = at
    while end < len(line) and (line[end].isalnum() or line[end] == "_"):
        end += 1
    return max(end - at, 1)


def _place(problem: Problem) -> str:
    place = plain(shown_path(problem.file))
    if problem.line:
        place += f":{problem.line}"
        if problem.column:
            place += f":{problem.column}"
    return place


def shown_path(file: str) -> str:
    """A path as short as it is still true from the current folder."""
    path = Path(file)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return file


def _source_line(problem: Problem) -> str | None:
    if problem.line < 1:
        return None
    try:
        with Path(problem.file).open(encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                if number == problem.line:
                    return line.rstrip("\n")
    except OSError:
        return None
    return None
