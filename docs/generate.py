"""Write docs/reference from the code that it describes: errors, states, commands, the author's vocabulary.

`python3 do docs` runs it; a test compares the committed pages with what it would write.
"""

import ast
import importlib
import inspect
import json
import os
import pkgutil
import textwrap
from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from types import FunctionType, ModuleType
from unittest.mock import patch

import ostinato
import ostinato.testing
import ostinato_data
from ostinato.authoring.mistakes import MEANING, Mistake
from ostinato.authoring.yaml_words import json_schema
from ostinato.cli.commands import COMMANDS, Command
from ostinato.cli.help import draw_command
from ostinato.cli.main import declared
from ostinato.cli.reference import exit_codes, json_documents
from ostinato.decide.reason import Code
from ostinato.decide.transition import diagrams
from ostinato.model.errors import OstinatoError
from ostinato.model.state import FINAL_ATTEMPT, FINAL_RUN, FINAL_TASK, AttemptState, RunState, TaskState

REFERENCE = Path(__file__).parent / "reference"
NOTICE = "<!-- Written by docs/generate.py from the code. Change it there. -->\n\n"
RANGES = {
    "OST-1": "A definition is wrong",
    "OST-2": "An attempt or a run cannot go on",
    "OST-3": "The state cannot be read or written",
    "OST-4": "What was asked for is not there, or cannot be done now",
    "OST-5": "Data is not what it should be",
    "OST-6": "Another system did not do its part",
    "OST-9": "Our own mistake",
}
"""What the hundreds of error codes stand for."""


def pages() -> dict[str, str]:
    """The text of every generated page by its file name."""
    return {
        "errors.md": NOTICE + errors(),
        "states.md": NOTICE + states(),
        "why.md": NOTICE + reasons(),
        "cli.md": NOTICE + commands(),
        "exit-codes.md": NOTICE + exit_codes(),
        "json.md": NOTICE + json_documents(),
        "dag.schema.json": json.dumps(json_schema(), indent=2) + "\n",
        "api.md": NOTICE + vocabulary("The author's vocabulary", ostinato),
        "testing.md": NOTICE + vocabulary("Rehearsing", ostinato.testing),
        "data.md": NOTICE + vocabulary("The data plane", ostinato_data),
    }


def errors() -> str:
    """Every error that carries a code, by code."""
    known = {mistake.value: (_title(mistake), MEANING[mistake], "", 3) for mistake in Mistake}
    for code, found in coded_errors():
        summary = " ".join(inspect.cleandoc(found.__doc__ or "").split())
        known[code] = (found.__name__, summary, getattr(found, "help", ""), getattr(found, "exit_code", 1))
    parts = [
        "# Errors\n",
        "An error has a code, says what happened and where, and what to do next. Codes are never used again for something else. The",
        "exit code is that of a command that ends with the error.\n",
    ]
    for prefix, title in RANGES.items():
        rows = [(code, *known[code]) for code in sorted(known) if code.startswith(prefix)]
        if rows:
            parts.append(f"## {title}\n\n| code | name | meaning | what to do | exit code |\n|---|---|---|---|---|")
            parts += [f"| {' | '.join(_cell(str(value)) for value in row)} |" for row in rows]
            parts.append("")
    return "\n".join(parts)


def coded_errors() -> list[tuple[str, type[Exception]]]:
    """Every exception class of both packages that has a code of its own, the abstract root of them left out."""
    named = [found for module in modules(ostinato, ostinato_data) for found in vars(module).values()]
    raised = {found for found in named if isinstance(found, type) and issubclass(found, Exception)}
    return [(vars(found)["code"], found) for found in raised - {OstinatoError} if vars(found).get("code")]


def states() -> str:
    """The three state machines: what can be final, and a diagram drawn from the transition tables."""
    finals = {
        "run": (RunState, FINAL_RUN),
        "task instance": (TaskState, FINAL_TASK),
        "attempt": (AttemptState, FINAL_ATTEMPT),
    }
    parts = [
        "# States\n",
        "What moves is a run, a task instance or an attempt; what moves it is a cause. The diagrams are drawn from the tables that decide: a",
        "move that is not drawn is refused. A final state never moves.\n",
    ]
    for name, diagram in diagrams().items():
        members, final = finals[name]
        summary = inspect.cleandoc(members.__doc__ or "")
        listed = ", ".join(f"**{state}**" if state in final else state for state in members)
        parts.append(
            f"## {name.capitalize()}\n\n{summary}\n\n{listed} (final states in bold)\n\n```mermaid\n{diagram}```\n"
        )
    return "\n".join(parts)


def reasons() -> str:
    """The codes that `ostinato why` gives."""
    parts = ["# Reasons\n", "What `ostinato why` answers with. A code is never used again for something else.\n"]
    parts += [" ".join(inspect.cleandoc(Code.__doc__ or "").split()) + "\n", "| code | reason |\n|---|---|"]
    parts += [f"| {code} | {code.name.replace('_', ' ').lower()} |" for code in Code]
    return "\n".join(parts) + "\n"


def commands() -> str:
    """Every command as its own help shows it."""
    parts = ["# Commands\n"]
    parts.append(
        "The same as `ostinato COMMAND --help`. State is kept in the folder that `OSTINATO_HOME` names, else in `./.ostinato`, or\nin the database that `OSTINATO_STATE` names.\n"
    )
    # Help looks at where it is printed for its width and colours: the page has the same of both wherever it is made.
    with redirect_stdout(StringIO()), patch.dict(os.environ, {"COLUMNS": "100"}):
        for command in COMMANDS:
            parts.append(f"## ostinato {command.name}\n\n{command.summary[:1].upper()}{command.summary[1:]}.\n")
            parts += [f"```text\n{draw_command(words, declared(command, words))}```\n" for words in spoken(command)]
    return "\n".join(parts)


def spoken(command: Command) -> Iterator[tuple[str, ...]]:
    """The words that lead to each declaration of a command."""
    if command.subcommands:
        yield from ((command.name, sub) for sub in command.subcommands)
    else:
        yield (command.name,)


def vocabulary(title: str, package: ModuleType) -> str:
    """The public names of a package, each with its signature and docstring."""
    parts = [f"# {title}\n", f"`{package.__name__}`: {_prose(package.__doc__)}\n"]
    for name in package.__all__:
        thing = getattr(package, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            parts.append(f"## {name}\n\n{_declared(thing)}")
        if inspect.isclass(thing):
            parts += [f"**`.{method.__name__}`**\n\n{_declared(method)}" for method in methods(thing)]
    return "\n".join(parts)


def methods(thing: type) -> list[FunctionType]:
    """The public functions and properties that a class itself defines and describes."""
    own = [one.fget if isinstance(one, property) else one for one in vars(thing).values()]
    return [one for one in own if inspect.isfunction(one) and one.__doc__ and not one.__name__.startswith("_")]


def signature(thing: type | FunctionType) -> str:
    """How something is declared, as its author wrote it: a function's head, a class with its public fields."""
    source = textwrap.dedent(inspect.getsource(thing))
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.ClassDef | ast.FunctionDef), f"{thing} is declared in an unknown way"
    first = min([node.lineno, *(one.lineno for one in node.decorator_list if ast.unparse(one) == "property")])
    head = "\n".join(source.splitlines()[first - 1 : node.body[0].lineno - 1]).rstrip(" :\n")
    fields = [one for one in node.body if isinstance(one, ast.AnnAssign)]
    public = [one for one in fields if not ast.unparse(one.target).startswith("_")]
    return "\n    ".join([head, *(ast.get_source_segment(source, field) or "" for field in public)])


def modules(*packages: ModuleType) -> Iterator[ModuleType]:
    """Every module of the packages but those that are programs."""
    for package in packages:
        yield package
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if (
                not found.name.endswith("__main__")
                and ".migrations" not in found.name
                and ".examples" not in found.name
            ):
                yield importlib.import_module(found.name)


def _declared(thing: type | FunctionType) -> str:
    return f"```text\n{signature(thing)}\n```\n\n{_prose(thing.__doc__)}\n"


def _title(mistake: Mistake) -> str:
    return mistake.name.replace("_", " ").capitalize()


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|").replace("\n", " ")


def _prose(doc: str | None) -> str:
    """A docstring as Markdown: its double backticks become single ones, its literal blocks are indented as they are."""
    return inspect.cleandoc(doc or "").replace("``", "`").replace("::\n", ":\n")


def main() -> None:
    """Write every page and say which ones changed."""
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages().items():
        path = REFERENCE / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print("written:", path.relative_to(REFERENCE.parent.parent))


if __name__ == "__main__":
    main()
