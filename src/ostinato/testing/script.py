"""Scripts: how a step ends in a rehearsal, instead of as its function, another dag or a person would have it.

A script reads from left to right: ``takes("5m").fails(2, TransientError).takes("1h").returns(7)``. What fails is for the
next attempts, what a script returns or skips is for all after those; where it says neither, the task's own function is
called. ``takes`` is about what is said after it, and about what is not said at all.
"""

from collections.abc import Callable
from typing import NoReturn, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ostinato.authoring.context import Context
from ostinato.authoring.durations import Duration, seconds
from ostinato.model.errors import NotRehearsable, Skip


class Returning(Struct, frozen=True):
    """Is called in place of a task's function, and returns a value."""

    value: object

    def __call__(self, *_: object, **__: object) -> object:
        """The value, whatever the arguments."""
        return self.value


class Raising(Struct, frozen=True):
    """Is called in place of a task's function, and raises an error."""

    error: Exception

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Raises the error, whatever the arguments."""
        raise self.error.with_traceback(None)


class Act(Struct, frozen=True):
    """One attempt: how many milliseconds it takes, and what is called in place of the task's function, if anything."""

    takes: int = 0
    stand_in: Returning | Raising | None = None


class Script(Struct, frozen=True):
    """How a step ends. Made by `fails`, `skips`, `returns`, `takes` and `arrives`; each adds to it.

    ``first`` are the first attempts, ``further`` is each one after them. ``arrival`` is when that is there which a sensor,
    or a step that needs other intervals, waits for: in milliseconds after it began to wait.
    """

    first: tuple[Act, ...] = ()
    further: Act = Act()
    arrival: int | None = None

    def fails(self, times: int, error: Exception | type[Exception]) -> "Script":
        """The next ``times`` attempts raise ``error``."""
        if times < 1:
            raise NotRehearsable(f"fails({times}, ...) fails at no attempt", help="Count from 1.")
        act = Act(self.further.takes, Raising(error() if isinstance(error, type) else error))
        return replace(self, first=self.first + (act,) * times)

    def skips(self) -> "Script":
        """The attempt ends as skipped."""
        return replace(self, further=Act(self.further.takes, Raising(Skip())))

    def returns(self, value: object) -> "Script":
        """The attempt returns ``value``. What answers, be it a person, returns True or False; a branch what it would."""
        return replace(self, further=Act(self.further.takes, Returning(value)))

    def takes(self, duration: Duration) -> "Script":
        """The attempts from here on take so long, on the rehearsal's clock. Beyond the task's ``timeout`` they are stopped."""
        return replace(self, further=Act(_milliseconds("takes", duration), self.further.stand_in))

    def arrives(self, after: Duration) -> "Script":
        """What is waited for is there so long after the waiting began."""
        return replace(self, arrival=_milliseconds("arrives", after))

    def act(self, number: int) -> Act:
        """What is to happen at an attempt; ``number`` counts from 1."""
        return self.first[number - 1] if number <= len(self.first) else self.further


Outcome: TypeAlias = Script | Callable[[Context], Script | None]
"""A script, or a function that gives the script for an attempt (None: none, the task's own function is called)."""

UNSCRIPTED = Script()


def fails(times: int, error: Exception | type[Exception]) -> Script:
    """The first ``times`` attempts raise ``error``; then the task's own function is called, or what follows in the script."""
    return UNSCRIPTED.fails(times, error)


def skips() -> Script:
    """The task is skipped."""
    return UNSCRIPTED.skips()


def returns(value: object) -> Script:
    """The task returns ``value`` without being called.

    A sensor and a short circuit return True or False, and so does the person whom an approval asks; a branch returns what
    it would. For a call of another dag the value says nothing: that dag's run succeeds.
    """
    return UNSCRIPTED.returns(value)


def takes(duration: Duration) -> Script:
    """The task takes so long, on the rehearsal's clock: nobody waits. Beyond its ``timeout`` it is stopped."""
    return UNSCRIPTED.takes(duration)


def arrives(after: Duration) -> Script:
    """What is waited for is there so long after the waiting began: ``arrives("2h")``.

    It is said of sensors, and of steps that need intervals of dags.
    """
    return UNSCRIPTED.arrives(after)


def _milliseconds(option: str, duration: Duration) -> int:
    return round(seconds(option, duration) * 1000)
