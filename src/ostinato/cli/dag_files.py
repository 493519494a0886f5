"""Which files people mean when they name files and folders of dags."""

from collections.abc import Iterable
from pathlib import Path

from ostinato.authoring.check import YAML_SUFFIX
from ostinato.model.errors import NotFound, UsageError


def existing(texts: Iterable[str]) -> list[Path]:
    """The paths that the words name. Raises NotFound for one that is not there, UsageError for one that is no Python."""
    return [_existing(text) for text in texts]


def dag_file(text: str) -> Path:
    """The one dag file that a word names, absolute. Raises NotFound or UsageError."""
    path = _existing(text)
    if path.is_dir():
        raise UsageError(f"{text} is a folder", help="Name one file in it.")
    return path


def _existing(text: str) -> Path:
    path = Path(text).absolute()
    try:
        found = path.exists()
    except OSError as error:  # a name that no file can have
        raise NotFound(f"there is no file {text[:200]}", help=error.strerror or "") from error
    if not found:
        raise NotFound(f"there is no file {text}", help="Name the Python file that defines the dag, or its folder.")
    if not path.is_dir() and path.suffix != ".py" and not path.name.endswith(YAML_SUFFIX):
        raise UsageError(f"{text} is no dag file", help=f"A dag file ends in .py or {YAML_SUFFIX}.")
    return path
