"""How tasks behave: decided by the seed and by what an attempt is for, so that it is the same in every replay."""

from collections.abc import Sequence
from random import Random
from typing import Final, Literal

from msgspec import Struct

from ostinato.model.message import Call, DeadLetters, Failure
from ostinato.model.record import UNMAPPED
from ostinato.model.spec import DagSpec, OutputOf, TaskSpec
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
    follow: tuple[str, ...] | None = None
    deaf: bool = False


class Part(Struct, frozen=True):
    """What a task is in its dag: what it returns, and what it says besides.

    ``below`` are those right after one that steers, ``always`` those of them that are not its to choose. ``is_list``: a
    scope is for each item of what it returns; ``is_asked``: a loop ends when it returns something true.
    """

    timeout: float | None
    sensor: bool
    steers: str
    below: tuple[str, ...]
    always: tuple[str, ...]
    is_list: bool
    is_asked: bool


def part_of(spec: DagSpec, task_no: int, below: Sequence[int]) -> Part:
    """What a task is in its dag; ``below`` are the tasks that wait for it."""
    task = spec.tasks[task_no]
    always = tuple([spec.tasks[no].task_id for no in below if _tears_down(spec, task, no)])
    return Part(
        timeout=task.timeout,
        sensor=task.kind == "sensor",
        steers=task.kind if task.kind in {"branch", "short_circuit"} else "",
        below=tuple([spec.tasks[no].task_id for no in below if not _tears_down(spec, task, no)]),
        always=always,
        is_list=any(OutputOf(task_no) in dict(scope.over).values() for scope in spec.scopes),
        is_asked=any(scope.until == task_no for scope in spec.scopes),
    )


def _tears_down(spec: DagSpec, before: TaskSpec, no: int) -> bool:
    return spec.tasks[no].role == "teardown" and spec.tasks[no].scope == before.scope


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


def act_of(seed: int, temper: Temper, call: Call, part: Part) -> Act:
    """What one attempt does."""
    index = "" if call.map_index == UNMAPPED else f"[{call.map_index}]"
    chance = Random(f"{seed}/{call.dag_id}/{call.task_id}{index}/{call.start}/{call.run_id}/{call.number}")
    timeout = part.timeout
    takes_ms = chance.randrange(temper.longest_ms)
    deaf = chance.random() < 0.3
    if timeout is not None and chance.random() < 0.3:
        return Act(round(timeout * 1000) * 5 + 10_000, "hangs", deaf=deaf)
    if chance.random() < temper.failing:
        kind = chance.choice(temper.kinds)
        if kind in _EXITS:
            return Act(takes_ms, "dies", kind, exit_code=_EXITS[kind], deaf=deaf)
        return Act(takes_ms, "failed", kind, failure=_FAILURES[kind], deaf=deaf)
    if part.sensor and chance.random() < 0.7:
        return Act(takes_ms, "not_yet", deaf=deaf)
    if chance.random() < 0.1:
        return Act(takes_ms, "skipped", deaf=deaf)
    follow = _followed(chance, part)
    if chance.random() < 0.2:
        return Act(takes_ms, "success", deaf=deaf, follow=follow)
    value = [call.dag_id, call.task_id, call.run_id, call.number, chance.random()]
    output = encode(_returned(chance, part, value))
    return Act(takes_ms, "success", output=output, dead_letters=_dead_letters(chance, call), deaf=deaf, follow=follow)


def _followed(chance: Random, part: Part) -> tuple[str, ...] | None:
    """What a branch or a short circuit lets go on. What always goes on is named in any case."""
    if part.steers == "branch":
        return (*[name for name in part.below if chance.random() < 0.5], *part.always)
    if part.steers == "short_circuit":
        return (*(part.below if chance.random() < 0.5 else ()), *part.always)
    return None


def _returned(chance: Random, part: Part, value: list[object]) -> object:
    """Plain data; a list of items, mostly, if a scope is for each of them; whether it is over, if a loop asks."""
    if part.is_asked:
        return chance.random() < 0.5
    if part.is_list and chance.random() < 0.9:
        return [[number, "item"] for number in range(chance.choice((0, 1, 2, 2, 3, 6)))]
    return value if not part.is_list else "no list"


def _dead_letters(chance: Random, call: Call) -> tuple[DeadLetters, ...]:
    if chance.random() < 0.7:
        return ()
    asset = f"{call.dag_id}.{call.task_id}"
    count = chance.randint(1, 99)
    return (DeadLetters(asset, str(call.start), f"dlq/{asset}/{call.start}", count, {"range": count}),)
