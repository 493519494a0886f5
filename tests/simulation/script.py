"""How tasks behave: decided by the seed and by what an attempt is for, so that it is the same in every replay."""

from random import Random
from typing import Final, Literal

from msgspec import Struct

from ostinato.model.message import Call, DeadLetters, Failure
from ostinato.model.value import encode

Ending = Literal["success", "skipped", "not_yet", "failed", "dies", "hangs"]

CLASS_OF: Final = {
    "transient": "transient",
    "timeout": "transient",
    "resource": "resource",
    "no_space": "resource",
    "logic": "logic",
    "bug": "logic",
    "unstorable": "logic",
    "exit_3": "logic",
    "out_of_memory": "resource",
}
"""What kinds of failure there are, and the class that each of them has."""

_FAILURES: Final = {
    "transient": Failure("raised", "blip", ("ostinato.model.errors.TransientError",), declared="transient"),
    "timeout": Failure("raised", "timed out", ("builtins.TimeoutError", "builtins.OSError"), errno=110),
    "resource": Failure("raised", "quota", ("ostinato.model.errors.ResourceError",), declared="resource"),
    "no_space": Failure("raised", "No space left", ("builtins.OSError", "builtins.Exception"), errno=28),
    "logic": Failure("raised", "wrong", ("ostinato.model.errors.LogicError",), declared="logic"),
    "bug": Failure("raised", "'price'", ("builtins.KeyError", "builtins.LookupError")),
    "unstorable": Failure("unstorable", "a set is not plain data", code="OST-201"),
}
_EXITS: Final = {"exit_3": 3, "out_of_memory": -9}


class Act(Struct, frozen=True):
    """What an attempt does: it takes ``takes_ms``, then ends so. ``kind`` names the failure, ``exit_code`` the death.

    ``deaf``: a polite request to stop does not reach it.
    """

    takes_ms: int
    ending: Ending
    kind: str = ""
    exit_code: int = 0
    failure: Failure | None = None
    output: bytes | None = None
    dead_letters: tuple[DeadLetters, ...] = ()
    deaf: bool = False


class Temper(Struct, frozen=True):
    """How likely tasks are to fail, and how long they take at most."""

    failing: float
    longest_ms: int
    kinds: tuple[str, ...]


def temper_of(random: Random) -> Temper:
    """A temper by chance."""
    kinds = sorted(CLASS_OF)
    return Temper(
        failing=random.choice((0.0, 0.1, 0.4)),
        longest_ms=random.choice((1, 5, 300, 4_000)),
        kinds=tuple(random.sample(kinds, random.randint(1, len(kinds)))),
    )


def act_of(seed: int, temper: Temper, call: Call, *, sensor: bool, timeout: float | None) -> Act:
    """What one attempt does."""
    chance = Random(f"{seed}/{call.dag_id}/{call.task_id}/{call.start}/{call.run_id}/{call.number}")
    takes_ms = chance.randrange(temper.longest_ms)
    deaf = chance.random() < 0.3
    if timeout is not None and chance.random() < 0.3:
        return Act(round(timeout * 1000) * 5 + 10_000, "hangs", deaf=deaf)
    if chance.random() < temper.failing:
        kind = chance.choice(temper.kinds)
        if kind in _EXITS:
            return Act(takes_ms, "dies", kind, exit_code=_EXITS[kind], deaf=deaf)
        return Act(takes_ms, "failed", kind, failure=_FAILURES[kind], deaf=deaf)
    if sensor and chance.random() < 0.7:
        return Act(takes_ms, "not_yet", deaf=deaf)
    if chance.random() < 0.1:
        return Act(takes_ms, "skipped", deaf=deaf)
    if chance.random() < 0.2:
        return Act(takes_ms, "success", deaf=deaf)
    value = [call.dag_id, call.task_id, call.run_id, call.number, chance.random()]
    return Act(takes_ms, "success", output=encode(value), dead_letters=_dead_letters(chance, call), deaf=deaf)


def _dead_letters(chance: Random, call: Call) -> tuple[DeadLetters, ...]:
    if chance.random() < 0.7:
        return ()
    asset = f"{call.dag_id}.{call.task_id}"
    count = chance.randint(1, 99)
    return (DeadLetters(asset, str(call.start), f"dlq/{asset}/{call.start}", count, {"range": count}),)
