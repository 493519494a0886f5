"""What a callable is, by its full name in the table, however the author's code came by it."""

import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, Final

from .table import ASKING, SEEDS, Asking

_PACKAGES: Final = {"posix": "os"}
_GLOBAL_CHANCE: Final = (("random", "_inst", "random"), ("numpy.random.mtrand", "_rand", "numpy.random"))
"""Where modules keep the generator that their functions are methods of, and the module that people know."""

_Short = tuple[str, str, str]
"""Package, class if any, and name: what does not depend on the inner module that a package keeps it in."""


def _short(full: str) -> _Short:
    parts = full.split(".")
    owner = parts[-2] if parts[-2][:1].isupper() or full.startswith("datetime.") else ""
    return parts[0], owner, parts[-1]


_BY_SHORT: Final = {_short(asking.name): asking for asking in ASKING.values()}
_TOPS: Final = frozenset(short[0] for short in _BY_SHORT)


def asking(called: Any) -> Asking | None:
    """The entry of a callable in the table, or None if it asks nothing."""
    kind = type(called)  # pyright: ignore[reportUnknownVariableType]
    if kind is FunctionType or kind.__name__ == "cython_function_or_method":
        return _named(called.__module__, called.__qualname__)
    if kind is type:
        return _named(called.__module__, f".{called.__qualname__}")
    if kind is BuiltinFunctionType or kind is MethodType:
        return _bound(called.__self__, called.__name__, kind)
    return None


def seeds(called: Any) -> str:
    """How the names begin whose chance a call of this makes repeatable; empty if it is no such thing."""
    if type(called) not in {BuiltinFunctionType, MethodType}:
        return ""
    return SEEDS.get(f"{_global_chance(called.__self__)}.{called.__name__}", "")


def _named(module: str | None, name: str) -> Asking | None:
    top = (module or "").partition(".")[0]
    if top not in _TOPS:
        return None
    owner, _, last = name.rpartition(".")
    return _BY_SHORT.get((top, owner, last))


def _bound(owner: Any, name: str, kind: type) -> Asking | None:
    if isinstance(owner, ModuleType):
        top = owner.__name__.partition(".")[0]
        return _BY_SHORT.get((_PACKAGES.get(top, top), "", name))
    if isinstance(owner, type):
        return _inherited(owner, name, kind)
    if module := _global_chance(owner):
        return ASKING.get(f"{module}.{name}")
    if type(owner).__name__ == "SystemRandom" and type(owner).__module__ == "random":
        return ASKING["random.SystemRandom"]
    return None


def _inherited(owner: type, name: str, kind: type) -> Asking | None:
    """A class's method by the class that defines it; for one made in C, the class that defines it in C."""
    for one in owner.__mro__:
        if name in vars(one) and (kind is MethodType or not isinstance(vars(one)[name], FunctionType | classmethod)):
            return _BY_SHORT.get((one.__module__.partition(".")[0], one.__qualname__, name))
    return None


def _global_chance(owner: Any) -> str:
    for module, name, known in _GLOBAL_CHANCE:
        if owner is not None and owner is getattr(sys.modules.get(module), name, None):
            return known
    return ""
