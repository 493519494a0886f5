"""The ``ostinato`` command: finds the command's module by name, runs it, and turns what happened into an exit code.

``--version`` and the root help import nothing but this file's neighbours, so that they answer at once.
"""

import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final

from .commands import BY_NAME, COMMANDS, Command

if TYPE_CHECKING:
    from typer.core import TyperCommand

INTERRUPTED: Final = 130
_HELP: Final = ("--help", "-h")


def main() -> None:
    """Run the command that this process was started with and exit with its code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to stop, by whichever signal: stop in order
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A terminal that cannot show a character still gets the rest; data and messages stay in order in one pipe.
            stream.reconfigure(errors="replace", line_buffering=True)
    raise SystemExit(run(sys.argv[1:]))


def run(words: Sequence[str]) -> int:
    """Run one command line, without the program's name, and return its exit code."""
    if list(words) in (["--version"], ["-V"]):
        return _version()
    if not words or words[0] in (*_HELP, "help"):
        return _help(words[1:])
    verbose, words = _without(words, "--verbose")
    try:
        code = _dispatch(words)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the one place where whatever went wrong becomes words and a code
        from .errors import report  # noqa: PLC0415 - only a failing command pays for it

        code = report(error, words, verbose=verbose)
    if code == INTERRUPTED:
        sys.stderr.write("interrupted\n")
    return code


def _dispatch(words: Sequence[str]) -> int:
    command, spoken, rest = _find(words)
    if any(word in _HELP for word in _before_dashes(rest)):
        from .help import draw_command, draw_group  # noqa: PLC0415 - only help pays for it

        grouped = command.subcommands and len(spoken) == 1
        sys.stdout.write(draw_group(command) if grouped else draw_command(spoken, declared(command, spoken)))
        return 0
    if command.subcommands and len(spoken) == 1:
        spoken = (command.name, command.default)
    result = declared(command, spoken).main(args=list(rest), prog_name=" ".join(spoken), standalone_mode=False)
    sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _find(words: Sequence[str]) -> tuple[Command, tuple[str, ...], Sequence[str]]:
    """The command that the words begin with, the words that name it, and the rest."""
    command = BY_NAME.get(words[0])
    if command is None:
        from .errors import unknown_command  # noqa: PLC0415 - only a failing command pays for it

        raise unknown_command(words[0])
    if command.subcommands and len(words) > 1 and words[1] in command.subcommands:
        return command, (words[0], words[1]), words[2:]
    return command, (words[0],), words[1:]


def declared(command: Command, spoken: Sequence[str]) -> "TyperCommand":
    """The declaration of a command, or of the subcommand that the second word names."""
    from importlib import import_module  # noqa: PLC0415 - the fast paths never come here

    from typer.core import TyperCommand, TyperGroup  # noqa: PLC0415
    from typer.main import get_command  # noqa: PLC0415

    found = get_command(import_module(f".{command.module}", __package__).app)
    if isinstance(found, TyperGroup):
        found = found.commands[spoken[1]]
    if not isinstance(found, TyperCommand):
        raise TypeError(f"{command.module} declares no command")
    return found


def _help(words: Sequence[str]) -> int:
    if words and words[0] in BY_NAME:
        return _dispatch([*words, "--help"])
    from .help import draw_root  # noqa: PLC0415 - the version does not need it

    sys.stdout.write(draw_root(COMMANDS))
    return 0


def _version() -> int:
    from .version import installed_version  # noqa: PLC0415 - nothing else needs it

    sys.stdout.write(f"ostinato {installed_version()}\n")
    return 0


def _before_dashes(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index("--")] if "--" in words else words


def _without(words: Sequence[str], flag: str) -> tuple[bool, list[str]]:
    """Whether the flag stands among the words, and the words without it."""
    head = _before_dashes(words)
    return flag in head, [word for word in head if word != flag] + list(words[len(head) :])
