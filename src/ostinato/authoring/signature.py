"""The parameters of a task's function, and how a call fills them."""

from collections.abc import Callable, Sequence
from inspect import CO_VARARGS, CO_VARKEYWORDS
from types import FunctionType
from typing import Any, cast

from .check import did_you_mean, listed, report
from .mistakes import Mistake


class Signature:
    """The parameters that a dag's author fills; a leading Context, which is injected, is not among them."""

    __slots__ = ("by_name", "by_position", "keywords", "names", "others", "required")

    def __init__(self, function: Callable[..., object], *, skip: int) -> None:
        plain = cast("FunctionType", function)
        code = plain.__code__
        names = code.co_varnames[: code.co_argcount]
        keyword_only = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        optional = {*names[len(names) - len(plain.__defaults__ or ()) :], *(plain.__kwdefaults__ or ())}
        self.names: tuple[str, ...] = names[skip:]
        self.required: tuple[str, ...] = tuple(name for name in self.names + keyword_only if name not in optional)
        self.others: bool = bool(code.co_flags & CO_VARARGS)
        self.keywords: bool = bool(code.co_flags & CO_VARKEYWORDS)
        only_by_position = max(code.co_posonlyargcount - skip, 0)
        self.by_name: frozenset[str] = frozenset((*self.names[only_by_position:], *keyword_only))
        self.by_position: int = len(self.names) if self.others else only_by_position

    def bind(
        self, called: str, args: Sequence[object], kwargs: dict[str, object]
    ) -> tuple[Sequence[object], dict[str, object]]:
        """The arguments in one form: by name wherever the function allows it. What does not fit is reported."""
        names = self.names
        if len(args) > len(names) and not self.others:
            report(Mistake.BAD_CALL, f"{called} is given {len(args)} arguments by position", self._takes())
            args = args[: len(names)]
        split = min(len(args), self.by_position) if not self.others else len(args)
        named = dict(zip(names[split:], args[split:], strict=False))
        if kwargs:
            self._bind_names(called, names[:split], named, kwargs)
        missing = [name for name in self.required if name not in named and name not in names[:split]]
        if missing:
            report(Mistake.BAD_CALL, f"{called} is called without {listed(missing)}", self._takes())
        return args[:split], named

    def _bind_names(
        self, called: str, positional: Sequence[str], named: dict[str, Any], kwargs: dict[str, object]
    ) -> None:
        for name, value in kwargs.items():
            if name in named or (name in positional and name in self.by_name):
                report(Mistake.BAD_CALL, f"{called} is given {name!r} by position and by name", near=f"{name}=")
            elif name in self.by_name or (self.keywords and name.isidentifier()):
                named[name] = value
            else:
                help = did_you_mean(name, self.by_name, self._takes())
                report(Mistake.BAD_CALL, f"{called} has no argument {name!r}", help, near=name)

    def _takes(self) -> str:
        rest = sorted(self.by_name.difference(self.names))
        return f"it takes {listed([*self.names, *rest])}" if self.names or rest else "it takes no arguments"
