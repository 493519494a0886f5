"""Tasks, and the steps that they become when they are called in a dag's function."""

from collections.abc import Callable
from typing import Any, Final, Generic, ParamSpec, TypeVar, overload

from msgspec.structs import replace

from ostinato.model.spec import TaskSpec

from .arguments import keep
from .check import caller, report
from .mistakes import Mistake
from .options import identifier
from .signature import Signature
from .step import Layout, Node, Step, layout

P = ParamSpec("P")
R = TypeVar("R")

_NOTHING: Final = Layout("", ())


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
        node = new_node(self, self.spec.task_id)
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

    def __repr__(self) -> str:
        return f"<task {self.spec.task_id}>"


def new_node(task: Task[..., Any], task_id: str) -> Node:
    """A step added to the dag that is being laid out, called where the caller's caller is."""
    frame = caller(2)
    current = layout.get()
    if current is None:
        report(
            Mistake.OUTSIDE_DAG,
            f"the task {task_id!r} is called outside of a dag",
            f"call it in a function under @dag; to run it here, call {task_id}.function(...)",
        )
        return Node(task, task_id, _NOTHING, frame)
    node = Node(task, task_id, current, frame)
    if task_id in current.by_id:
        report(
            Mistake.SAME_TASK_ID,
            f"the dag {current.dag_id!r} has two steps {task_id!r}",
            f"give one of them a name of its own: {_how_to_name(task)}",
        )
    else:
        current.by_id[task_id] = node
    current.nodes.append(node)
    return node


def _how_to_name(task: Task[..., Any]) -> str:
    if task.spec.kind == "file_sensor":
        return 'wait_for_file(..., task_id="...")'
    return f'{task.function.__name__}.named("...")(...)'
