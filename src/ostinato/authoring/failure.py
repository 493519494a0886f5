"""The facts about an exception that ended a task: what decides about trying again, and what people want to read."""

import linecache
import traceback
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final

from ostinato.model.errors import ErrorClass, OstinatoError
from ostinato.model.message import Failure

from .import_problem import text_of

_MOST_TYPES: Final = 20
_LONGEST_MESSAGE: Final = 2_000
_LONGEST_TRACEBACK: Final = 16_000
_OURS: Final = str(PurePath(__file__).parent.parent)
_ERROR_CLASSES: Final = frozenset(str(known) for known in ErrorClass)
_INTERRUPTED: Final = -2
_STATUSES: Final = range(100, 600)
_SQLSTATE_LENGTH: Final = 5


def failure_of(error: BaseException, sources: Mapping[str, bytes]) -> Failure:
    """What is known of an exception. ``sources`` are the author's files by path; the traceback shows their lines."""
    if isinstance(error, SystemExit | KeyboardInterrupt):
        return Failure(
            how="exited",
            message=_exit_message(error),
            types=types_of(error),
            traceback=folded(error, sources),
            exit_code=_exit_code(error),
        )
    return Failure(
        how="raised",
        message=message_of(error),
        types=types_of(error),
        traceback=folded(error, sources),
        declared=_declared(error),
        code=_code(error),
        http_status=_http_status(error),
        sqlstate=_sqlstate(error),
        errno=_whole(error, "errno"),
    )


def message_of(error: BaseException) -> str:
    """An exception's own words, bounded."""
    text = error.what if isinstance(error, OstinatoError) else text_of(error)
    return text if len(text) <= _LONGEST_MESSAGE else f"{text[:_LONGEST_MESSAGE]} ... ({len(text):,} characters)"


def types_of(error: BaseException) -> tuple[str, ...]:
    """The qualified names of an exception's class and its bases, most special first."""
    return tuple(f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__[:-1][:_MOST_TYPES])


def folded(error: BaseException, sources: Mapping[str, bytes]) -> str:
    """The traceback with the author's own frames; those of libraries are counted, ours left out. Chains are kept."""
    for path, code in sources.items():
        lines = code.decode(errors="replace").splitlines(keepends=True)
        linecache.cache[path] = (len(code), None, lines, path)
    try:
        told = traceback.TracebackException.from_exception(error, compact=True)
        _fold(told, sources, set())
        text = "".join(told.format())
    except Exception as broken:  # noqa: BLE001 - exceptions of authors may do anything while they are printed
        text = f"{types_of(error)[0]}: {text_of(error)}\n(its traceback cannot be shown: {type(broken).__name__})\n"
    return _cut(text)


class _Folded(traceback.StackSummary):
    """Frames, of which those in ``own`` files are shown, from the first of them on."""

    own: Mapping[str, bytes]

    def format(self, **options: Any) -> list[str]:
        frames = [frame for frame in self if not frame.filename.startswith(_OURS)]
        first = next((n for n, frame in enumerate(frames) if frame.filename in self.own), None)
        if first is None:
            return traceback.StackSummary.from_list(frames).format(**options)
        lines: list[str] = []
        group: list[traceback.FrameSummary] = []
        for frame in frames[first:]:
            if group and (frame.filename in self.own) != (group[-1].filename in self.own):
                lines += self._shown(group, options)
                group = []
            group.append(frame)
        return lines + self._shown(group, options)

    def _shown(self, group: list[traceback.FrameSummary], options: dict[str, Any]) -> list[str]:
        if group[0].filename in self.own:
            return traceback.StackSummary.from_list(group).format(**options)
        last = group[-1]
        place = "/".join(PurePath(last.filename).parts[-2:])
        many = f"{len(group)} frames, the last" if len(group) > 1 else "1 frame"
        return [f"  ... {many} in {place}, line {last.lineno}, in {last.name}\n"]


def _fold(told: traceback.TracebackException, own: Mapping[str, bytes], seen: set[int]) -> None:
    if id(told) in seen:
        return
    seen.add(id(told))
    stack = _Folded(told.stack)
    stack.own = own
    told.stack = stack
    for other in (told.__cause__, told.__context__, *(told.exceptions or ())):
        if other is not None:
            _fold(other, own, seen)


def _cut(text: str) -> str:
    """The beginning and the end of a long traceback; the end says what happened."""
    if len(text) <= _LONGEST_TRACEBACK:
        return text
    head, tail = _LONGEST_TRACEBACK // 4, _LONGEST_TRACEBACK * 3 // 4
    return f"{text[:head]}\n  ... ({len(text) - head - tail:,} characters are left out)\n{text[-tail:]}"


def _attribute(error: object, name: str) -> object:
    try:
        return getattr(error, name, None)
    except Exception:  # noqa: BLE001 - a property of an author's exception may raise anything
        return None


def _declared(error: BaseException) -> str | None:
    value = _attribute(error, "error_class")
    return str(value) if isinstance(value, str) and str(value) in _ERROR_CLASSES else None


def _code(error: BaseException) -> str | None:
    value = _attribute(error, "code")
    return value[:200] if isinstance(value, str) and value else None


def _whole(error: object, name: str) -> int | None:
    value = _attribute(error, name)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 31 else None


def _http_status(error: BaseException) -> int | None:
    response = _attribute(error, "response")
    for found in (_whole(error, "status_code"), _whole(response, "status_code"), _whole(error, "code")):
        if found in _STATUSES:
            return found
    return None


def _sqlstate(error: BaseException) -> str | None:
    """From the driver's own exception, or from the one that a library wrapped in its own (``orig``)."""
    for holder in (error, _attribute(error, "orig")):
        for name in ("sqlstate", "pgcode"):
            value = _attribute(holder, name)
            if isinstance(value, str) and len(value) == _SQLSTATE_LENGTH:
                return value
    return None


def _exit_code(error: BaseException) -> int:
    if not isinstance(error, SystemExit):
        return _INTERRUPTED
    if error.code is None:
        return 0
    return error.code if isinstance(error.code, int) else 1


def _exit_message(error: BaseException) -> str:
    if not isinstance(error, SystemExit):
        return "it was interrupted"
    code = "" if error.code is None else repr(error.code)[:200]
    return f"it called sys.exit({code}); a task returns its result, or raises an error"
