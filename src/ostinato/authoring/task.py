"""Tasks, and the steps that they become when they are called in a dag's function."""

from collections.abc import Callable
from typing import Any, Final, Generic, ParamSpec, TypeVar, overload

from msgspec.structs import replace

from ostinato.model.spec import Need, TaskSpec

from .arguments import keep
from .check import caller
from .expand import Expansion, Items
from .layout import new_node
from .options import identifier
from .signature import Signature
from .step import Step

P = ParamSpec("P")
R = TypeVar("R")

OWN_PAST: Final = Need(task_id="", shift=-1, by_interval=True, if_any=True)
"""Of ``depends_on_past``: the same step of the interval before has succeeded. The build puts the step's full id in."""

_GIVES: Final = frozenset({"python", "branch", "short_circuit"})
"""The kinds of tasks that return something."""


class Task(Generic[P, R]):
    """A task: a function with how it is to be run. Calling it inside a ``@dag`` function adds a step to that dag.

    ``function`` is the plain function, for tests and for calls from other tasks. ``spec`` holds what all its steps
    have in common.
    """

    __slots__ = ("function", "signature", "spec", "takes_context")

    def __init__(
        self, function: Callable[..., R], spec: TaskSpec, *, takes_context: bool, signature: Signature
    ) -> None:
        self.function = function
        self.spec = spec
        self.takes_context = takes_context
        self.signature = signature

    @overload
    def __call__(self: "Task[P, None]", *args: P.args, **kwargs: P.kwargs) -> Step: ...
    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R: ...
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R | Step:
        """A step of the dag that is being laid out. For the type checker it is what the task returns."""
        node = new_node(self, self.spec.task_id, caller(1))
        positional, named = self.signature.bind(self.spec.task_id, args, kwargs)
        if positional:
            node.args = keep(node, [(f"{number}", value) for number, value in enumerate(positional)])
        if named:
            node.kwargs = keep(node, named.items())
        return Step((node,))

    def named(self, task_id: str) -> "Task[P, R]":
        """The same task under another id, to have it twice in a dag: ``load.named("load_eu")("eu.csv")``."""
        spec = replace(self.spec, task_id=identifier("task_id", task_id))
        return Task(self.function, spec, takes_context=self.takes_context, signature=self.signature)

    @overload
    def expand(self: "Task[..., None]", **over: Items) -> Step: ...
    @overload
    def expand(self, **over: Items) -> list[R]: ...
    def expand(self, **over: Items) -> list[R] | Step:
        """Perform the task for each combination of the items of lists: ``load.expand(path=paths)``.

        Lists may be parameters, or what tasks and mapped tasks return. For the type checker it is the list of what the
        instances return. No item: the step is skipped.
        """
        return Expansion(self).expand(**over)

    @overload
    def expand_zip(self: "Task[..., None]", **over: Items) -> Step: ...
    @overload
    def expand_zip(self, **over: Items) -> list[R]: ...
    def expand_zip(self, **over: Items) -> list[R] | Step:
        """Perform the task for the first items of lists of one length, for the second ones, and so on."""
        return Expansion(self).expand_zip(**over)

    def partial(self, **fixed: Any) -> Expansion[R]:
        """Arguments that are the same in every instance: ``load.partial(region="eu").expand(path=paths)``."""
        return Expansion(self, fixed)

    def bounded(self, *, limit: int = 1_000, max_active: int | None = None) -> Expansion[R]:
        """More than ``limit`` instances fail; at most ``max_active`` are unfinished at once."""
        return Expansion(self, limit=limit, max_active=max_active)

    @property
    def gives(self) -> bool:
        """Whether it returns something that other tasks can use."""
        return self.spec.kind in _GIVES

    def __repr__(self) -> str:
        return f"<task {self.spec.task_id}>"
