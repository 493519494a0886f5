"""Which intervals of another dag, or of its own past, a task waits for; and whether there can ever be such intervals.

What is asked for is a stretch of time: the run's own interval, moved and perhaps made longer. It has to be made up of
whole intervals of the other dag. Where the ends of the two do not meet, no run could ever be waited for: that is a mistake
in the definition, and is found when it is compiled.
"""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from itertools import chain, islice
from typing import Final

from msgspec.structs import replace

from ostinato.model.spec import DagSpec, Need, Schedule
from ostinato.model.time import DataInterval, Instant, stamp

from .timetable import interval_at, intervals_between

MOST_INTERVALS: Final = 10_000
"""A task waits for at most so many intervals."""

_HOUR: Final = 3_600_000
_LOOK_FROM: Final = 1_704_067_200_000
"""2024-01-01: where a dag that names no start is looked at."""
_CONSECUTIVE: Final = 60
_SCATTERED: Final = 240
_STRIDE: Final = 89 * _HOUR
"""Samples at all hours of all days of more than two years: with and without summer time, and in a leap year."""


def asked(need: Need, interval: DataInterval, schedule: Schedule | None) -> list[DataInterval] | None:
    """The intervals that a run for ``interval`` waits for, of a dag with this schedule; None if they do not fit.

    Raises ScheduleInvalid for a schedule that cannot be followed.
    """
    stretch = _stretch(need, interval, schedule)
    if stretch is None:
        return None
    found = list(islice(intervals_between(schedule, stretch.start, stretch.end - 1), MOST_INTERVALS + 1))
    return found if len(found) <= MOST_INTERVALS else None


def misfits(spec: DagSpec, others: Mapping[str, DagSpec]) -> Iterator[tuple[str, str]]:
    """The tasks of a dag whose needs cannot be met by those of ``others`` that are known, each with the reason.

    Looked at are some hundred intervals, at all hours and seasons. Raises ScheduleInvalid.
    """
    misfit = cache(partial(_misfit, spec))
    ids = {dag_id: {task.task_id for task in other.tasks} for dag_id, other in others.items()}
    for task in spec.tasks:
        for need in task.needs:
            other = others.get(need.dag_id)
            if other is None:  # not known here, or its own past, which always fits
                continue
            if need.task_id is not None and need.task_id not in ids[other.dag_id]:
                yield task.task_id, f"the dag {other.dag_id!r} has no task {need.task_id!r}"
            elif (at := misfit(replace(need, task_id=None), other.schedule)) is not None:
                yield task.task_id, _reason(at, other.dag_id)


def _misfit(spec: DagSpec, need: Need, schedule: Schedule | None) -> DataInterval | None:
    """An interval of a dag in which a need does not fit a schedule."""
    whole = Need(by_interval=True) if need.by_interval else need  # from a tick to another one it is always possible
    samples = _samples(spec)
    first = next(samples)
    if asked(need, first, schedule) is None:
        return first
    return next((interval for interval in samples if _stretch(whole, interval, schedule) is None), None)


def _reason(interval: DataInterval, dag_id: str) -> str:
    span = f"{stamp(interval.start)} to {stamp(interval.end)}"
    return f"what it asks of {dag_id!r} is not made up of intervals of that dag, for example in the run for {span}"


def _samples(spec: DagSpec) -> Iterator[DataInterval]:
    first = _LOOK_FROM if spec.start is None else spec.start
    ahead = intervals_between(spec.schedule, interval_at(spec.schedule, first).start, first + _SCATTERED * _STRIDE)
    scattered = (interval_at(spec.schedule, first + number * _STRIDE) for number in range(1, _SCATTERED))
    return chain(islice(ahead, _CONSECUTIVE), scattered)


def _stretch(need: Need, interval: DataInterval, schedule: Schedule | None) -> DataInterval | None:
    """What is asked for, as one interval; None unless it begins and ends with intervals of the schedule."""
    start, end = interval.start, interval.end
    if need.by_interval:
        if not (_is_tick(schedule, start) and _is_tick(schedule, end)):
            return None
        start = _moved(schedule, end, need.shift - need.size) if need.size else _moved(schedule, start, need.shift)
        return DataInterval(start, _moved(schedule, end, need.shift))
    end += need.shift
    start = end - need.size if need.size else start + need.shift
    return DataInterval(start, end) if _is_tick(schedule, start) and _is_tick(schedule, end) else None


def _is_tick(schedule: Schedule | None, at: Instant) -> bool:
    return interval_at(schedule, at).start == at


def _moved(schedule: Schedule | None, tick: Instant, by: int) -> Instant:
    """The tick that comes ``by`` ticks after one, or before it."""
    for _ in range(abs(by)):
        tick = interval_at(schedule, tick).end if by > 0 else interval_at(schedule, tick - 1).start
    return tick
