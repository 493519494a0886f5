"""What people call things: a run by its number or as ``dag@date``, a task as ``run/task``."""

from typing import TYPE_CHECKING, Final

from ostinato.model.errors import Conflict, NotFound, UsageError
from ostinato.model.record import UNMAPPED, Instance, Run
from ostinato.model.spec import DagSpec
from ostinato.model.time import instant
from ostinato.view.when import day_bounds, logical_date, parse_date, parse_moment, zone_of

from .errors import did_you_mean
from .terminal import shortened

if TYPE_CHECKING:
    from ostinato.store import Store

_LONGEST_NUMBER: Final = 18


def run_named(store: "Store", text: str, *, newest: bool = False) -> Run:
    """The run that ``text`` names: ``12``, ``sales@2025-05-01``, ``sales@2025-05-01T06:00``.

    With ``newest``, a dag's id alone means its newest run. Raises NotFound, or Conflict where several runs fit.
    """
    if text.isdecimal():
        if len(text) > _LONGEST_NUMBER:
            raise NotFound(f"there is no run {text}")
        return store.run(int(text))
    dag_id, at, day = text.partition("@")
    spec = spec_of(store, dag_id)
    if at:
        return _run_for(store, spec, day, text)
    if not newest:
        raise NotFound(f'"{text}" names no run', help=f"Write a run's number (see `ostinato runs {dag_id}`).")
    runs = store.runs(dag_id=dag_id, limit=1)
    if not runs:
        raise NotFound(f"{dag_id} has not run yet", help=f"Ask for a run with `ostinato trigger {dag_id}`.")
    return runs[0]


def _run_for(store: "Store", spec: DagSpec, day: str, text: str) -> Run:
    """The newest run for the interval that a day, or a moment, names."""
    zone = zone_of(spec.schedule)
    if "T" in day:
        first = instant(parse_moment(day, zone, "RUN"))
        after = first + 1
    else:
        first, after = day_bounds(parse_date(day, "RUN"), zone)
    runs = store.latest_by_interval(spec.dag_id, first, after)
    found = [run for start, run in runs.items() if first <= start < after]
    if not found:
        raise NotFound(f"there is no run {text}", help=f"`ostinato runs {spec.dag_id}` lists those there are.")
    if len(found) > 1:
        names = ", ".join(f"{run.run_id} ({logical_date(run.interval, spec.schedule)})" for run in found[:5])
        raise Conflict(f"{len(found)} runs are for {day}", help=f"Name one by its number: {names}.")
    return found[0]


def spec_of(store: "Store", dag_id: str) -> DagSpec:
    """The newest spec of a dag. Raises NotFound, with the ids that look like it."""
    return store.compiled(store.dag(dag_id).version).spec


def task_named(spec: DagSpec, task_id: str) -> int:
    """The number of a task. Raises NotFound, with the ids that look like it."""
    ids = [task.task_id for task in spec.tasks]
    if task_id not in ids:
        advice = did_you_mean(task_id, ids) or f"Its tasks are {shortened(', '.join(ids), 200)}."
        raise NotFound(f'{spec.dag_id} has no task "{task_id}"', help=advice)
    return ids.index(task_id)


def instance_named(spec: DagSpec, name: str) -> Instance:
    """The task instance that people call ``load``, or ``load[3]``. Raises NotFound, with the ids that look like it."""
    task_id, bracket, index = name.removesuffix("]").partition("[")
    if not bracket:
        return task_named(spec, name), UNMAPPED
    if not (name.endswith("]") and index.isdecimal()):
        raise UsageError(f'"{name}" names no task instance', help="An instance is named by its number: load[3].")
    return task_named(spec, task_id), int(index)
