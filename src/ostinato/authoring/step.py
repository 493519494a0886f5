"""Steps: what calling a task gives while a dag is laid out, and the order between them."""

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, overload

from msgspec import Struct

from ostinato.model.spec import Param, ParamOf, Template, Value

from .check import caller, report, shown
from .mistakes import Mistake

if TYPE_CHECKING:
    from .task import Task

S = TypeVar("S", bound="Sequence[Step]")


class Layout:
    """The steps of one dag, in the order in which its function calls them."""

    __slots__ = ("by_id", "dag_id", "nodes", "params")

    def __init__(self, dag_id: str, params: Sequence[Param]) -> None:
        self.dag_id = dag_id
        self.params = {param.name: param for param in params}
        self.nodes: list[Node] = []
        self.by_id: dict[str, Node] = {}


class Edge:
    """A ``>>``: the nodes on its left, and the instruction that it is."""

    __slots__ = ("code", "instruction", "nodes")

    def __init__(self, nodes: "tuple[Node, ...]", code: CodeType, instruction: int) -> None:
        self.nodes = nodes
        self.code = code
        self.instruction = instruction


class Node:
    """One step: a task, its id in the dag, what it is called with, what it comes after.

    ``args`` and ``kwargs`` pair labels with kept arguments; ``shapes`` says how those that were taken apart go together
    again. ``uses`` are the nodes whose outputs it takes. Dags have thousands of nodes: what is empty is shared.
    """

    __slots__ = (
        "after",
        "args",
        "code",
        "instruction",
        "kwargs",
        "layout",
        "number",
        "shapes",
        "task",
        "task_id",
        "uses",
    )

    def __init__(self, task: "Task[..., Any]", task_id: str, layout: Layout, frame: FrameType) -> None:
        self.task = task
        self.task_id = task_id
        self.layout = layout
        self.code = frame.f_code
        self.instruction = frame.f_lasti
        self.number = len(layout.nodes)
        self.args: Sequence[tuple[str, Kept]] = ()
        self.kwargs: Sequence[tuple[str, Kept]] = ()
        self.shapes: dict[str, Shape] = _NO_SHAPES
        self.uses: list[Node] = _NO_NODES
        self.after: list[Edge] = _NO_EDGES

    def use(self, source: "Node") -> None:
        """Take the output of another node."""
        if self.uses is _NO_NODES:
            self.uses = []
        self.uses.append(source)

    def follow(self, edge: Edge) -> None:
        """Come after the nodes of an edge."""
        if self.after is _NO_EDGES:
            self.after = []
        self.after.append(edge)

    def shape(self, label: str, shape: "Shape") -> None:
        """Remember how the argument ``label`` goes together."""
        if self.shapes is _NO_SHAPES:
            self.shapes = {}
        self.shapes[label] = shape


_NO_NODES: Final[list[Node]] = []
_NO_EDGES: Final[list[Edge]] = []
_NO_SHAPES: Final["dict[str, Shape]"] = {}


class Leaf(Struct, frozen=True):
    """Marks the place of one kept value in a shape."""


LEAF: Final = Leaf()
Shape = Leaf | list["Shape"] | dict[Any, "Shape"]
"""How an argument goes together: one kept value, or a list or dict of shapes."""

Kept = Value | Template | ParamOf | Node
"""An argument as a node keeps it; a node stands for what its task returns."""


class LayoutStopped(Exception):
    """Leaves a dag's function after a mistake that nothing can stand in for."""


class Step:
    """A step of the dag that is being laid out.

    ``a >> b`` means: b begins after a succeeded. Lists may stand on either side. Given as an argument to another task,
    a step is what its task returns; nothing else can be done with it, since that is known only in a run.
    """

    __slots__ = ("nodes",)

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.nodes = nodes

    @overload
    def __rshift__(self, other: "Step") -> "Step": ...
    @overload
    def __rshift__(self, other: S) -> S: ...
    def __rshift__(self, other: "Step | Sequence[Step]") -> "Step | Sequence[Step]":
        """All of ``other`` comes after this. Gives ``other``, so that orders can be chained."""
        _order(self.nodes, nodes_of(other), caller(1))
        return other

    def __rrshift__(self, other: "Sequence[Step]") -> "Step":
        """This comes after all of them."""
        _order(nodes_of(other), self.nodes, caller(1))
        return self

    def __repr__(self) -> str:
        return f"<step {', '.join(node.task_id for node in self.nodes)}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Step):
            _unknown(self, "compared")
        return self is other

    __hash__ = object.__hash__

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            if name.startswith("_"):
                raise AttributeError(name)
            return _unknown(self, f"asked for its {name!r}")


def step(*outputs: object) -> Step:
    """The steps that outputs come from, to put them in order.

    For the type checker, calling a task gives what the task returns; this gives the step: ``arrived >> step(loaded)``. Of
    several outputs it makes one step that stands for all of them. Steps and lists of outputs may be among them.
    """
    return Step(tuple(dict.fromkeys(node for output in outputs for node in nodes_of(output))))


layout: Final = ContextVar[Layout | None]("layout", default=None)
"""The dag whose function is being called to lay out its steps."""


def nodes_of(value: object) -> tuple[Node, ...]:
    """The nodes behind a step or a list of steps. What is neither is reported and left out."""
    if isinstance(value, Step):
        return value.nodes
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        return tuple(node for item in items for node in nodes_of(item))
    report(
        Mistake.NOT_A_STEP,
        f"{shown(value)} is not a step",
        "put what calling a task gave on both sides of `>>`, or lists of it",
    )
    return ()


def _order(before: tuple[Node, ...], after: tuple[Node, ...], frame: FrameType) -> None:
    current = layout.get()
    for node in (*before, *after):
        if node.layout is not current:
            foreign(node)
            return
    if before:
        edge = Edge(before, frame.f_code, frame.f_lasti)
        for node in after:
            node.follow(edge)


def foreign(node: Node) -> None:
    """Report the use of a step where its dag is not being laid out."""
    report(
        Mistake.FOREIGN_STEP,
        f"the step {node.task_id!r} belongs to the dag {node.layout.dag_id!r}"
        if node.layout.dag_id
        else f"the step {node.task_id!r} belongs to no dag",
        "call the task inside this dag's function",
    )


def _unknown(self: Step, action: str) -> object:
    tasks = ", ".join(node.task_id for node in self.nodes)
    report(
        Mistake.OUTPUT_UNKNOWN,
        f"the output of {tasks!r} is {action}, but it is known only in a run",
        "give it to another task and do that there",
    )
    raise LayoutStopped


def _trap(action: str) -> Callable[..., object]:
    def refuse(self: Step, *_: object) -> object:
        return _unknown(self, action)

    return refuse


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
        setattr(Step, f"__{_name}__", _trap(_action))
