"""Asking again before something is done that cannot be taken back."""

import sys
from typing import Annotated

import typer

from ostinato.model.errors import OstinatoError, UsageError

Yes = Annotated[bool, typer.Option("--yes", "-y", help="do not ask again; needed where nobody can answer")]


class NotConfirmed(OstinatoError):
    """The answer to the question whether to go on was no. Nothing was done."""

    code = "OST-267"


def confirm(question: str, *, yes: bool) -> None:
    """Ask at the terminal, unless ``yes`` was said already. Raises NotConfirmed for a no.

    Raises UsageError where there is no terminal to ask at.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nobody can be asked here whether to go on", help="Say --yes.")
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise NotConfirmed("nothing was done")
