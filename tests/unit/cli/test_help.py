"""Help: there for every command, with examples that the commands understand."""

import resource
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version

import pytest

from ostinato.cli.commands import COMMANDS
from ostinato.cli.exit_codes import EXIT_CODES
from ostinato.cli.main import declared
from tests.unit.cli.planting import Answer

WORDS = [
    (command, (command.name, sub) if sub else (command.name,))
    for command in COMMANDS
    for sub in command.subcommands or ("",)
]
NAMES = [" ".join(words) for _, words in WORDS]
EXAMPLES = [
    (command, words, line) for command, words in WORDS for line in (declared(command, words).epilog or "").splitlines()
]


@pytest.mark.parametrize("words", [words for _, words in WORDS], ids=NAMES)
def test_every_command_has_help_with_an_example(ostinato: Callable[..., Answer], words: tuple[str, ...]) -> None:
    answer = ostinato(*words, "--help")
    assert answer.code == 0
    assert answer.out.startswith(f"Usage: ostinato {' '.join(words)}")
    assert f"Examples\n  ostinato {words[0]}" in answer.out
    assert answer.err == ""


@pytest.mark.parametrize(("command", "words", "line"), EXAMPLES, ids=[line for _, _, line in EXAMPLES])
def test_every_example_is_understood(command, words: tuple[str, ...], line: str) -> None:
    typed = line.partition("   (")[0].split()
    assert typed[0] == "ostinato"
    assert typed[1] == command.name
    rest = typed[2:]
    if command.subcommands and rest and rest[0] in command.subcommands:
        assert (typed[1], rest[0]) == words
        rest = rest[1:]
    context = declared(command, words).make_context(line, rest)
    assert context.params


@pytest.mark.parametrize("words", [("--help",), ("-h",), ("help",), ()])
def test_the_first_page_names_every_command(ostinato: Callable[..., Answer], words: tuple[str, ...]) -> None:
    answer = ostinato(*words)
    assert answer.code == 0
    assert all(f"  {command.name} " in answer.out for command in COMMANDS)


def test_help_for_a_command_can_be_asked_in_three_ways(ostinato: Callable[..., Answer]) -> None:
    first, second, third = ostinato("help", "runs"), ostinato("runs", "--help"), ostinato("runs", "sales", "-h")
    assert first.out == second.out == third.out != ""


def test_the_version_is_told_in_one_line(ostinato: Callable[..., Answer]) -> None:
    assert ostinato("--version").out == f"ostinato {version('ostinato')}\n"


def test_help_and_version_load_neither_the_database_nor_the_drawing_library() -> None:
    script = (
        "import sys\nfrom ostinato.cli.main import run\n"
        "run(['--help']); run(['--version'])\n"
        "print([name for name in ('sqlalchemy', 'typer', 'rich', 'alembic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", ["--version", "--help"])
def test_how_much_processor_time_it_takes(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    spent: list[float] = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([sys.executable, "-m", "ostinato", words], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.stdout
    with capsys.disabled():
        sys.stdout.write(f"\nostinato {words}: {min(spent) * 1_000:.0f} ms of processor time\n")


def test_the_exit_codes_of_all_errors_are_documented() -> None:
    from ostinato.cli.waiting import WaitedTooLong  # noqa: PLC0415
    from ostinato.model import errors  # noqa: PLC0415

    known = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.OstinatoError)]
    assert {one.exit_code for one in [*known, WaitedTooLong]} <= set(EXIT_CODES)
