"""What arguments stand for, from what was written: outputs of one task or of all its instances, items, parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ostinato.model.message import Call
from ostinato.model.record import UNMAPPED
from ostinato.model.spec import Argument, ItemOf, OutputOf, ParamOf, Template, Value
from ostinato.model.state import TaskState
from ostinato.model.value import decode

from .edges import BEFORE_ALL_HAVE_ENDED
from .seen import SeenRun
from .trace import demand

if TYPE_CHECKING:
    from .witness import Witness


def demand_arguments(witness: Witness, call: Call) -> None:
    """Raise Violation unless an attempt is given just what its arguments stand for."""
    seen = witness.runs[call.run_id]
    task = seen.spec.tasks[call.task_no]
    given = [*call.args, *(value for _, value in call.kwargs)]
    asked = [*task.args, *(argument for _, argument in task.kwargs)]
    early = task.trigger_rule in BEFORE_ALL_HAVE_ENDED  # then it depends on when it was prepared
    for value, argument in zip(given, asked, strict=True):
        if not isinstance(argument, Template) and not (early and isinstance(argument, OutputOf)):
            wanted = value_of(witness, seen, argument, task.scope, call.map_index)
            demand(decode(value) == wanted, f"{task.task_id} is given {decode(value)}, not {wanted}", call.run_id)


def value_of(witness: Witness, seen: SeenRun, argument: Argument, scope_no: int | None, index: int) -> object:
    """What an argument stands for, for an instance of a scope or outside of any."""
    match argument:
        case Value(value):
            return value
        case ParamOf(name):
            return params_of(seen)[name]
        case ItemOf(name):
            return item_of(seen, scope_no or 0, index)[name]
        case OutputOf(no):
            return _output(witness, seen, no, scope_no, index)
        case Template(text):
            raise ValueError(f"{text} is filled from the run")


def params_of(seen: SeenRun) -> dict[str, object]:
    """The parameters of a run."""
    params = decode(seen.run.params)
    assert isinstance(params, dict)
    return params


def item_of(seen: SeenRun, scope_no: int, index: int) -> dict[str, object]:
    """What an instance of a scope is for."""
    item = decode(seen.items[scope_no][index])
    assert isinstance(item, dict)
    return item


def _output(witness: Witness, seen: SeenRun, no: int, scope_no: int | None, index: int) -> object:
    theirs = seen.spec.tasks[no].scope
    if theirs is None or theirs == scope_no:
        return _returned(witness, seen, no, UNMAPPED if theirs is None else index)
    count = len(seen.items[theirs])
    succeeded = [each for each in range(count) if seen.states[no, each] is TaskState.SUCCESS]
    return [_returned(witness, seen, no, each) for each in succeeded]


def _returned(witness: Witness, seen: SeenRun, no: int, index: int) -> object:
    output = witness.outputs.get((seen.run.run_id, no, index))
    return None if output is None else decode(output)
