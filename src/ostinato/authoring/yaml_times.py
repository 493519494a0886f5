"""The times of a dag in YAML: its schedule, its bounds, its deadline."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final, TypeVar

from msgspec import UNSET, convert, structs

from ostinato.model.spec import Schedule, Ticking

from .after import after
from .calendars import calendar, continuous, moments
from .check import report, shown
from .mistakes import Mistake
from .schedule import by, cron, every
from .yaml_steps import at
from .yaml_text import Document, Path
from .yaml_words import (
    TICKING,
    AfterWords,
    CalendarWords,
    ContinuousWords,
    DagWords,
    DeadlineWords,
    MomentsWords,
    Words,
)

D = TypeVar("D", bound=date)

_MAKERS: Final[dict[str, Callable[..., Ticking]]] = {"cron": cron, "every": every}
_PATH: Final[Path] = ("schedule",)


def times(words: DagWords, document: Document) -> dict[str, Any]:
    """What ``@dag`` is given of a document's times."""
    found: dict[str, Any] = {}
    if isinstance(words.schedule, dict):
        found["schedule"] = _schedule(words.schedule, document)
    if isinstance(words.deadline, DeadlineWords):
        found["deadline"] = at(document.place(("deadline",)), by, words.deadline.by, tz=words.deadline.tz)
    for name in ("start", "end"):
        text = getattr(words, name)
        if text is not UNSET:
            found[name] = _read((date, datetime), text, document, (name,))
    return found


def _schedule(written: dict[str, Any], document: Document) -> Schedule:
    place = document.place(_PATH)
    if "after" in written:
        words = convert(written, AfterWords)
        names = [words.after] if isinstance(words.after, str) else words.after
        return at(place, after, *names, each=_ticking(words.each, document, (*_PATH, "each")))
    if "continuous" in written:
        return at(place, continuous, **_given(convert(written, ContinuousWords).continuous))
    return _ticking(written, document, _PATH)


def _ticking(written: dict[str, Any], document: Document, path: Path) -> Ticking:
    kind = next(key for key in TICKING if key in written)
    words, place = convert(written, TICKING[kind]), document.place(path)
    match words:
        case CalendarWords(calendar=base, dates=dates):
            options = _given(words, "calendar")
            if dates:
                options["dates"] = _all((date,), dates, document, (*path, "dates"))
            return at(place, calendar, at(place, cron, base.cron, **_given(base, "cron")), **options)
        case MomentsWords(moments=texts):
            found = _all((datetime,), texts, document, (*path, "moments"))
            return at(place, moments, found, **_given(words, "moments"))
        case _:
            return at(place, _MAKERS[kind], getattr(words, kind), **_given(words, kind))


def _given(words: Words, *but: str) -> dict[str, Any]:
    """The options that are written down."""
    return {name: value for name, value in structs.asdict(words).items() if value is not UNSET and name not in but}


def _all(kinds: Sequence[type[D]], texts: list[str], document: Document, path: Path) -> list[D]:
    found = [_read(kinds, text, document, (*path, number)) for number, text in enumerate(texts)]
    return [each for each in found if each is not None]


def _read(kinds: Sequence[type[D]], text: str, document: Document, path: Path) -> D | None:
    """The date or moment that is written down. What is none is reported."""
    for kind in kinds:
        try:
            return kind.fromisoformat(text)
        except ValueError:
            continue
    example = "2024-01-01" if date in kinds else "2024-01-01T06:00"
    what = f"{path[0]}: {shown(text)} is not a {' or '.join(kind.__name__ for kind in kinds)}"
    report(Mistake.BAD_DATE, what, f"write it as {example}", place=document.place(path))
    return None
