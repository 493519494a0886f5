"""What to tell an author whose file cannot be imported."""

from pathlib import PurePath
from typing import Final

from .check import Collecting, Place
from .mistakes import Mistake

_MOVE_WORK: Final = "a dag file only says what there is to do: move the work into tasks"


class TimeUp(BaseException):
    """The time to import is over. No Exception, so that handlers in the author's code let it pass."""


def note_import_error(gathered: Collecting, error: BaseException) -> None:
    """Add the error that importing a dag file ended with to its problems."""
    place = gathered.raised_at(error.__traceback__)
    if isinstance(error, SyntaxError) and (not error.filename or error.filename in gathered.sources):
        spot = Place(error.filename or gathered.file, error.lineno or 0, _byte_column(error))
        gathered.add(Mistake.SYNTAX, f"this is not valid Python: {error.msg}", "", spot)
    elif isinstance(error, UnicodeDecodeError) and not place.line:
        spot = Place(gathered.file, error.object.count(b"\n", 0, error.start) + 1)
        gathered.add(Mistake.UNREADABLE, f"this is not text in {error.encoding}", "save it as UTF-8", spot)
    elif isinstance(error, ValueError) and not place.line:
        gathered.add(Mistake.SYNTAX, f"this is not valid Python: {text_of(error)}", "", place)
    elif isinstance(error, MemoryError):
        gathered.add(
            Mistake.TOO_MUCH_MEMORY, "importing it took more memory than a dag file may take", _MOVE_WORK, place
        )
    elif isinstance(error, TimeUp):
        gathered.add(Mistake.TOO_SLOW, text_of(error), _MOVE_WORK, place)
    elif isinstance(error, SystemExit):
        what = f"importing it called sys.exit({error.code!r})"
        gathered.add(Mistake.IMPORT, what, "leave that out: a dag file is imported, not run", place)
    else:
        what = f"importing it raised {type(error).__name__}: {text_of(error)}"
        gathered.add(Mistake.IMPORT, what, _import_help(gathered.file, error), place)


def text_of(error: BaseException) -> str:
    """An exception's own words; some have none, and some fail to say them."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an author's exception may do anything
        return "(its text cannot be shown)"


def _byte_column(error: SyntaxError) -> int:
    """Syntax errors count columns in characters, places in bytes."""
    return len((error.text or "")[: (error.offset or 1) - 1].encode(errors="replace")) + 1 if error.offset else 0


def _import_help(file: str, error: BaseException) -> str:
    if isinstance(error, NameError):
        return "define it above the line that uses it"
    if not isinstance(error, ImportError | AttributeError):
        return ""
    stem = PurePath(file).stem
    if (isinstance(error, ImportError) and error.name == stem) or f"'{stem}'" in text_of(error):
        return f"this file hides the module {stem!r} from itself: give it another name"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"install it, or put {error.name.partition('.')[0]}.py beside the dag file"
    return ""
