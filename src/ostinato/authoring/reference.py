"""A function that is named, not imported: ``module:function``. It is imported where it is called, in an executor."""

from importlib import import_module
from typing import Any, Final, cast

from .context import Context
from .define import task
from .signature import Signature
from .task import Task


class Reference:
    """Stands for a function of the author's. Called with the attempt's context first, which it hands on if it is wanted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.__name__ = name.partition(":")[2]

    def __call__(self, context: Context, *args: Any, **kwargs: Any) -> object:
        """Import the function and call it. A function that is a task already is called as that task calls it."""
        module, _, name = self.name.partition(":")
        function = getattr(import_module(module), name)
        found = cast("Task[..., Any]", function if isinstance(function, Task) else task(function))
        return found.function(context, *args, **kwargs) if found.takes_context else found.function(*args, **kwargs)


def _takes_all(**_: object) -> None:
    """Has the signature of a function that is not known yet."""


TAKES_ALL: Final = Signature(_takes_all, skip=0)
