"""What a task instance has to do with the world outside of its run: runs it calls for, answers, intervals it needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ostinato.model.cause import Cause
from ostinato.model.change import CancelRequest, Event
from ostinato.model.record import Instance, Run
from ostinato.model.spec import Value
from ostinato.model.state import FINAL_RUN, FINAL_TASK, RunState, TaskState
from ostinato.model.value import decode

from .needed import has_all
from .seen import SeenRun
from .trace import demand

if TYPE_CHECKING:
    from .witness import Witness

_OFF: Final = {Cause.SWITCHED_OFF_AS_SUCCESS: "success", Cause.SWITCHED_OFF_AS_SKIPPED: "skipped"}


def hold_beginning(witness: Witness, seen: SeenRun, event: Event, at: Instance) -> None:
    """Raise Violation if a task instance begins that is switched off, or whose needs are not met."""
    run_id, task = event.run_id, seen.task(at)
    off = witness.wishes.known_off.get((seen.run.dag_id, task.task_id))
    demand(off is None, f"task {at} begins by {event.cause}, and is switched off as {off}", run_id)
    demand(at in seen.met or has_all(witness, seen, at), f"task {at} begins before what it needs is there", run_id)


def hold_switched_off(witness: Witness, seen: SeenRun, event: Event, at: Instance) -> None:
    """Raise Violation unless somebody has switched a task off so."""
    off = witness.wishes.known_off.get((seen.run.dag_id, seen.task(at).task_id))
    demand(off == _OFF[event.cause], f"task {at} ends by {event.cause}, it is switched off as {off}", event.run_id)


def hold_call(witness: Witness, seen: SeenRun, event: Event, at: Instance) -> None:
    """Raise Violation unless a call is made, refused or answered as it must be."""
    run_id, call = event.run_id, seen.task(at).call
    assert call is not None
    called_for = seen.children.get(at)
    child = None if called_for is None else witness.runs[called_for]
    match event.cause:
        case Cause.CHILD_CALLED | Cause.CHILD_LEFT:
            left_alone = event.cause is Cause.CHILD_LEFT  # else see `hold_callers`
            demand(child is not None or not left_alone, f"task {at} has called, and there is no run", run_id)
            demand(
                call.wait == (event.cause is Cause.CHILD_CALLED), f"task {at} waits, or does not, for its run", run_id
            )
            if child is not None:
                _is_as_called(witness, seen, at, child)
        case Cause.CALL_REFUSED:
            refused = child is None and not _may_be_called(witness, seen, at)
            demand(refused, f"task {at} could have called {call.dag_id}", run_id)
        case _:
            state = None if child is None else child.run.state
            fits = state in FINAL_RUN and (state is RunState.SUCCESS) == (event.cause is Cause.CHILD_SUCCEEDED)
            demand(fits, f"task {at} ends by {event.cause}, and its run is {state}", run_id)


def _may_be_called(witness: Witness, seen: SeenRun, at: Instance) -> bool:
    """Whether the dag is there, and has the parameters that it is given."""
    task = seen.task(at)
    spec = None if task.call is None else witness.deployed_now.get(task.call.dag_id)
    return spec is not None and {name for name, _ in task.kwargs} <= {param.name for param in spec.params}


def _is_as_called(witness: Witness, seen: SeenRun, at: Instance, child: SeenRun) -> None:
    task, run, run_id = seen.task(at), child.run, seen.run.run_id
    assert task.call is not None
    demand(_may_be_called(witness, seen, at), f"task {at} calls for what cannot be called", run_id)
    demand(child.spec == witness.deployed_now[task.call.dag_id], f"task {at} calls for an old version", run_id)
    demand(run.kind == "called" and run.interval == seen.run.interval, f"task {at} calls for {run}", run_id)
    given = {name: argument.value for name, argument in task.kwargs if isinstance(argument, Value)}
    wanted = {param.name: param.default for param in child.spec.params} | given
    demand(decode(run.params) == wanted, f"the run that task {at} calls for is given {decode(run.params)}", run_id)


def hold_callers(witness: Witness, run_id: int) -> None:
    """Raise Violation if a run, as it stands, has ended and its caller waits; or goes on, and its caller was stopped."""
    seen = witness.runs[run_id]
    over = seen.run.state in FINAL_RUN
    if seen.run.parent is not None:
        caller, *at = seen.run.parent
        waits = witness.runs[caller].states[at[0], at[1]] is TaskState.DEFERRED
        demand(not (over and waits), f"run {run_id} has ended, and the task that called for it waits", caller)
    for at, state in seen.states.items():
        has_called = state is TaskState.DEFERRED and seen.task(at).call is not None
        demand(not has_called or at in seen.children, f"task {at} waits for a run that was not made", run_id)
    for at, child_id in seen.children.items():
        call, child = seen.task(at).call, witness.runs[child_id]
        called_off = call is not None and call.wait and seen.states[at] in FINAL_TASK
        stops = child.cancelling or child.run.state in FINAL_RUN
        demand(stops or not called_off, f"run {child_id} goes on, and nothing waits for it any more", run_id)


def hold_stop(witness: Witness, request: CancelRequest) -> None:
    """Raise Violation unless the scheduler has a reason of its own to stop a run."""
    seen = witness.runs[request.run_id]
    called_off = False
    if seen.run.parent is not None:
        caller, *at = seen.run.parent
        called_off = witness.runs[caller].states[at[0], at[1]] in FINAL_TASK
    later = [other for other in witness.runs.values() if is_earlier(seen.run, other.run)]
    overlapped = any(other.spec.overlap == "cancel_previous" for other in later)
    demand(called_off or overlapped, f"run {request.run_id} is stopped, and nobody asked", request.run_id)


def hold_overlap(witness: Witness, seen: SeenRun, event: Event) -> None:
    """Raise Violation unless a run gives way to one that its schedule does not let go beside it."""
    other = witness.runs[int(str((event.facts or {})["run"]))]
    going = other.run.state not in FINAL_RUN and not other.cancelling
    skips = seen.spec.overlap == "skip" and is_earlier(other.run, seen.run)
    replaced = other.spec.overlap == "cancel_previous" and is_earlier(seen.run, other.run)
    demand(going and (skips or replaced), f"it gives way to run {other.run.run_id}", event.run_id)


def demand_no_overlap(witness: Witness) -> None:
    """Raise Violation if two runs go at once that their schedule does not let go at once."""
    going = [witness.runs[run_id] for run_id in witness.open]
    going = [seen for seen in going if seen.run.kind == "scheduled" and not seen.cancelling]
    for seen in going:
        if seen.spec.overlap != "queue":
            others = [other.run.run_id for other in going if is_earlier(other.run, seen.run)]
            demand(not others, f"it goes at once with {others}, and is to {seen.spec.overlap}", seen.run.run_id)


def is_earlier(run: Run, than: Run) -> bool:
    """Whether a run of a schedule was made earlier than another."""
    both = run.kind == than.kind == "scheduled" and run.dag_id == than.dag_id
    return both and run.run_id < than.run_id
