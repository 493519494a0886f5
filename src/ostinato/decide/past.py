"""What an earlier run came to, told in the numbers of the dag version that is to take over from it.

Tasks and scopes are the same if their ids are. A scope is the same only if it would unfold to the same items: else nothing
is known of its tasks.
"""

from collections.abc import Iterable
from typing import Final, cast

from msgspec import Struct

from ostinato.model.record import Instance, LoggedEvent, OpenRun
from ostinato.model.spec import Argument, DagSpec, OutputOf, Scope
from ostinato.model.state import TaskState

from .shape import Shape

GOOD: Final = frozenset({TaskState.SUCCESS, TaskState.SKIPPED})
"""The ends that a later run can take over."""


class Past(Struct, frozen=True):
    """See the module. ``items`` is how many instances each scope unfolded to, by its number.

    ``follow`` is what instances that steer have said is to go on. ``tasks`` and ``scopes`` are the earlier run's numbers
    of those that are the same.
    """

    states: dict[Instance, TaskState]
    items: dict[int, int]
    follow: dict[Instance, tuple[str, ...]]
    tasks: dict[int, int]
    scopes: dict[int, int]

    def is_good(self, instance: Instance) -> bool:
        """Whether it ended so that it can be taken over."""
        return self.states.get(instance) in GOOD


def past_of(old: Shape, new: Shape, found: OpenRun, events: Iterable[LoggedEvent]) -> Past:
    """What the run ``found``, of the version ``old``, came to. ``events`` are its history."""
    scopes = _same_scopes(old.spec, new.spec)
    tasks = {
        no: old.numbers[task.task_id]
        for no, task in enumerate(new.tasks)
        if task.task_id in old.numbers and _same_place(old.tasks[old.numbers[task.task_id]].scope, task.scope, scopes)
    }
    now = {before: no for no, before in tasks.items()}
    return Past(
        states={(now[row.task_no], row.map_index): row.state for row in found.tasks if row.task_no in now},
        items={no: found.items[before] for no, before in scopes.items() if before in found.items},
        follow={
            (now[event.task_no], event.map_index): _names(event.facts["follow"])
            for event in events
            if event.task_no in now and event.facts and "follow" in event.facts
        },
        tasks=tasks,
        scopes=scopes,
    )


def _names(follow: object) -> tuple[str, ...]:
    """What is to go on, as a line of history keeps it."""
    return tuple(map(str, cast("list[object]", follow)))


def _same_place(old: int | None, new: int | None, scopes: dict[int, int]) -> bool:
    """Whether a task is in the same scope as before, or as before in none."""
    return old is None if new is None else old is not None and scopes.get(new) == old


def _same_scopes(old: DagSpec, new: DagSpec) -> dict[int, int]:
    before = {scope.scope_id: (no, _told(scope, old)) for no, scope in enumerate(old.scopes)}
    found: dict[int, int] = {}
    for no, scope in enumerate(new.scopes):
        known = before.get(scope.scope_id)
        if known is not None and known[1] == _told(scope, new):
            found[no] = known[0]
    return found


def _told(scope: Scope, spec: DagSpec) -> tuple[object, ...]:
    """All that decides what a scope unfolds to, with ids in place of numbers."""
    over = tuple((name, _named(argument, spec)) for name, argument in scope.over)
    start = None if scope.start is None else _named(scope.start, spec)
    ends = [None if no is None else spec.tasks[no].task_id for no in (scope.until, scope.carry)]
    return (scope.kind, over, scope.pairing, start, *ends)


def _named(argument: Argument, spec: DagSpec) -> object:
    return ("output", spec.tasks[argument.task_no].task_id) if isinstance(argument, OutputOf) else argument
