"""Which script is whose: what a test says of tasks, checked against the dags that have them."""

from collections.abc import Callable, Iterable, Mapping

from ostinato.authoring.check import did_you_mean
from ostinato.authoring.context import Context
from ostinato.model.errors import NotRehearsable
from ostinato.model.spec import DagSpec, TaskKind, TaskSpec

from .script import UNSCRIPTED, Outcome, Script


class Outcomes:
    """``outcomes`` by task id, or by ``dag/task`` where it is meant for one dag only, which then counts more."""

    def __init__(self, outcomes: Mapping[str, Outcome], specs: Iterable[DagSpec]) -> None:
        self._outcomes = outcomes
        tasks = {name: task for spec in specs for task in spec.tasks for name in names(spec.dag_id, task.task_id)}
        for name, outcome in outcomes.items():
            task = tasks.get(name)
            if task is None:
                raise NotRehearsable(f"there is no task {name!r} to script", help=did_you_mean(name, tasks))
            if isinstance(outcome, Script):
                _refuse_unfit(outcome, task)

    def script(self, dag_id: str, task: TaskSpec, context: Callable[[], Context]) -> Script:
        """The script for an attempt. ``context`` is asked for only where a function wants it."""
        for name in names(dag_id, task.task_id):
            outcome = self._outcomes.get(name)
            if outcome is None:
                continue
            script = outcome if isinstance(outcome, Script) else outcome(context())
            if script is not None:
                _refuse_unfit(script, task)
                return script
        return UNSCRIPTED


def names(dag_id: str, task_id: str) -> tuple[str, str]:
    """What a task can be called, the exact name first."""
    return f"{dag_id}/{task_id}", task_id


_ARRIVES: tuple[TaskKind, ...] = ("sensor", "file_sensor")


def _refuse_unfit(script: Script, task: TaskSpec) -> None:
    if script.arrival is not None and task.kind not in _ARRIVES:
        raise NotRehearsable(f"{task.task_id!r} is no sensor: nothing arrives", help="Say what it returns(...).")
    if task.kind == "file_sensor" and (script.first or script.further != UNSCRIPTED.further):
        help = "Say when the file is there: arrives('2h')."
        raise NotRehearsable(f"{task.task_id!r} waits for a file: no attempt is made that could end so", help=help)
