"""Which script is whose: what a test says of steps, checked against the dags that have them."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from ostinato.authoring.check import did_you_mean
from ostinato.authoring.perform import context_of
from ostinato.model.errors import NotRehearsable
from ostinato.model.message import Call
from ostinato.model.record import UNMAPPED, Instance, Run
from ostinato.model.spec import TaskSpec

from .fit import refuse_unfit
from .part import Part
from .script import UNSCRIPTED, Outcome, Script

_INDEXED: Final = re.compile(r"(.+)\[\d+\]")


class Outcomes:
    """``outcomes`` by task id, or by ``task[index]`` for one instance; ``dag/`` before it where one dag's is meant.

    The longest name that fits counts.
    """

    def __init__(self, outcomes: Mapping[str, Outcome], parts: Iterable[Part]) -> None:
        self._outcomes = outcomes
        if not outcomes:
            return
        tasks: dict[str, TaskSpec] = {}
        for part in parts:
            for task in part.spec.tasks:
                tasks |= {task.task_id: task, f"{part.spec.dag_id}/{task.task_id}": task}
        for name, outcome in outcomes.items():
            task = _named(name, tasks)
            if isinstance(outcome, Script):
                refuse_unfit(outcome, task)

    def script(self, part: Part, run: Run, instance: Instance, attempt: int = 0, number: int = 1) -> Script:
        """The script for an attempt, or for what is no attempt."""
        if not self._outcomes:
            return UNSCRIPTED
        task = part.spec.tasks[instance[0]]
        for name in _names(run.dag_id, task.task_id, instance[1]):
            outcome = self._outcomes.get(name)
            if outcome is None:
                continue
            if isinstance(outcome, Script):
                return outcome
            script = outcome(context_of(part.dag, _bare_call(part, run, instance, attempt, number)))
            if script is not None:
                refuse_unfit(script, task)
                return script
        return UNSCRIPTED


def _names(dag_id: str, task_id: str, map_index: int) -> list[str]:
    """What a task instance can be called, the most exact name first."""
    ids = [task_id] if map_index == UNMAPPED else [f"{task_id}[{map_index}]", task_id]
    return [name for each in ids for name in (f"{dag_id}/{each}", each)]


def _named(name: str, tasks: Mapping[str, TaskSpec]) -> TaskSpec:
    indexed = _INDEXED.fullmatch(name)
    whole = indexed[1] if indexed else name
    task = tasks.get(whole)
    if task is None:
        raise NotRehearsable(f"there is no task {name!r} to script", help=did_you_mean(whole, tasks))
    if indexed and task.scope is None:
        raise NotRehearsable(f"{task.task_id!r} has no instances: it is for no items", help=f"Write {whole!r}.")
    return task


def _bare_call(part: Part, run: Run, instance: Instance, attempt: int, number: int) -> Call:
    """As much of a call as a context is made of."""
    task_no, map_index = instance
    return Call(
        dag_id=run.dag_id,
        version=run.version,
        file=part.compiled.file,
        task_no=task_no,
        task_id=part.spec.tasks[task_no].task_id,
        run_id=run.run_id,
        attempt=attempt,
        number=number,
        start=run.interval.start,
        end=run.interval.end,
        params=run.params,
        map_index=map_index,
    )
