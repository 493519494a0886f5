"""The author's vocabulary is small, documented and quick to import."""

import subprocess
import sys

import ostinato
from ostinato.authoring.mistakes import MEANING, Mistake

HEAVY = (
    "sqlalchemy",
    "alembic",
    "asyncio",
    "typer",
    "rich",
    "httpx",
    "cronsim",
    "subprocess",
    "logging",
    "threading",
    "sqlite3",
)


def test_importing_the_vocabulary_imports_nothing_heavy() -> None:
    counted = "import sys, zoneinfo; had = {*sys.modules}; import ostinato"  # zoneinfo brings threading in Python 3.12
    script = f"{counted}; print([name for name in {HEAVY!r} if name in sys.modules and name not in had])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_every_word_has_a_docstring() -> None:
    assert [name for name in ostinato.__all__ if not getattr(ostinato, name).__doc__] == []


def test_every_word_that_is_offered_is_there() -> None:
    assert ostinato.__all__ == sorted(ostinato.__all__)
    assert all(hasattr(ostinato, name) for name in ostinato.__all__)


def test_every_mistake_has_a_meaning_and_a_code_of_its_own() -> None:
    assert set(MEANING) == set(Mistake)
    assert len({mistake.value for mistake in Mistake}) == len(Mistake)
