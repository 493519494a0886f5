"""A task that is performed for each item of lists: ``load.partial(region="eu").expand(path=paths)``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeVar, cast, overload

from .arguments import keep, keep_list
from .check import report
from .layout import authors_frame, new_node
from .mistakes import Mistake
from .scope import bound, new_scope
from .step import Item, Step

if TYPE_CHECKING:
    from .task import Task

R = TypeVar("R")
Items = list[Any] | tuple[Any, ...]
"""A list, a parameter that is one, or what a task or a mapped task returns."""

_NOTHING_FIXED: Final[Mapping[str, Any]] = {}


class Expansion(Generic[R]):
    """A task on the way to being performed more than once: what is the same every time, and the bounds."""

    __slots__ = ("fixed", "limit", "max_active", "task")

    def __init__(
        self,
        task: "Task[..., R]",
        fixed: Mapping[str, Any] = _NOTHING_FIXED,
        limit: int = 1_000,
        max_active: int | None = None,
    ) -> None:
        self.task = task
        self.fixed = fixed
        self.limit = limit
        self.max_active = max_active

    def partial(self, **fixed: Any) -> "Expansion[R]":
        """Arguments that are the same every time."""
        return Expansion(self.task, {**self.fixed, **fixed}, self.limit, self.max_active)

    def bounded(self, *, limit: int = 1_000, max_active: int | None = None) -> "Expansion[R]":
        """More than ``limit`` instances fail; at most ``max_active`` of them are unfinished at once."""
        return Expansion(self.task, self.fixed, limit, max_active)

    @overload
    def expand(self: "Expansion[None]", **over: Items) -> Step: ...
    @overload
    def expand(self, **over: Items) -> list[R]: ...
    def expand(self, **over: Items) -> list[R] | Step:
        """Perform the task for each combination of the items of these lists; the last list turns fastest.

        For the type checker it is the list of what the instances return.
        """
        return cast("list[R]", self._mapped("product", over))

    @overload
    def expand_zip(self: "Expansion[None]", **over: Items) -> Step: ...
    @overload
    def expand_zip(self, **over: Items) -> list[R]: ...
    def expand_zip(self, **over: Items) -> list[R] | Step:
        """Perform the task for the first items of these lists, for the second ones, and so on: they are equally long."""
        return cast("list[R]", self._mapped("zip", over))

    def _mapped(self, pairing: Literal["product", "zip"], over: Mapping[str, Items]) -> Step:
        task = self.task
        task_id = task.spec.task_id
        if not over:
            report(Mistake.NOT_A_LIST, f"{task_id!r} is expanded over nothing", "name an argument: expand(path=[...])")
        scope = new_scope(task_id, "each")
        node = new_node(task, task_id, authors_frame())
        scope.task_id = node.task_id
        scope.pairing = pairing
        scope.trigger_rule = task.spec.trigger_rule
        scope.members.append(node)
        node.scope = scope
        for name, items in over.items():
            keep_list(scope, name, items)
        bound(scope, limit=self.limit, max_active=self.max_active)
        made = Step((node,), gathered=True)
        items = {name: Item(scope, name, made) for name in over}
        for name in over.keys() & self.fixed:
            report(Mistake.BAD_CALL, f"{task_id} is given {name!r} once for all and in a list", near=f"{name}=")
        if over:
            _, named = task.signature.bind(task_id, (), {**self.fixed, **items})
            node.kwargs = keep(node, named.items())
        return made
