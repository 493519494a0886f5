"""Scripts: how the attempts of a task end in a rehearsal, instead of as its function would have it.

A script reads from left to right: ``takes("5m").fails(2, TransientError).takes("1h").returns(7)``. What fails is for the
next attempts, what a script returns or skips is for all after those; where it says neither, the task's own function is
called. ``takes`` is about what is said after it, and about what is not said at all.
"""

from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from ostinato.authoring.context import Context
from ostinato.authoring.durations import Duration, seconds
from ostinato.model.errors import NotRehearsable, Skip

StandIn = Callable[..., object]


class Act(Struct, frozen=True):
    """One attempt: how many milliseconds it takes, and what is called in place of the task's function, if anything."""

    takes: int = 0
    stand_in: StandIn | None = None


class Script(Struct, frozen=True):
    """How the attempts of a task end. Made by `fails`, `skips`, `returns`, `takes` and `arrives`; each adds to it.

    ``first`` are the first attempts, ``further`` is each one after them. ``arrival`` is what a sensor waits for, in
    milliseconds after its first look.
    """

    first: tuple[Act, ...] = ()
    further: Act = Act()
    arrival: int | None = None

    def fails(self, times: int, error: Exception | type[Exception]) -> "Script":
        """The next ``times`` attempts raise ``error``."""
        if times < 1:
            raise NotRehearsable(f"fails({times}, ...) fails at no attempt", help="Count from 1.")
        act = Act(self.further.takes, _raising(error() if isinstance(error, type) else error))
        return replace(self, first=self.first + (act,) * times)

    def skips(self) -> "Script":
        """The attempt ends as skipped."""
        return replace(self, further=Act(self.further.takes, _raising(Skip())))

    def returns(self, value: object) -> "Script":
        """The attempt returns ``value``. A sensor returns True or False, a branch what it would return."""
        return replace(self, further=Act(self.further.takes, lambda *_, **__: value))

    def takes(self, duration: Duration) -> "Script":
        """The attempts from here on take so long, on the rehearsal's clock. Beyond the task's ``timeout`` they are stopped."""
        return replace(self, further=Act(_milliseconds("takes", duration), self.further.stand_in))

    def arrives(self, after: Duration) -> "Script":
        """What a sensor waits for is there so long after its first look."""
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
    """The task returns ``value`` without being called. A sensor returns True or False, a branch what it would return."""
    return UNSCRIPTED.returns(value)


def takes(duration: Duration) -> Script:
    """The task takes so long, on the rehearsal's clock: nobody waits. Beyond its ``timeout`` it is stopped."""
    return UNSCRIPTED.takes(duration)


def arrives(after: Duration) -> Script:
    """What a sensor waits for is there so long after its first look: ``arrives("2h")``."""
    return UNSCRIPTED.arrives(after)


def _milliseconds(option: str, duration: Duration) -> int:
    return round(seconds(option, duration) * 1000)


def _raising(error: Exception) -> StandIn:
    def stand_in(*_: object, **__: object) -> object:
        raise error.with_traceback(None)

    return stand_in
