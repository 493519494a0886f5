"""What is known only in a run, and refuses everything but being handed on while a dag is laid out."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from .check import report
from .mistakes import Mistake


class LayoutStopped(Exception):
    """Leaves a dag's function after a mistake that nothing can stand in for."""


class Unknown:
    """Stands for a value of a run. It can be given to a task, and nothing else can be done with it."""

    __slots__ = ()

    @property
    def described(self) -> str:
        """What it stands for, as a message says it."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Unknown):
            refuse(self, "compared")
        return self is other

    __hash__ = object.__hash__

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name.startswith("_"):
                raise AttributeError(name)
            return refuse(self, f"asked for its {name!r}")


def refuse(value: Unknown, action: str) -> object:
    """Report that something is done with a value that is not known yet."""
    report(
        Mistake.OUTPUT_UNKNOWN,
        f"{value.described} is {action}, but it is known only in a run",
        "give it to another task and do that there",
    )
    raise LayoutStopped


def _trap(action: str) -> Callable[..., object]:
    def trapped(self: Unknown, *_: object) -> object:
        return refuse(self, action)

    return trapped


_ARITHMETIC: Final = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor")
_TRAPS: Final = {
    "tested": ("bool",),
    "turned into text": ("str", "format"),
    "turned into a number": ("int", "float", "index", "complex"),
    "looked into": ("len", "iter", "next", "getitem", "contains", "reversed"),
    "changed": ("setitem", "delitem"),
    "called": ("call",),
    "used with `<<`, which is `>>` backwards": ("lshift", "rlshift"),
    "compared": ("lt", "le", "gt", "ge"),
    "entered": ("enter", "exit"),
    "calculated with": (*_ARITHMETIC, *(f"r{name}" for name in _ARITHMETIC), "neg", "pos", "abs", "invert", "round"),
}
for _action, _names in _TRAPS.items():
    for _name in _names:
        setattr(Unknown, f"__{_name}__", _trap(_action))
