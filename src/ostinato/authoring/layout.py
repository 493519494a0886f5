"""What a dag's function lays out: nodes, the order between them, and the scopes that some of them are in."""

from collections.abc import Sequence
from contextvars import ContextVar
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct

from ostinato.model.spec import ItemOf, Outcome, Param, ParamOf, Role, Template, TriggerRule, Value

from .check import caller, is_ours, report
from .mistakes import Mistake

if TYPE_CHECKING:
    from .block import Block
    from .task import Task


class Layout:
    """The steps of one dag, in the order in which its function calls them.

    ``blocks`` are its ``with`` blocks by their full ids, ``block`` the innermost that is open.
    """

    __slots__ = ("block", "blocks", "by_id", "dag_id", "nodes", "params", "scopes")

    def __init__(self, dag_id: str, params: Sequence[Param]) -> None:
        self.dag_id = dag_id
        self.params = {param.name: param for param in params}
        self.nodes: list[Node] = []
        self.by_id: dict[str, Node] = {}
        self.scopes: list[Scoped] = []
        self.block: Block | None = None
        self.blocks: dict[str, Block] = {}


class Edge:
    """A ``>>``: the nodes on its left, the outcomes it takes (none given: success), and the instruction that it is."""

    __slots__ = ("code", "instruction", "nodes", "outcomes")

    def __init__(
        self, nodes: "tuple[Node, ...]", code: CodeType, instruction: int, outcomes: tuple[Outcome, ...] = ()
    ) -> None:
        self.nodes = nodes
        self.code = code
        self.instruction = instruction
        self.outcomes = outcomes


class Node:
    """One step: a task, its id in the dag, what it is called with, what it comes after.

    ``args`` and ``kwargs`` pair labels with kept arguments; ``shapes`` says how those that were taken apart go together
    again. ``uses`` are the nodes whose outputs it takes, ``setups`` those whose teardown it is. Dags have thousands of
    nodes: what is empty is shared.
    """

    __slots__ = (
        "after",
        "args",
        "code",
        "instruction",
        "kwargs",
        "layout",
        "number",
        "role",
        "scope",
        "setups",
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
        self.scope: Scoped | None = None
        self.role: Role = "work"
        self.setups: tuple[Node, ...] = ()

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

    def before(self) -> "set[Node]":
        """The nodes that it waits for."""
        return {*self.uses, *(node for edge in self.after for node in edge.nodes)}


class Scoped:
    """Nodes that a run performs together more than once, and what they are performed for."""

    __slots__ = (
        "carry",
        "code",
        "instruction",
        "kind",
        "layout",
        "limit",
        "max_active",
        "members",
        "over",
        "pairing",
        "start",
        "task_id",
        "trigger_rule",
        "until",
        "uses",
    )

    def __init__(self, scope_id: str, kind: Literal["each", "loop"], layout: Layout, frame: FrameType) -> None:
        self.task_id = scope_id
        self.kind: Literal["each", "loop"] = kind
        self.layout = layout
        self.code = frame.f_code
        self.instruction = frame.f_lasti
        self.members: list[Node] = []
        self.uses: list[Node] = []
        self.over: list[tuple[str, Kept]] = []
        self.pairing: Literal["product", "zip"] = "product"
        self.start: Kept | None = None
        self.until: Node | None = None
        self.carry: Node | None = None
        self.limit = 1_000
        self.max_active: int | None = None
        self.trigger_rule: TriggerRule = "all_success"

    @property
    def scope(self) -> None:
        """What a scope itself uses, it uses outside of any scope."""
        return

    def use(self, source: Node) -> None:
        """Take the output of a node."""
        self.uses.append(source)


_NO_NODES: Final[list[Node]] = []
_NO_EDGES: Final[list[Edge]] = []
_NO_SHAPES: Final["dict[str, Shape]"] = {}


class Leaf(Struct, frozen=True):
    """Marks the place of one kept value in a shape."""


LEAF: Final = Leaf()
Shape = Leaf | list["Shape"] | dict[Any, "Shape"]
"""How an argument goes together: one kept value, or a list or dict of shapes."""

Kept = Value | Template | ParamOf | ItemOf | Node
"""An argument as a node keeps it; a node stands for what its task returns."""

layout: Final = ContextVar[Layout | None]("layout", default=None)
"""The dag whose function is being called to lay out its steps."""


def foreign(node: Node) -> None:
    """Report the use of a step where its dag is not being laid out."""
    report(
        Mistake.FOREIGN_STEP,
        f"the step {node.task_id!r} belongs to the dag {node.layout.dag_id!r}"
        if node.layout.dag_id
        else f"the step {node.task_id!r} belongs to no dag",
        "call the task inside this dag's function",
    )


def authors_frame() -> FrameType:
    """The innermost frame that is not of this package."""
    frame = caller(1)
    while is_ours(frame) and frame.f_back is not None:
        frame = frame.f_back
    return frame


_NOTHING: Final = Layout("", ())


def new_node(task: "Task[..., Any]", task_id: str, frame: FrameType) -> Node:
    """A step added to the dag that is being laid out, called in ``frame``, in the blocks that are open."""
    current = layout.get()
    if current is None:
        report(
            Mistake.OUTSIDE_DAG,
            f"the task {task_id!r} is called outside of a dag",
            f"call it in a function under @dag; to run it here, call {task_id}.function(...)",
        )
        return Node(task, task_id, _NOTHING, frame)
    block = current.block
    if block is not None:
        task_id = block.inner_id(task_id)
    node = Node(task, task_id, current, frame)
    if task_id in current.by_id or task_id in current.blocks:
        report(
            Mistake.SAME_TASK_ID,
            f"the dag {current.dag_id!r} has two steps {task_id!r}"
            if task_id in current.by_id
            else f"the dag {current.dag_id!r} has a block and a step {task_id!r}",
            f"give one of them a name of its own: {_how_to_name(task)}",
        )
    else:
        current.by_id[task_id] = node
    current.nodes.append(node)
    if block is not None:
        block.add(node)
    return node


_CALLED_BY: Final = {
    "file_sensor": "wait_for_file",
    "call": "run_dag",
    "approval": "approval",
    "interval": "wait_for_dag",
}


def _how_to_name(task: "Task[..., Any]") -> str:
    if task.spec.kind in _CALLED_BY:
        return f'{_CALLED_BY[task.spec.kind]}(..., task_id="...")'
    return f'{task.function.__name__}.named("...")(...)'
