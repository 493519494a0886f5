"""Help, drawn from the declarations: for all commands, for a group, for one command with its examples."""

import sys
import textwrap
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from .commands import Command
from .terminal import Ink, columns

if TYPE_CHECKING:
    from typer.core import TyperArgument, TyperCommand, TyperOption

_EXAMPLES = (
    ("ostinato demo", "see everything work"),
    ("ostinato run hello.py", "run a dag of your own"),
    ("ostinato backfill sales --from 2025-01-01 --to 2025-12-31", "run a year"),
    ("ostinato why sales", "ask why nothing runs"),
)
_EVERYWHERE = (
    ("--help, -h", "help, also after a command"),
    ("--json", "one JSON document on stdout, for every command that reads"),
    ("--verbose", "with an error, its trace"),
    ("--version, -V", "which version this is"),
)


def draw_root(commands: Sequence[Command]) -> str:
    """The first page: every command in its section."""
    ink = Ink(sys.stdout)
    lines = ["Ostinato runs partitioned data pipelines: right, recoverable, able to say why.", ""]
    lines += [f"{ink('Usage:', 'bold')} ostinato COMMAND ..."]
    for section, members in groupby(commands, key=lambda command: command.section):
        lines += ["", ink(section, "bold"), *_pairs([(c.name, c.summary) for c in members], ink)]
    lines += ["", ink("Everywhere", "bold"), *_pairs(_EVERYWHERE, ink)]
    lines += ["", ink("Examples", "bold"), *_pairs(_EXAMPLES, ink)]
    lines += [
        "",
        "State is kept in the folder that OSTINATO_HOME names, else in ./.ostinato; or in the database of OSTINATO_STATE.",
    ]
    return "\n".join(lines) + "\n"


def draw_group(command: Command) -> str:
    """A command that has subcommands: each with its own help below."""
    from .main import declared  # noqa: PLC0415 - main imports this module when it needs it

    ink = Ink(sys.stdout)
    parts = [f"{ink(f'ostinato {command.name}', 'bold')}: {command.summary}\n"]
    if command.default:
        parts.append(f"`ostinato {command.name}` without a subcommand means `{command.default}`.\n")
    for sub in command.subcommands:
        spoken = (command.name, sub)
        parts.append(draw_command(spoken, declared(command, spoken)))
    return "\n".join(parts)


def draw_command(spoken: Sequence[str], command: "TyperCommand") -> str:
    """One command: what it does, its words, an example."""
    from typer.core import TyperArgument, TyperOption  # noqa: PLC0415 - the root help does without

    ink = Ink(sys.stdout)
    arguments = [p for p in command.params if isinstance(p, TyperArgument) and not p.hidden]
    options = [p for p in command.params if isinstance(p, TyperOption) and not p.hidden]
    usage = [f"ostinato {' '.join(spoken)}", *map(_usage_of, arguments), *(["[OPTIONS]"] if options else [])]
    lines = [f"{ink('Usage:', 'bold')} {' '.join(usage)}", "", *_paragraphs(command.help or "")]
    rows = [(_name_of(argument), argument.help or "") for argument in arguments]
    rows += [(_option_name(option), _option_help(option)) for option in options]
    if rows:
        lines += ["", *_pairs(rows, ink)]
    if command.epilog:
        examples = [f"  {line}" for line in command.epilog.strip().splitlines()]
        lines += ["", ink("Examples", "bold"), *examples]
    return "\n".join(lines) + "\n"


def _usage_of(argument: "TyperArgument") -> str:
    name = _name_of(argument)
    return name if argument.required else f"[{name}]"


def _name_of(argument: "TyperArgument") -> str:
    name = argument.metavar or (argument.name or "").upper()
    return f"{name}..." if argument.nargs == -1 else name


def _option_name(option: "TyperOption") -> str:
    names = ", ".join(option.opts)
    return names if option.is_flag else f"{names} {option.metavar or (option.name or '').upper()}"


def _option_help(option: "TyperOption") -> str:
    text = option.help or ""
    if option.required:
        return f"{text} (required)"
    if option.is_flag or option.default in (None, "", []):
        return text
    return f"{text} (default {option.default})"


def _paragraphs(text: str) -> list[str]:
    width = min(columns(), 100)
    blocks = textwrap.dedent(text).strip().split("\n\n")
    filled = [textwrap.fill(" ".join(block.split()), width) for block in blocks]
    return "\n\n".join(filled).split("\n")


def _pairs(rows: Sequence[tuple[str, str]], ink: Ink) -> list[str]:
    """Two columns: names, and what they mean, wrapped to the terminal."""
    indent = min(max(len(name) for name, _ in rows), 44) + 4
    width = max(min(columns(), 110) - indent, 30)
    lines: list[str] = []
    for name, meaning in rows:
        first, *more = textwrap.wrap(meaning, width) or [""]
        gap = " " * max(indent - 2 - len(name), 2)
        lines.append(f"  {ink(name, 'cyan')}{gap}{first}".rstrip())
        lines += [" " * indent + line for line in more]
    return lines
