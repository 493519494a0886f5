"""From the steps of a dag to the tasks and scopes of its spec: numbered so that each comes after those it waits for."""

from collections.abc import Callable, Sequence
from typing import get_args

from msgspec import Struct
from msgspec.structs import replace

from ostinato.model.spec import Argument, Need, Outcome, OutputOf, Scope, TaskSpec, TriggerRule

from .check import Place, place_of, report
from .layout import Kept, Layout, Node, Scoped
from .mistakes import Mistake
from .numbering import Ties, numbered
from .task import OWN_PAST


class Built(Struct):
    """The tasks and scopes of a spec."""

    tasks: tuple[TaskSpec, ...]
    scopes: tuple[Scope, ...]


def build(layout: Layout, needs: tuple[Need, ...] = ()) -> Built:
    """The tasks of a dag, in the order of the calls as far as ``>>`` allows, and its scopes.

    A cycle is reported; what comes back then is good for nothing. ``needs`` are those of a whole run: its first tasks
    wait for them.
    """
    nodes = layout.nodes
    ties = Ties(layout)
    order = numbered(layout, ties)
    scopes = {scope: number for number, scope in enumerate(layout.scopes)}
    _check_choosers(nodes, ties)
    if order is None:
        number = _same
        tasks = [_task(node, ties.inner[node.number], number, scopes) for node in nodes]
    else:
        number = {old: new for new, old in enumerate(order)}.__getitem__
        tasks = [_task(nodes[old], ties.inner[old], number, scopes) for old in order]
    if needs:
        waits = {n for n, scope in enumerate(layout.scopes) if ties.outer[scope]}
        tasks = [
            task if task.upstream or task.scope in waits else replace(task, needs=(*task.needs, *needs))
            for task in tasks
        ]
    return Built(tuple(tasks), tuple(_scope(scope, ties.outer[scope], number) for scope in layout.scopes))


def _task(node: Node, upstream: tuple[int, ...], number: Callable[[int], int], scopes: dict[Scoped, int]) -> TaskSpec:
    task = node.task
    spec = task.spec
    scope = node.scope
    rule = spec.trigger_rule
    conditions: tuple[tuple[Outcome, ...], ...] = ()
    if number is not _same:
        upstream = tuple(sorted(upstream, key=number))
    if node.after:
        conditions = _conditions(node, upstream)
    if node.role == "teardown":
        rule = "all_done_setup_success"
    elif scope is not None and rule != "all_success":
        rule = _inner_rule(node, scope)
    return TaskSpec(
        node.task_id,
        spec.kind,
        upstream if number is _same else tuple([number(up) for up in upstream]),
        rule,
        tuple([_argument(kept, number) for _, kept in node.args]),
        tuple([(label, _argument(kept, number)) for label, kept in node.kwargs]),
        spec.retry,
        spec.timeout,
        spec.pool,
        spec.slots,
        spec.priority,
        spec.isolation,
        spec.memory,
        spec.sensor,
        conditions,
        node.role,
        tuple(sorted([number(setup.number) for setup in node.setups])),
        None if scope is None else scopes[scope],
        _needs(node) if spec.needs else (),
        spec.max_active,
        spec.call,
        spec.approval,
        spec.tags,
    )


def _scope(scope: Scoped, upstream: set[int], number: Callable[[int], int]) -> Scope:
    return Scope(
        scope_id=scope.task_id,
        kind=scope.kind,
        upstream=tuple(sorted(map(number, upstream))),
        trigger_rule=scope.trigger_rule,
        over=tuple((name, _argument(kept, number)) for name, kept in scope.over),
        pairing=scope.pairing,
        limit=scope.limit,
        max_active=scope.max_active,
        start=None if scope.start is None else _argument(scope.start, number),
        until=None if scope.until is None else number(scope.until.number),
        carry=None if scope.carry is None else number(scope.carry.number),
    )


def _argument(kept: Kept, number: Callable[[int], int]) -> Argument:
    return OutputOf(number(kept.number)) if isinstance(kept, Node) else kept


def _same(number: int) -> int:
    return number


def _needs(node: Node) -> tuple[Need, ...]:
    return tuple(replace(need, task_id=node.task_id) if need is OWN_PAST else need for need in node.task.spec.needs)


def _inner_rule(node: Node, scope: Scoped) -> TriggerRule:
    """The trigger rule of a step in a scope: a mapped task's has become its scope's."""
    if len(scope.members) == 1 and scope.task_id == node.task_id:
        return "all_success"
    if any(before.scope is not scope for before in node.before()):
        report(
            Mistake.RULE_ACROSS,
            f"{node.task_id!r} has a trigger rule and comes after steps outside of its block {scope.task_id!r}",
            "the block waits for those: give it the rule, each(..., trigger_rule=...)",
            place=_place(node),
        )
    return node.task.spec.trigger_rule


def _conditions(node: Node, upstream: Sequence[int]) -> tuple[tuple[Outcome, ...], ...]:
    """What each upstream's edge takes; nothing if all are plain. A condition says more than the use of an output."""
    if not any(edge.outcomes for edge in node.after):
        return ()
    asked: dict[int, set[Outcome]] = {}
    for edge in node.after:
        for before in edge.nodes:
            asked.setdefault(before.number, set()).update(edge.outcomes or ("succeeded",))
            if edge.outcomes and node.scope is not None and before.scope is not node.scope:
                help = "put a plain task between, or give the block a trigger rule"
                what = f"a condition leads into the block {node.scope.task_id!r}, to {node.task_id!r}"
                report(Mistake.RULE_ACROSS, what, help, place=place_of(edge.code, edge.instruction))
    if node.task.spec.trigger_rule != "all_success" or node.role == "teardown":
        what = f"{node.task_id!r} has a trigger rule, and conditions on what comes before it"
        if node.role == "teardown":
            what = f"the teardown {node.task_id!r} has conditions"
        (edge, *_) = (edge for edge in node.after if edge.outcomes)
        place = place_of(edge.code, edge.instruction)
        report(Mistake.RULE_AND_CONDITIONS, what, "keep one of the two", place=place)
    return tuple(
        tuple(known for known in get_args(Outcome) if known in asked.get(up, ("succeeded",))) for up in upstream
    )


def _check_choosers(nodes: Sequence[Node], ties: Ties) -> None:
    """A branch and a short circuit have something to choose from."""
    choosers = [node for node in nodes if node.task.spec.kind in {"branch", "short_circuit"}]
    if not choosers:
        return
    followed = {(up, node.scope) for node in nodes if node.role != "teardown" for up in ties.inner[node.number]}
    followed.update((up, None) for before in ties.outer.values() for up in before)
    for node in choosers:
        if (node.number, node.scope) not in followed:
            what = f"nothing comes after {node.task_id!r}, so it decides nothing"
            report(Mistake.NOTHING_TO_FOLLOW, what, "put steps after it with `>>`", place=_place(node))


def _place(node: Node) -> Place:
    return place_of(node.code, node.instruction)
