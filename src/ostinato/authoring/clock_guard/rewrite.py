"""Compiles the author's code so that every call in it is shown to somebody before it is made.

``f(a, b)`` becomes ``__asked__(2, f)(a, b)``, where ``__asked__`` answers with ``f``, or with something in its place, or
raises. Only the author's own files are compiled like this: what libraries do, they do as ever, and no module or class is
replaced, so that types, pickles and places in tracebacks are what they were.
"""

import ast
import typing
from collections.abc import Callable
from functools import partial
from importlib.util import decode_source
from types import CodeType
from typing import Any, Final, TypeVar

from .table import ALWAYS, NOW_TEXT

NAME: Final = "__asked__"
"""The global name under which rewritten code finds whom to show its calls to."""

F = TypeVar("F", ast.FunctionDef, ast.AsyncFunctionDef)

Answer = Callable[[int, Any], Any]
"""Takes the number of arguments of a call (see ``table``) and what is called; gives what to call."""


class Asked:
    """Whom rewritten code asks. A function that is sent to another process is not watched there."""

    __slots__ = ("answer",)

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, arguments: int, called: Any) -> Any:
        """What to call."""
        return self.answer(arguments, called)

    def __reduce__(self) -> tuple[object, ...]:
        """In another process: ``typing.cast``, which gives its second argument and is found everywhere."""
        return partial, (typing.cast,)


def rewritten(code: bytes, path: str) -> CodeType:
    """Compiled source in which every call is shown to ``NAME``. Raises what compiling it plainly raises."""
    text = decode_source(code)
    compile(text, path, "exec", dont_inherit=True)  # mistakes that only the compiler finds are told as they are
    return compile(_Rewriter().visit(ast.parse(text, path)), path, "exec", dont_inherit=True)


class _Rewriter(ast.NodeTransformer):
    def visit_Call(self, node: ast.Call) -> ast.Call:
        """A call, what is called and its arguments rewritten too."""
        self.generic_visit(node)
        asked = ast.Call(ast.Name(NAME, ast.Load()), [ast.Constant(arguments(node)), node.func], [])
        for new in (asked, asked.func, asked.args[0]):
            ast.copy_location(new, node.func)
        node.func = asked
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        """Annotations stay as they are written: some are kept as text."""
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        """The same."""
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        """The same."""
        return self._but_returns(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        """The same."""
        return self._but_returns(node)

    def _but_returns(self, node: F) -> F:
        returns, node.returns = node.returns, None
        self.generic_visit(node)
        node.returns = returns
        return node


def arguments(call: ast.Call) -> int:
    """How many arguments a call has. None as the only one is as good as none."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    if any(isinstance(one, ast.Starred) for one in call.args) or any(one.arg is None for one in call.keywords):
        return ALWAYS
    match given:
        case [ast.Constant(value=None)]:
            return 0
        case [ast.Constant(value="now" | "today"), *_]:
            return NOW_TEXT
        case _:
            return len(given)
