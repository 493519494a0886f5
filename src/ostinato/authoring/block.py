"""``with`` blocks of a dag's function: groups of steps, and steps between a setup and a teardown."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from .check import report
from .layout import Edge, Layout, Node, Scoped, authors_frame, layout
from .mistakes import Mistake
from .options import identifier
from .step import Step, steps_of
from .unknown import LayoutStopped


class Block(Step):
    """The steps that are called inside of a ``with``. In an order with ``>>`` it is its first and its last steps.

    What comes after it does not wait for the teardowns inside.
    """

    __slots__ = ("block_id", "members", "open", "outer", "prefix", "scope", "within")

    def __init__(self, block_id: str) -> None:
        super().__init__(())
        current = layout.get()
        if current is None:
            report(Mistake.OUTSIDE_DAG, "a block is opened outside of a dag", "open it in a function under @dag")
            raise LayoutStopped
        self.within: Layout = current
        outer = current.block
        self.outer: Block | None = outer
        self.block_id = block_id if outer is None or not block_id else outer.inner_id(block_id)
        self.prefix = f"{self.block_id}." if block_id else "" if outer is None else outer.prefix
        self.scope: Scoped | None = None if outer is None else outer.scope
        self.members: list[Node] = []
        self.open = True
        if block_id:
            self._register()

    def _register(self) -> None:
        known = self.within
        if self.block_id in known.blocks or self.block_id in known.by_id:
            report(
                Mistake.SAME_BLOCK_ID,
                f"the dag {known.dag_id!r} has another block or step {self.block_id!r}",
                "give the block a name of its own",
                near=self.block_id,
            )
        known.blocks[self.block_id] = self

    def inner_id(self, task_id: str) -> str:
        """The full id of a step that is called inside."""
        return identifier("task_id", self.prefix + task_id) if self.prefix else task_id

    def add(self, node: Node) -> None:
        """Count a step among those inside, of this block and of those around it."""
        node.scope = self.scope
        if self.scope is not None:
            self.scope.members.append(node)
        block: Block | None = self
        while block is not None:
            block.members.append(node)
            block = block.outer

    def enter(self) -> None:
        """Steps are called inside from now on."""
        self.within.block = self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.within.block = self.outer
        self.open = False
        if error is None:
            self._close()

    def _close(self) -> None:
        """All steps inside are known."""
        inside = set(self.members)
        self.first = tuple(node for node in self.members if inside.isdisjoint(node.before()))
        self.nodes = last_of([node for node in self.members if node.role != "teardown"])

    @property
    def open_as(self) -> str | None:
        """Its name, while it is open."""
        return self.block_id if self.open else None

    def __repr__(self) -> str:
        return f"<block {self.block_id}>"


class Group(Block):
    """Steps under a common name."""

    __slots__ = ()

    def __enter__(self) -> Self:
        """The group, to be put in order after the ``with``."""
        self.enter()
        return self


def group(name: str) -> Group:
    """Steps under a common name: those that are called inside have ids that begin with it, ``load.fetch``.

    Groups stand inside of each other. In an order, a group is its first steps on the right and its last on the left::

        with group("load") as load:
            clean(fetch())
        arrived >> load >> publish()
    """
    return Group(identifier("group", name))


class Guarded(Block):
    """Steps between a setup and a teardown."""

    __slots__ = ("setups", "teardowns")

    def __init__(self, setup: object, teardown: object) -> None:
        super().__init__("")
        self.setups = _alone("setup", setup)
        self.teardowns = _alone("teardown", teardown)
        for node in self.setups:
            node.role = "setup"
        for node in self.teardowns:
            if node.role == "teardown" or node in self.setups:
                report(Mistake.BAD_GUARD, f"the step {node.task_id!r} guards twice", "call a teardown for each block")
            if node.task.spec.trigger_rule != "all_success":
                help = "leave the rule out: a teardown runs once its setup succeeded, however the rest ended"
                report(Mistake.BAD_GUARD, f"the teardown {node.task_id!r} has a trigger rule", help)
            node.role = "teardown"
            node.setups = self.setups
        if len({node.scope for node in (*self.setups, *self.teardowns)} | {self.scope}) > 1:
            help = "call setup and teardown where the block is: in the same each(...) or loop(...), or outside of any"
            report(Mistake.BAD_GUARD, "setup, teardown and their block are not in the same scope", help)

    def __enter__(self) -> Self:
        """The block, to be put in order after the ``with``."""
        self.enter()
        return self

    def _close(self) -> None:
        """The first steps inside come after the setup; the teardown comes after the last ones and after the setup."""
        super()._close()
        frame = authors_frame()
        for node in self.first:
            node.follow(Edge(self.setups, frame.f_code, frame.f_lasti))
        for node in self.teardowns:
            node.follow(Edge(self.setups, frame.f_code, frame.f_lasti))
            last = last_of(self.members)
            if last:
                node.follow(Edge(last, frame.f_code, frame.f_lasti))


def guarded(*, setup: object, teardown: object) -> Guarded:
    """Steps that need something to be set up before and taken down after, however they end.

    The steps called inside begin after the setup. The teardown runs once the setup succeeded and the steps have ended,
    also if they failed or were cancelled, and does not decide whether the run succeeded. Both may be lists::

        cluster = start_cluster()
        with guarded(setup=cluster, teardown=stop_cluster(cluster)):
            publish(train(cluster))
    """
    return Guarded(setup, teardown)


def last_of(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """Those of some nodes that none of them comes after."""
    followed = {up for node in nodes for up in node.before()}
    return tuple(node for node in nodes if node not in followed)


def _alone(what: str, value: object) -> tuple[Node, ...]:
    nodes = tuple(dict.fromkeys(node for found in steps_of(value) for node in found.nodes))
    if not nodes:
        report(Mistake.BAD_GUARD, f"{what} has no step", f"give what calling a task gave: guarded({what}=start(), ...)")
    return nodes
