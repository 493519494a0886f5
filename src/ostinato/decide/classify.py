"""What kind of failure it was, from the facts alone. Tables say it, one for each kind of key; messages are never read.

Asked in this order, the first that knows decides: the class that the exception declares; how the attempt ended; an
error code of another system; an HTTP status; an SQLSTATE; the exception's class and its bases, most special first; an
operating system's errno. Where nothing is known, trying again is not known to help: it is a logic error.

*Transient* means that it may work at once, *resource* that it may work after a while, when there is room again.
"""

import errno
import signal
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from ostinato.model.errors import ErrorClass
from ostinato.model.message import Failure

from .known_failures import CODES, ERRNOS, EXCEPTIONS, EXIT_CODES, HTTP, SIGNALS, SQLSTATES

_CLASSES: Final = frozenset(ErrorClass)
_SIGNAL_NAMES: Final = {int(known): known.name for known in signal.Signals}
_SIGNALLED: Final = 128
"""A shell reports a command that signal ``n`` ended with exit code 128 + n."""
_HTTP_ERROR: Final = 400
_HTTP_SERVER_ERROR: Final = 500

_BY_HOW: Final[Mapping[str, tuple[ErrorClass, str]]] = {
    "timed_out": (ErrorClass.RESOURCE, "out of time"),
    "out_of_memory": (ErrorClass.RESOURCE, "out of memory"),
    "lost": (ErrorClass.RESOURCE, "agent lost"),
    "unstorable": (ErrorClass.LOGIC, "result not storable"),
    "unloadable": (ErrorClass.LOGIC, "code not loadable"),
}
"""``timed_out`` is a resource error: what took too long once is likely to again at once, but perhaps not on a calmer
machine or against a calmer source; that it can be retried at all is bounded by the budget."""


class Classified(Struct, frozen=True):
    """The class of a failure, and the rule that says so, in a few words for people."""

    error_class: ErrorClass
    rule: str


def classify(failure: Failure) -> Classified:
    """The class of a failure. Every failure has one."""
    if failure.declared in _CLASSES:
        return Classified(ErrorClass(failure.declared), f"the exception declares {failure.declared}")
    by_how = _BY_HOW.get(failure.how)
    if by_how is not None:
        return Classified(*by_how)
    if failure.how != "raised":
        return _of_exit(failure.exit_code)
    return (
        _of_code(failure.code)
        or _of_http_status(failure.http_status)
        or _of_sqlstate(failure.sqlstate)
        or _of_exception(failure.types)
        or _of_errno(failure.errno, failure.types)
        or Classified(ErrorClass.LOGIC, "no rule says that trying again helps")
    )


def _of_exit(code: int | None) -> Classified:
    """Of a process that ended by itself or by a signal; ``code`` is negative for a signal."""
    if code is None:
        return Classified(ErrorClass.LOGIC, "exit code unknown")
    if code < 0:
        return Classified(SIGNALS.get(-code, ErrorClass.LOGIC), _SIGNAL_NAMES.get(-code, f"signal {-code}"))
    if code - _SIGNALLED in _SIGNAL_NAMES:
        number = code - _SIGNALLED
        return Classified(SIGNALS.get(number, ErrorClass.LOGIC), f"exit code {code} ({_SIGNAL_NAMES[number]})")
    return Classified(EXIT_CODES.get(code, ErrorClass.LOGIC), f"exit code {code}")


def _of_code(code: str | None) -> Classified | None:
    known = CODES.get(code) if code else None
    return Classified(known, f"error code {code}") if known else None


def _of_http_status(status: int | None) -> Classified | None:
    """Those that are listed; else any other 5xx is the server's passing trouble, any other 4xx our own mistake."""
    if status is None or status < _HTTP_ERROR:
        return None
    of_the_rest = ErrorClass.LOGIC if status < _HTTP_SERVER_ERROR else ErrorClass.TRANSIENT
    return Classified(HTTP.get(status, of_the_rest), f"HTTP {status}")


def _of_sqlstate(state: str | None) -> Classified | None:
    """By the whole SQLSTATE or its class, the first two characters. HY is what drivers say when they know nothing."""
    if state is None or state.startswith("HY"):
        return None
    known = SQLSTATES.get(state) or SQLSTATES.get(state[:2]) or ErrorClass.LOGIC
    return Classified(known, f"SQLSTATE {state}")


def _of_exception(types: tuple[str, ...]) -> Classified | None:
    for name in types:
        known = EXCEPTIONS.get(name)
        if known:
            return Classified(known, f"exception {name.removeprefix('builtins.')}")
    return None


def _of_errno(number: int | None, types: tuple[str, ...]) -> Classified | None:
    """Only an OSError's: other exceptions have numbers of their own under that name."""
    if number is None or "builtins.OSError" not in types:
        return None
    known = ERRNOS.get(number)
    return Classified(known, f"errno {errno.errorcode[number]}") if known else None
