"""Which scripts fit which kind of step: what makes no attempt cannot fail twice, and a person answers yes or no."""

from ostinato.model.errors import NotRehearsable, Skip
from ostinato.model.spec import TaskSpec

from .script import UNSCRIPTED, Raising, Returning, Script


def refuse_unfit(script: Script, task: TaskSpec) -> None:
    """Raises NotRehearsable for a script that says of a step what cannot be."""
    acts = bool(script.first) or script.further != UNSCRIPTED.further
    if script.arrival is not None and not (task.kind in {"sensor", "file_sensor"} or task.needs):
        raise NotRehearsable(f"{task.task_id!r} waits for nothing that arrives", help="Say what it returns(...).")
    match task.kind:
        case "file_sensor" if acts:
            raise _no_attempt(task, "waits for a file", "Say when the file is there: arrives('2h').")
        case "interval" if acts:
            raise _no_attempt(task, "waits for intervals", "Say when they are there: arrives('2h').")
        case "approval" if acts and answer(script) is None:
            raise _no_attempt(task, "asks a person", "Say what the answer is: takes('2h').returns(True).")
        case "call" if acts and _skips(script):
            raise _no_attempt(task, "calls another dag", "Its run fails(1, ...), or returns(None).")
        case _:
            pass


def answer(script: Script) -> bool | None:
    """What a person answers; None: nothing, or nothing that is an answer."""
    said = script.further.stand_in
    if script.first or not isinstance(said, Returning) or not isinstance(said.value, bool):
        return None
    return said.value


def _skips(script: Script) -> bool:
    said = script.further.stand_in
    return isinstance(said, Raising) and isinstance(said.error, Skip)


def _no_attempt(task: TaskSpec, what: str, help: str) -> NotRehearsable:
    return NotRehearsable(f"{task.task_id!r} {what}: no attempt is made that could end so", help=help)
