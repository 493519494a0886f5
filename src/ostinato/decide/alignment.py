"""Whether a run can ever be given what it needs of another dag.

What a task needs is a stretch of time, and that has to be made up of whole intervals of the other dag. Where the ends of
the two do not meet, what is waited for is more than was meant, or never there: that is a mistake in the definition, and is
found when it is compiled.
"""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from itertools import chain, islice
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from ostinato.model.spec import DagSpec, Need, Schedule
from ostinato.model.time import DataInterval, Instant, stamp

from .need import window
from .timetable import interval_at, intervals_between

_HOUR: Final = 3_600_000
_LOOK_FROM: Final = 1_704_067_200_000
"""2024-01-01: where a dag that names no start is looked at."""
_CONSECUTIVE: Final = 60
_SCATTERED: Final = 240
_STRIDE: Final = 89 * _HOUR
"""Samples at all hours of all days of more than two years: with and without summer time, and in a leap year."""


class Misfit(Struct, frozen=True):
    """A task needs what the dag ``dag_id`` can never have."""

    task_id: str
    dag_id: str
    reason: str


def misfits(spec: DagSpec, others: Mapping[str, DagSpec]) -> Iterator[Misfit]:
    """The needs of a dag's tasks that cannot be met by those of ``others`` that are known.

    Looked at are some hundred intervals, at all hours and seasons. Raises ScheduleInvalid.
    """
    misfit = cache(partial(_misfit, spec))
    for task in spec.tasks:
        for need in task.needs:
            other = others.get(need.dag_id)
            if other is None:  # not known here, or its own past, which always fits
                continue
            if need.task_id is not None and all(need.task_id != other_task.task_id for other_task in other.tasks):
                yield Misfit(task.task_id, other.dag_id, f"the dag {other.dag_id!r} has no task {need.task_id!r}")
            elif (at := misfit(replace(need, task_id=None), other.schedule)) is not None:
                yield Misfit(task.task_id, other.dag_id, _reason(at, other.dag_id))


def _misfit(spec: DagSpec, need: Need, schedule: Schedule | None) -> DataInterval | None:
    """An interval of a dag in which a need does not fit a schedule."""
    return next((interval for interval in _samples(spec) if not _fits(need, interval, schedule)), None)


def _fits(need: Need, interval: DataInterval, schedule: Schedule | None) -> bool:
    """Whether what a run for an interval needs begins and ends with intervals of the schedule."""
    ends = interval if need.by_interval else window(need, interval, schedule)  # moved by ticks, a tick stays one
    return _is_tick(schedule, ends.start) and _is_tick(schedule, ends.end)


def _reason(interval: DataInterval, dag_id: str) -> str:
    span = f"{stamp(interval.start)} to {stamp(interval.end)}"
    return f"what it asks of {dag_id!r} is not made up of intervals of that dag, for example in the run for {span}"


def _samples(spec: DagSpec) -> Iterator[DataInterval]:
    first = _LOOK_FROM if spec.start is None else spec.start
    ahead = intervals_between(spec.schedule, interval_at(spec.schedule, first).start, first + _SCATTERED * _STRIDE)
    scattered = (interval_at(spec.schedule, first + number * _STRIDE) for number in range(1, _SCATTERED))
    return chain(islice(ahead, _CONSECUTIVE), scattered)


def _is_tick(schedule: Schedule | None, at: Instant) -> bool:
    return interval_at(schedule, at).start == at
