"""Whether a run can ever be given what it needs of another dag.

What a task needs, or a dag that runs after others, is a stretch of time, and that has to be made up of whole intervals of
the other dag. Where the ends of the two do not meet, what is waited for is more than was meant, or never there: that is a
mistake in the definition, and is found when it is compiled.
"""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from itertools import islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ostinato.model.spec import After, Continuous, DagSpec, Need, Schedule
from ostinato.model.time import DataInterval, stamp

from .need import window
from .timetable import first_interval_after, intervals_between, is_tick

_HOUR: Final = 3_600_000
_LOOK_FROM: Final = 1_704_067_200_000
"""2024-01-01: where a dag that names no start is looked at."""
_CONSECUTIVE: Final = 60
_SCATTERED: Final = 240
_STRIDE: Final = 89 * _HOUR
"""Samples at all hours of all days of more than two years: with and without summer time, and in a leap year."""


class Misfit(Struct, frozen=True):
    """A task, or the schedule (None), needs what the dag ``dag_id`` can never have."""

    task_id: str | None
    dag_id: str
    reason: str


def misfits(spec: DagSpec, others: Mapping[str, DagSpec]) -> Iterator[Misfit]:
    """The needs of a dag and its tasks that cannot be met by those of ``others`` that are known.

    Looked at are some hundred intervals, at all hours and seasons. Raises ScheduleInvalid.
    """
    misfit = cache(partial(_misfit, spec))
    for task_id, need in _needs(spec):
        other = others.get(need.dag_id) if need.dag_id else spec
        if other is None:  # not known here
            continue
        continuous = next((each.dag_id for each in (other, spec) if isinstance(each.schedule, Continuous)), None)
        if continuous is not None:
            yield Misfit(task_id, other.dag_id, f"nobody knows the intervals of {continuous!r} beforehand")
        elif other is spec:  # its own past always fits
            continue
        elif need.task_id is not None and all(need.task_id != task.task_id for task in other.tasks):
            yield Misfit(task_id, other.dag_id, f"the dag {other.dag_id!r} has no task {need.task_id!r}")
        elif (at := misfit(replace(need, task_id=None), other.schedule)) is not None:
            yield Misfit(task_id, other.dag_id, _reason(at, other.dag_id))


def _needs(spec: DagSpec) -> Iterator[tuple[str | None, Need]]:
    """All needs, with the task that has each. What the first tasks need because of the schedule is told once, of that."""
    scheduled = spec.schedule.needs if isinstance(spec.schedule, After) else ()
    yield from ((None, need) for need in scheduled)
    yield from ((task.task_id, need) for task in spec.tasks for need in task.needs if need not in scheduled)


def circle(spec: DagSpec, others: Mapping[str, DagSpec]) -> list[str] | None:
    """The dags that run after each other, from a dag back to itself; None if there is no such circle."""
    paths = [[spec.dag_id]]
    seen: set[str] = set()
    while paths:
        path = paths.pop()
        here = spec if path[-1] == spec.dag_id else others.get(path[-1])
        for dag_id in here.schedule.dags if here is not None and isinstance(here.schedule, After) else ():
            if dag_id == spec.dag_id:
                return [*path, dag_id]
            if dag_id not in seen:
                seen.add(dag_id)
                paths.append([*path, dag_id])
    return None


def _misfit(spec: DagSpec, need: Need, schedule: Schedule | None) -> DataInterval | None:
    """An interval of a dag in which a need does not fit a schedule."""
    return next((interval for interval in _samples(spec) if not _fits(need, interval, schedule)), None)


def _fits(need: Need, interval: DataInterval, schedule: Schedule | None) -> bool:
    """Whether what a run for an interval needs begins and ends with intervals of the schedule."""
    ends = interval if need.by_interval else window(need, interval, schedule)  # moved by ticks, a tick stays one
    return ends is None or (is_tick(schedule, ends.start) and is_tick(schedule, ends.end))


def _reason(interval: DataInterval, dag_id: str) -> str:
    span = f"{stamp(interval.start)} to {stamp(interval.end)}"
    return f"what it asks of {dag_id!r} is not made up of intervals of that dag, for example in the run for {span}"


def _samples(spec: DagSpec) -> Iterator[DataInterval]:
    first = _LOOK_FROM if spec.start is None else spec.start
    scattered = (first_interval_after(spec.schedule, first + number * _STRIDE) for number in range(_SCATTERED))
    begin = first_interval_after(spec.schedule, first)
    if begin is not None:
        ahead = intervals_between(spec.schedule, begin.start, first + _SCATTERED * _STRIDE)
        yield from islice(ahead, _CONSECUTIVE)
    yield from filter(None, scattered)
