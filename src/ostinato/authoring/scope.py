"""Steps that are performed more than once in a run: for each item of a list, or turn by turn."""

from typing import Generic, Self, TypeVar, cast, get_args

from ostinato.model.spec import TriggerRule, Value

from .arguments import keep_list, keep_start
from .block import Block
from .check import report
from .layout import Layout, Node, Scoped, authors_frame, layout
from .mistakes import Mistake
from .options import choice, identifier, whole
from .step import Item, Step, steps_of
from .step import gathered as gathered_step
from .unknown import LayoutStopped

T = TypeVar("T")
R = TypeVar("R")

MOST_INSTANCES = 100_000


class Each(Block, Generic[T]):
    """A block that is performed for each item of a list."""

    __slots__ = ("own",)

    def __init__(self, name: str, own: Scoped) -> None:
        super().__init__(name)
        own.task_id = self.block_id
        self.own = self.scope = own

    def __enter__(self) -> T:
        """The item that an instance is for."""
        self.enter()
        return cast("T", Item(self.own, self.own.over[0][0], self))

    def _close(self) -> None:
        """There is something in it."""
        super()._close()
        not_empty(self.own)


def each(
    name: str,
    *,
    over: list[T] | tuple[T, ...],
    limit: int = 1_000,
    max_active: int | None = None,
    trigger_rule: TriggerRule = "all_success",
) -> Each[T]:
    """Perform the steps called inside for each item of a list, which may be known only in the run.

    Inside, the item is given to tasks; outside, ``gathered(x)`` is the list of what a step inside returned. More than
    ``limit`` items fail the block, ``max_active`` bounds how many instances are unfinished at once. ``step(item)`` is the
    whole block, to put it in order::

        with each("partner", over=list_partners()) as partner:
            rows = load(fetch(partner))
        report(gathered(rows))
    """
    own = new_scope(identifier("each", name), "each")
    keep_list(own, name, over)
    bound(own, limit=limit, max_active=max_active)
    own.trigger_rule = choice("trigger_rule", trigger_rule, get_args(TriggerRule))
    return Each(name, own)


class Turn(Block, Generic[T]):
    """A turn of a loop: the value that the turn before handed on, and its number, counted from 0."""

    __slots__ = ("own",)

    def __init__(self, name: str, own: Scoped) -> None:
        super().__init__(name)
        own.task_id = self.block_id
        self.own = self.scope = own

    def __enter__(self) -> Self:
        """The turn."""
        self.enter()
        return self

    @property
    def value(self) -> T:
        """What the turn before handed on; in the first turn ``start``."""
        return cast("T", Item(self.own, "value", self))

    @property
    def number(self) -> int:
        """How many turns came before."""
        return cast("int", Item(self.own, "number", self))

    def until(self, done: bool, *, carry: T | None = None) -> None:
        """End the loop after the turn in which ``done``, an output of a step inside, is true.

        ``carry``, likewise, is the value of the next turn; without it every turn has that of the first.
        """
        if self.own.until is not None:
            report(Mistake.BAD_LOOP, f"the loop {self.block_id!r} says twice until when", "call until(...) once")
        self.own.until = self._member("until", done)
        self.own.carry = None if carry is None else self._member("carry", carry)

    def _member(self, what: str, output: object) -> Node | None:
        steps = [*steps_of(output)] if isinstance(output, Step) else []
        nodes = steps[0].nodes if steps else ()
        if len(nodes) == 1 and nodes[0].scope is self.own and nodes[0].task.gives:
            return nodes[0]
        help = "give what a task that is called inside of the loop returns"
        report(Mistake.BAD_LOOP, f"{what} of the loop {self.block_id!r} is not an output of a step in it", help)
        return None

    def _close(self) -> None:
        """It has steps and an end."""
        super()._close()
        if not_empty(self.own) and self.own.until is None:
            help = "call turn.until(done, carry=...) inside of it"
            report(Mistake.BAD_LOOP, f"the loop {self.block_id!r} does not say until when", help)


def loop(name: str, *, start: T, limit: int = 1_000, trigger_rule: TriggerRule = "all_success") -> Turn[T]:
    """Perform the steps called inside turn after turn, until one of them says that it is done.

    More than ``limit`` turns fail the loop::

        with loop("pages", start="/flights?page=1", limit=100) as turn:
            page = fetch(turn.value)
            turn.until(is_last(page), carry=next_url(page))
    """
    own = new_scope(identifier("loop", name), "loop")
    own.start = keep_start(own, start)
    bound(own, limit=limit, max_active=None)
    own.trigger_rule = choice("trigger_rule", trigger_rule, get_args(TriggerRule))
    return Turn(name, own)


def gathered(output: R) -> list[R]:
    """What a step returned in all instances of its block, as a list in the order of the items or turns.

    Those that did not succeed are left out.
    """
    return cast("list[R]", gathered_step(output))


def new_scope(scope_id: str, kind: "str") -> Scoped:
    """A scope of the dag that is being laid out. Scopes do not stand inside of each other."""
    current: Layout | None = layout.get()
    if current is None:
        report(Mistake.OUTSIDE_DAG, f"{scope_id!r} is opened outside of a dag", "open it in a function under @dag")
        raise LayoutStopped
    if current.block is not None and current.block.scope is not None:
        report(
            Mistake.NESTED_SCOPE,
            f"{scope_id!r} is performed more than once inside of {current.block.scope.task_id!r}, which is too",
            'make the inner part a dag of its own and call it: run_dag("...", ...)',
        )
        raise LayoutStopped
    scope = Scoped(scope_id, "loop" if kind == "loop" else "each", current, authors_frame())
    current.scopes.append(scope)
    return scope


def bound(scope: Scoped, *, limit: int, max_active: int | None) -> None:
    """Give a scope its bounds, and report lists that are known and too long or do not fit each other."""
    scope.limit = whole("limit", limit, 1, MOST_INSTANCES, 1_000)
    scope.max_active = None if max_active is None else whole("max_active", max_active, 1, MOST_INSTANCES, 1)
    lengths = [len(kept.value) for _, kept in scope.over if isinstance(kept, Value)]
    if scope.pairing == "zip":
        if len(set(lengths)) > 1:
            report(Mistake.NOT_A_LIST, f"the lists of {scope.task_id!r} have different lengths: {lengths}")
        count = max(lengths, default=0)
    else:
        count = 1
        for length in lengths:
            count *= length
    if lengths and count > scope.limit:
        report(
            Mistake.NOT_A_LIST,
            f"{scope.task_id!r} has {count:,} instances, more than its limit of {scope.limit:,}",
            "give it a larger limit, or less to do",
        )


def not_empty(scope: Scoped) -> bool:
    """Whether a scope has members. One without is reported."""
    if not scope.members:
        report(Mistake.EMPTY_SCOPE, f"the block {scope.task_id!r} has no steps", "call a task inside of it")
    return bool(scope.members)
