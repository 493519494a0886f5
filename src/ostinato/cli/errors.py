"""The one place where an error becomes words: what happened, where, what to do; and never a raw trace of ours."""

import os
import sys
import tempfile
import traceback
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from ostinato.model.errors import DagFileInvalid, NotFound, OstinatoError, OurMistake, UsageError

from .commands import BY_NAME
from .terminal import Ink, out_json, plain, say

if TYPE_CHECKING:
    from ostinato.model.record import DagProblem


def report(error: Exception, words: Sequence[str], *, verbose: bool) -> int:
    """Say what went wrong on stderr, and as a JSON document on stdout where one was asked for; return the exit code."""
    known = understood(error, words)
    ink = Ink(sys.stderr)
    say(draw(known, ink))
    if verbose:
        say(ink("".join(traceback.format_exception(error)).rstrip(), "dim"))
    if "--json" in words:
        out_json({"schema": "error/1", "error": _document(known)})
    return known.exit_code


def understood(error: Exception, words: Sequence[str]) -> OstinatoError:
    """The error as one of ours: as it is, as a usage error, or as our own mistake with a file that tells more."""
    if isinstance(error, OstinatoError):
        error.help = error.help or _next_best(error, words)
        return error
    if _is_usage(error):
        return UsageError(_sentence(error), help=f"See `ostinato {_named(words)}--help`.")
    return OurMistake(
        f"this is our mistake: {type(error).__name__}: {error}",
        where=_crash_file(error, words),
        help="Please report it with that file; `--verbose` shows the trace here.",
    )


def unknown_command(word: str) -> UsageError:
    """The error for a word that names no command, with the commands that look like it."""
    return UsageError(f'there is no command "{word}"', help=did_you_mean(word, BY_NAME) or "See `ostinato --help`.")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question that offers the known names closest to a word; empty where none is close."""
    close = get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(close)}?" if close else ""


def draw(error: OstinatoError, ink: Ink) -> str:
    """An error as people read it."""
    if isinstance(error, DagFileInvalid) and error.problems:
        from .problems import draw_problems  # noqa: PLC0415 - only broken dag files need it

        problems: tuple[DagProblem, ...] = error.problems  # pyright: ignore[reportAssignmentType]
        return draw_problems(problems, ink)
    lines = [ink(f"error[{error.code}]", "red", "bold") + ink(f": {plain(error.what)}", "bold")]
    if error.where:
        lines.append(f"  {ink('-->', 'blue')} {plain(error.where)}")
    if error.help:
        lines.append(f"{ink('help', 'cyan')}: {plain(error.help)}")
    return "\n".join(lines)


def _document(error: OstinatoError) -> dict[str, object]:
    found: dict[str, object] = {"code": error.code, "what": error.what, "where": error.where, "help": error.help}
    if isinstance(error, DagFileInvalid):
        found["problems"] = error.problems
    return found


def _next_best(error: OstinatoError, words: Sequence[str]) -> str:
    """What to do about an error that does not say so itself: look where the names, or the words, are listed."""
    if isinstance(error, UsageError):
        return f"See `ostinato {_named(words)}--help`."
    if isinstance(error, NotFound):
        return f"`ostinato {'backfill ls' if words[0] == 'backfill' else 'runs'}` lists those there are."
    return ""


def _is_usage(error: Exception) -> bool:
    """Whether the command line did not fit its declaration. Such an error comes only from a loaded typer."""
    typer = sys.modules.get("typer")
    return typer is not None and isinstance(error, typer.TyperException)


def _sentence(error: Exception) -> str:
    """The parser's message as one of our sentences: lower case first, no full stop."""
    text = str(getattr(error, "format_message", error.__str__)()).strip().replace("\n", " ").removesuffix(".")
    return text[:1].lower() + text[1:]


def _named(words: Sequence[str]) -> str:
    command = BY_NAME.get(words[0]) if words else None
    if command is None:
        return ""
    sub = words[1] if len(words) > 1 and words[1] in command.subcommands else ""
    return f"{command.name} {sub} ".replace("  ", " ")


def _crash_file(error: Exception, words: Sequence[str]) -> str:
    """Write all that is known of the error to a file of its owner's, under the state folder if that can be."""
    home = Path(os.environ.get("OSTINATO_HOME") or ".ostinato")
    text = f"ostinato {_named(words)}\nPython {sys.version}\n\n{''.join(traceback.format_exception(error))}"
    for folder in (home / "crashes", None):
        try:
            if folder is not None:
                folder.mkdir(mode=0o700, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix="crash-", suffix=".txt", dir=folder, text=True)
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
        except OSError:
            continue  # no state folder, or a full disk: the temporary folder, else the terminal alone
        return name
    return ""
