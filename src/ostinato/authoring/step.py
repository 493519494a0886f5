"""Steps: what calling a task gives while a dag is laid out, and the order between them."""

from collections.abc import Iterator, Sequence
from types import FrameType
from typing import TypeVar, cast, get_args, overload

from ostinato.model.spec import Outcome

from .check import caller, report, shown
from .layout import Edge, Node, Scoped, foreign, layout
from .mistakes import Mistake
from .options import choice
from .unknown import Unknown

S = TypeVar("S", bound="Sequence[Step]")


class Step(Unknown):
    """A step of the dag that is being laid out.

    ``a >> b`` means: b begins after a succeeded. Lists may stand on either side. Given as an argument to another task,
    a step is what its task returns; nothing else can be done with it, since that is known only in a run.
    """

    __slots__ = ("first", "gathered", "nodes", "outcomes")

    def __init__(
        self,
        nodes: tuple[Node, ...],
        first: tuple[Node, ...] | None = None,
        outcomes: tuple[Outcome, ...] = (),
        *,
        gathered: bool = False,
    ) -> None:
        self.nodes = nodes
        self.first = nodes if first is None else first
        self.outcomes = outcomes
        self.gathered = gathered

    @overload
    def __rshift__(self, other: "Step") -> "Step": ...
    @overload
    def __rshift__(self, other: S) -> S: ...
    def __rshift__(self, other: "Step | Sequence[Step]") -> "Step | Sequence[Step]":
        """All of ``other`` comes after this. Gives ``other``, so that orders can be chained."""
        _order([_usable(self)], [*steps_of(other)], caller(1))
        return other

    def __rrshift__(self, other: "Sequence[Step]") -> "Step":
        """This comes after all of them."""
        _order([*steps_of(other)], [_usable(self)], caller(1))
        return self

    def on(self, *outcomes: Outcome) -> "Step":
        """The step, as what comes after it if it ended in one of these ways: ``step(a).on("failed") >> step(b)``.

        ``completed`` is succeeded or failed, and not skipped. A step with such conditions begins once all of them hold,
        is skipped once one of them cannot hold any more, and has no trigger rule; a plain ``>>`` to it asks for success.
        """
        if not outcomes:
            report(Mistake.BAD_CONDITION, "on() names no outcome", f"name some of {', '.join(get_args(Outcome))}")
        asked = {choice("on", outcome, get_args(Outcome)) for outcome in outcomes}
        this = _usable(self)
        return Step(this.nodes, this.first, tuple(known for known in get_args(Outcome) if known in asked))

    @property
    def described(self) -> str:
        """Its output."""
        return f"the output of {', '.join(node.task_id for node in self.nodes)!r}"

    def __repr__(self) -> str:
        return f"<step {', '.join(node.task_id for node in self.nodes)}>"

    @property
    def open_as(self) -> str | None:
        """The name of the block that it is, while steps are still called inside."""
        return None


class Item(Unknown):
    """Stands for a part of what an instance of a scope is for."""

    __slots__ = ("block_of", "item_of", "named_in_scope")

    def __init__(self, scope: Scoped, name: str, block: Step) -> None:
        self.item_of = scope
        self.named_in_scope = name
        self.block_of = block

    @property
    def described(self) -> str:
        """The item."""
        return f"the {self.named_in_scope!r} of {self.item_of.task_id!r}"

    def __repr__(self) -> str:
        return f"<{self.named_in_scope} of {self.item_of.task_id}>"


def step(*outputs: object) -> Step:
    """The steps that outputs come from, to put them in order.

    For the type checker, calling a task gives what the task returns; this gives the step: ``arrived >> step(loaded)``. Of
    several outputs it makes one step that stands for all of them. Steps and lists of outputs may be among them. The item
    of a block under ``each`` gives the whole block.
    """
    found = [found for output in outputs for found in steps_of(output)]
    if len(found) == 1:
        return found[0]
    if any(each.outcomes for each in found):
        report(
            Mistake.BAD_CONDITION,
            "step(...) joins steps that have conditions already",
            "put them in a list, or the condition last: step(a, b).on(...)",
        )
    nodes = dict.fromkeys(node for each in found for node in each.nodes)
    return Step((*nodes,), (*dict.fromkeys(node for each in found for node in each.first),))


def gathered(output: object) -> Step:
    """The step whose outputs in all instances of a scope are wanted, as one list."""
    found = [*steps_of(output)]
    nodes = found[0].nodes if len(found) == 1 else ()
    if len(nodes) != 1 or nodes[0].scope is None:
        report(
            Mistake.BAD_GATHERED,
            f"{output!r} is not one output of a block that is performed more than once",
            "give it what a task returned inside of a block under each(...) or loop(...)",
        )
    return Step(nodes[:1], gathered=True)


def steps_of(value: object) -> Iterator[Step]:
    """The steps behind a step, an item or a list of them. What is none is reported and left out."""
    if isinstance(value, Step):
        yield _usable(value)
    elif isinstance(value, Item):
        yield _usable(value.block_of)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[object]", value):
            yield from steps_of(item)
    else:
        report(
            Mistake.NOT_A_STEP,
            f"{shown(value)} is not a step",
            "put what calling a task gave on both sides of `>>`, or lists of it",
        )


def _usable(found: Step) -> Step:
    """A step where it is put in order or used. A block has no first and last steps while it is open."""
    if found.open_as is not None:
        report(
            Mistake.OPEN_BLOCK,
            f"the block {found.open_as!r} is used inside of itself",
            "use it after its `with`, or put the steps in order one by one",
        )
    return found


def _order(before: list[Step], after: list[Step], frame: FrameType) -> None:
    current = layout.get()
    later = [node for each in after for node in each.first]
    for node in (*(node for each in before for node in each.nodes), *later):
        if node.layout is not current:
            foreign(node)
            return
    for outcomes in dict.fromkeys(each.outcomes for each in before):
        same = [each.nodes for each in before if each.outcomes == outcomes]
        nodes = same[0] if len(same) == 1 else tuple(node for each in same for node in each)
        if nodes:
            edge = Edge(nodes, frame.f_code, frame.f_lasti, outcomes)
            for node in later:
                node.follow(edge)
