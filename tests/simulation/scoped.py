"""Scopes as they are defined: which items there must be, when an instance may begin, what a task came to as a whole."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from ostinato.model.cause import Cause
from ostinato.model.change import Event, Item
from ostinato.model.record import UNMAPPED, Instance
from ostinato.model.state import FINAL_TASK, TaskState
from ostinato.model.value import decode

from .edges import whole
from .seen import SeenRun
from .trace import demand
from .values import item_of, value_of

if TYPE_CHECKING:
    from .witness import Witness

WORST_FIRST = (TaskState.FAILED, TaskState.UPSTREAM_FAILED, TaskState.CANCELLED, TaskState.SUCCESS, TaskState.SKIPPED)
BEGINS = frozenset({Cause.READY, Cause.AWAITED, Cause.ASKED, Cause.CHILD_CALLED, Cause.CHILD_LEFT})
"""The causes by which an instance of a task begins to be performed."""


def hold_items(witness: Witness, seen: SeenRun, item: Item) -> None:
    """Raise Violation unless this is the item that the scope's next instance is for."""
    expected = _items(witness, seen, item.scope_no)
    at = item.map_index
    fits = expected is not None and at < len(expected) and decode(item.value) == expected[at]
    demand(fits, f"{item} should be one of {expected}", item.run_id)


def hold_whole(witness: Witness, seen: SeenRun, event: Event, at: Instance) -> None:
    """Raise Violation unless a task in a scope, as a whole, moves as its items and its instances say."""
    scope_no = seen.task(at).scope or 0
    scope, count = seen.spec.scopes[scope_no], len(seen.items[scope_no])
    expected = _items(witness, seen, scope_no)
    states = [seen.states[at[0], index] for index in range(count)]
    match event.cause:
        case Cause.EXPANDED:
            fits = expected is not None and 0 < count == len(expected)
        case Cause.NOTHING_TO_EXPAND:
            fits = expected == []
        case Cause.EXPANSION_FAILED:
            fits = expected is None and not count
        case Cause.LOOP_EXHAUSTED:
            fits = expected is None and count == scope.limit and at[0] == scope.until
        case _:
            worst = next((state for state in WORST_FIRST if state in states), None)
            fits = set(states) <= FINAL_TASK and worst is event.becomes and _is_over(seen, scope_no, expected)
    demand(fits, f"{at} as a whole goes on by {event.cause}: {expected} expected, its instances {states}", event.run_id)


def hold_turns(seen: SeenRun, event: Event, at: Instance) -> None:
    """Raise Violation if more instances of a scope are unfinished at once than may."""
    scope_no = seen.task(at).scope
    if scope_no is None or at[1] == UNMAPPED or event.cause not in BEGINS:
        return
    seen.begun.add((scope_no, at[1]))
    members, most = seen.members(scope_no), seen.spec.scopes[scope_no].max_active
    going = [
        index
        for scope, index in seen.begun
        if scope == scope_no and any(seen.states[no, index] not in FINAL_TASK for no in members)
    ]
    demand(most is None or len(going) <= most, f"instances {going} go at once, {most} may", event.run_id)


def failed_to_unfold(seen: SeenRun, scope_no: int) -> bool:
    """Whether a scope had no list of items, so that none of its tasks can be performed."""
    states = {seen.states[whole(no)] for no in seen.members(scope_no)}
    return TaskState.FAILED in states and not seen.items[scope_no]


def _is_over(seen: SeenRun, scope_no: int, expected: list[object] | None) -> bool:
    """Whether nothing more comes after the instances there are."""
    if seen.spec.scopes[scope_no].kind == "each" or seen.cancelling:
        return True
    count = len(seen.items[scope_no])
    last = [seen.states[no, count - 1] for no in seen.members(scope_no)]
    return set(last) <= FINAL_TASK and (expected is None or len(expected) == count)


def _items(witness: Witness, seen: SeenRun, scope_no: int) -> list[object] | None:
    """All items that a scope must have by now, a loop's next one among them; None: it fails for want of them."""
    scope = seen.spec.scopes[scope_no]
    if scope.kind == "loop":
        return _turns(witness, seen, scope_no)
    lists = {name: value_of(witness, seen, over, None, UNMAPPED) for name, over in scope.over}
    if not all(isinstance(of, list) for of in lists.values()):
        return None
    if scope.pairing == "zip":
        if len({len(of) for of in lists.values()}) > 1:
            return None
        rows = list(zip(*lists.values(), strict=True))
    else:
        rows = list(product(*lists.values()))
    return None if len(rows) > scope.limit else [dict(zip(lists, row, strict=True)) for row in rows]


def _turns(witness: Witness, seen: SeenRun, scope_no: int) -> list[object] | None:
    scope, count = seen.spec.scopes[scope_no], len(seen.items[scope_no])
    turns: list[object] = [item_of(seen, scope_no, index) for index in range(count)]
    if not count:
        assert scope.start is not None
        return [{"value": value_of(witness, seen, scope.start, None, UNMAPPED), "number": 0}]
    last = count - 1
    if any(seen.states[no, last] not in FINAL_TASK for no in seen.members(scope_no)):
        return turns
    until = scope.until or 0
    if seen.states[until, last] is not TaskState.SUCCESS or _output(witness, seen, until, last):
        return turns
    if count == scope.limit:
        return None
    value = item_of(seen, scope_no, last)["value"]
    if scope.carry is not None:
        value = _output(witness, seen, scope.carry, last)
    return [*turns, {"value": value, "number": count}]


def _output(witness: Witness, seen: SeenRun, no: int, index: int) -> object:
    output = witness.outputs.get((seen.run.run_id, no, index))
    return None if output is None else decode(output)
