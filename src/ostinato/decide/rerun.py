"""A part of an earlier run is run again, in a run of its own: what is run, and what is taken over from the earlier one.

What runs again takes with it all that comes after it, for the later must rest on the newer. What did not end well runs
again in any case, for only a good end can be taken over. A setup comes again with what it was set up for, since its
teardown has been there; and a scope whose items must be asked for again, or a loop before its last turn, begins anew.

Two things stay as they are although something before them runs again: what somebody has said is to end otherwise
(``marked``), and what a branch or a short circuit has left aside that does not run again itself.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct

from ostinato.model.cause import Cause
from ostinato.model.change import Carried
from ostinato.model.errors import Conflict
from ostinato.model.record import UNMAPPED, Instance, instance_name
from ostinato.model.spec import TaskSpec
from ostinato.model.state import TaskState

from .past import Past
from .reach import Reach
from .shape import ScopeShape, Shape

MARKED: Final = {
    Cause.MARKED_SUCCESS: TaskState.SUCCESS,
    Cause.MARKED_FAILED: TaskState.FAILED,
    Cause.MARKED_SKIPPED: TaskState.SKIPPED,
}
_STEERED: Final = {"branch": Cause.BRANCH_NOT_TAKEN, "short_circuit": Cause.SHORT_CIRCUITED}
_WHOLE: Final = {
    TaskState.SKIPPED: Cause.CARRIED_SKIPPED,
    TaskState.SUCCESS: Cause.CARRIED_SUCCESS,
    TaskState.FAILED: Cause.MARKED_FAILED,
}
_RANK: Final = tuple(_WHOLE)


class NotMarkable(Conflict):
    """A task instance cannot be marked, since the list or the turn that it is for is made again."""

    code = "OST-265"
    help = "Run the part again instead: `ostinato rerun`."


class Rerun(Struct, frozen=True):
    """``again`` are the task instances that run, by task; the rest is as in `model.change.NewRun`."""

    again: tuple[Instance, ...]
    carried: tuple[Carried, ...]
    scopes: tuple[tuple[int, int], ...]


def rerun(
    shape: Shape, past: Past, selected: Collection[Instance], marked: Mapping[Instance, Cause] | None = None
) -> Rerun:
    """Run ``selected`` instances again, and what goes with them. ``marked`` ones end by their cause instead."""
    return _Plan(shape, past, set(selected), marked or {}).made()


class _Plan:
    def __init__(self, shape: Shape, past: Past, selected: set[Instance], marked: Mapping[Instance, Cause]) -> None:
        self._shape = shape
        self._past = past
        self._marked = marked
        self._reach = Reach(shape, past.items)
        self._everything = dict.fromkeys(self._reach.everything())
        self._wanted = selected | self._not_good() | (self._reach.after(marked, steps=1) - marked.keys())
        self._guards = [
            (setup, teardown, self._reach.between(setup, teardown))
            for no, task in enumerate(shape.tasks)
            for teardown in (self._reach.instances(no) if task.setups else ())
            for setup in ((no, teardown[1]) for no in task.setups)
        ]

    def made(self) -> Rerun:
        """The least that holds together: it grows until every rule of the module is kept."""
        again: set[Instance] = set()
        while True:
            aside = self._left_aside(again)
            barred = aside.keys() | self._marked.keys()
            start = (self._wanted | again | self._set_up_for(again) | self._all_of_anew(again)) - barred
            wider = self._reach.after(start, barred=barred)
            if wider == again:
                return self._rerun(again, aside)
            again = wider

    # --- what runs again ----------------------------------------------------------------------------------------

    def _not_good(self) -> set[Instance]:
        """What did not end well. In a scope that failed as a whole, though none of its instances did, it is all of them."""
        found = {each for each in self._everything if not self._past.is_good(each)}
        for scope_no in self._past.items:
            members = self._shape.scopes[scope_no].members
            known = [member for member in members if member in self._past.tasks]
            if not all(self._past.is_good((member, UNMAPPED)) for member in known):
                of_scope = self._all_of(members)
                if found.isdisjoint(of_scope):
                    found |= of_scope
        return found

    def _set_up_for(self, again: set[Instance]) -> set[Instance]:
        return {setup for setup, _, inside in self._guards if not inside.isdisjoint(again)}

    def _all_of_anew(self, again: set[Instance]) -> set[Instance]:
        return {each for scope_no in self._anew(again) for each in self._all_of(self._shape.scopes[scope_no].members)}

    def _anew(self, again: set[Instance]) -> set[int]:
        """The scopes that begin anew: their items are not known or are asked for again, or a turn before the last is."""
        found: set[int] = set()
        for scope_no, scope in enumerate(self._shape.scopes):
            last = self._past.items.get(scope_no, 0) - 1
            touched = again & self._all_of(scope.members)
            waits_for = self._all_of(scope.spec.upstream)
            early = last < 0 or (scope.spec.kind == "loop" and any(index < last for _, index in touched))
            if (touched and early) or not waits_for.isdisjoint(again):
                found.add(scope_no)
        return found

    def _all_of(self, task_nos: Iterable[int]) -> set[Instance]:
        return {each for task_no in task_nos for each in self._reach.instances(task_no)}

    def _left_aside(self, again: set[Instance]) -> dict[Instance, Cause]:
        """What instances that steer have left aside, of those that do not run again. What succeeded was not."""
        found: dict[Instance, Cause] = {}
        for steering, follow in self._past.follow.items():
            task_no, index = steering
            task = self._shape.tasks[task_no]
            if task.kind not in _STEERED or steering in again or steering in self._marked:
                continue
            for each in self._aside(task, task_no, index, follow):
                if each in self._everything and self._past.states.get(each) is not TaskState.SUCCESS:
                    found[each] = _STEERED[task.kind]
        return found

    def _aside(self, task: TaskSpec, task_no: int, index: int, follow: tuple[str, ...]) -> Iterable[Instance]:
        if task.scope is None:
            return ((node, UNMAPPED) for node in self._shape.graph.ended_by(task_no, self._shape.nodes(follow, None)))
        scope = self._shape.scopes[task.scope]
        nodes = scope.graph.ended_by(scope.place[task_no], self._shape.nodes(follow, scope))
        return ((scope.members[node], index) for node in nodes)

    # --- what is taken over -------------------------------------------------------------------------------------

    def _rerun(self, again: set[Instance], aside: Mapping[Instance, Cause]) -> Rerun:
        self._demand_marks(again)
        carried = [self._carried(each, aside) for each in self._everything if each not in again]
        scopes = {
            scope_no: scope
            for scope_no, scope in enumerate(self._shape.scopes)
            if scope_no in self._past.items and not self._all_of(scope.members) <= again
        }
        for scope in scopes.values():
            carried += self._as_a_whole(scope, carried, again)
        return Rerun(
            again=tuple(sorted(again)),
            carried=tuple(sorted(carried, key=lambda each: (each.task_no, each.map_index))),
            scopes=tuple((scope_no, self._past.scopes[scope_no]) for scope_no in scopes),
        )

    def _demand_marks(self, again: set[Instance]) -> None:
        anew = self._anew(again)
        for task_no, index in self._marked:
            if self._shape.tasks[task_no].scope in anew:
                name = instance_name(self._shape.spec, task_no, index)
                raise NotMarkable(f"{name} cannot be marked: what it is an instance of begins anew in the next run")

    def _carried(self, each: Instance, aside: Mapping[Instance, Cause]) -> Carried:
        if each in self._marked:
            return Carried(*each, MARKED[self._marked[each]], self._marked[each])
        if each in aside:
            return Carried(*each, TaskState.SKIPPED, aside[each])
        if self._past.states[each] is TaskState.SKIPPED:
            return Carried(*each, TaskState.SKIPPED, Cause.CARRIED_SKIPPED)
        return Carried(
            *each,
            TaskState.SUCCESS,
            Cause.CARRIED_SUCCESS,
            output_of=self._past.tasks[each[0]],
            follow=self._past.follow.get(each),
        )

    def _as_a_whole(self, scope: ScopeShape, carried: Iterable[Carried], again: set[Instance]) -> list[Carried]:
        """The members of a scope as wholes. One goes on while an instance of it does; all of a loop go on together."""
        worst: dict[int, TaskState] = {}
        for each in carried:
            if each.task_no in scope.place:
                worst[each.task_no] = max(each.becomes, worst.get(each.task_no, _RANK[0]), key=_RANK.index)
        of_loop = self._all_of(scope.members) if scope.spec.kind == "loop" else set[Instance]()
        return [
            Carried(member, UNMAPPED, TaskState.RUNNING, Cause.EXPANDED)
            if not again.isdisjoint(of_loop or self._reach.instances(member))
            else Carried(member, UNMAPPED, worst[member], _WHOLE[worst[member]])
            for member in scope.members
        ]
