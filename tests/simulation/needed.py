"""Needs as they are defined, instant by instant: is all of the time that a run needs of a dag spoken for by successes?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostinato.decide.timetable import interval_at
from ostinato.model.cause import Cause
from ostinato.model.record import Instance
from ostinato.model.spec import Need, Schedule
from ostinato.model.state import FINAL_RUN, RunState, TaskState
from ostinato.model.time import Instant

from .edges import whole
from .seen import SeenRun

if TYPE_CHECKING:
    from .witness import Witness


def note_what_is_met(witness: Witness) -> None:
    """Remember of each task instance that is held up by its needs alone whether they are met by now."""
    for run_id in witness.needy:
        seen = witness.runs[run_id]
        if seen.run.state is RunState.RUNNING and not seen.cancelling:
            seen.met |= {at for at in needing(seen) if at not in seen.met and has_all(witness, seen, at)}


def needing(seen: SeenRun) -> list[Instance]:
    """The task instances that need something, have not begun, and that their own run lets begin."""
    return [
        at
        for at, state in seen.states.items()
        if state is TaskState.NONE and seen.task(at).needs and not seen.is_whole(at) and seen.fates(at) == {Cause.READY}
    ]


def has_all(witness: Witness, seen: SeenRun, at: Instance) -> bool:
    """Whether all that a task instance needs is there."""
    return all(is_met(witness, seen, need) for need in seen.task(at).needs)


def is_met(witness: Witness, seen: SeenRun, need: Need) -> bool:
    """Whether what a run needs is there."""
    dag_id = need.dag_id or seen.run.dag_id
    if dag_id not in witness.schedules:
        return False
    schedule = witness.schedules[dag_id]
    others = [other for other in witness.runs.values() if other.run.dag_id == dag_id]
    start = seen.run.interval.end if need.size else seen.run.interval.start
    begin = _moved(start, need.shift - need.size, need, schedule)
    end = _moved(seen.run.interval.end, need.shift, need, schedule)
    if need.if_any:
        begin = max(begin, min((other.run.interval.start for other in others), default=end))
    speaking = [
        other
        for other in others
        if other is not seen
        and other.run.interval.start < end
        and begin < other.run.interval.end
        and not _never_was(other)
    ]
    ends = {at for other in speaking for at in (other.run.interval.start, other.run.interval.end)}
    return all(
        _succeeded_at(at, speaking, need.task_id, witness.forgotten) for at in {begin, *ends} if begin <= at < end
    )


def _moved(at: Instant, by: int, need: Need, schedule: Schedule | None) -> Instant:
    """An instant, so many intervals earlier; what is no tick keeps its distance from the tick before it."""
    if not need.by_interval:
        return at + by
    tick = interval_at(schedule, at).start
    beyond = at - tick
    for _ in range(-by):
        tick = interval_at(schedule, tick - 1).start
    return min(tick + beyond, interval_at(schedule, tick).end)


def _never_was(seen: SeenRun) -> bool:
    return seen.run.state is RunState.CANCELLED and not seen.has_begun


def _succeeded_at(at: Instant, runs: list[SeenRun], task_id: str | None, forgotten: set[int]) -> bool:
    """Whether the newest run that is for an instant succeeded, and none for it is open.

    Of one that is ``forgotten`` nobody knows how its tasks ended, only how it did.
    """
    there = [seen for seen in runs if seen.run.interval.start <= at < seen.run.interval.end]
    states = [seen.run.state if seen.run.run_id in forgotten else _state(seen, task_id) for seen in there]
    return bool(states) and all(state in FINAL_RUN for state in states) and states[-1] is RunState.SUCCESS


def _state(seen: SeenRun, task_id: str | None) -> RunState:
    """How a run stands, or its task: one that was not performed because there was no need to is there too."""
    numbers = [no for no, task in enumerate(seen.spec.tasks) if task.task_id == task_id]
    if not numbers or seen.run.state is RunState.QUEUED:
        return seen.run.state
    if seen.states[whole(numbers[0])] in {TaskState.SUCCESS, TaskState.SKIPPED}:
        return RunState.SUCCESS
    return RunState.FAILED if seen.run.state in FINAL_RUN else seen.run.state
