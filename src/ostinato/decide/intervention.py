"""What somebody decides about a task instance: when it has no effect, and why not."""

from typing import Final

from ostinato.model.cause import Cause
from ostinato.model.record import Intervention
from ostinato.model.state import FINAL_TASK, TaskState

from .live import LiveRun

ANSWERS: Final = frozenset({"approve", "decline"})
MARKED: Final = {
    "mark_success": Cause.MARKED_SUCCESS,
    "mark_failed": Cause.MARKED_FAILED,
    "mark_skipped": Cause.MARKED_SKIPPED,
}


def refusal(live: LiveRun, what: Intervention) -> str | None:
    """Why it has no effect in a run that has begun; None: it has."""
    if live.cancelling:
        return "the run is being stopped"
    try:
        no = live.number((what.task_no, what.map_index))
    except LookupError:
        return "there is no such instance"
    state, task = live.states[no], live.task(no)
    if state in FINAL_TASK:
        return f"it has ended: {state}"
    if task.scope is not None and live.frames[no] is live.root:
        return "each of its instances is decided about by itself"
    if what.what not in ANSWERS or (task.approval is not None and state is TaskState.DEFERRED):
        return None
    return "it asks nobody anything" if task.approval is None else "it has not asked yet"
