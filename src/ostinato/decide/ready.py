"""What a task instance begins with when nothing before it holds it up: most want a slot, others only wait for an answer.

What is waited for outside of the board (intervals of other runs, a call that is to be prepared) leaves no row: after a
restart the gates say again what they said, and it is asked for again.
"""

from collections.abc import Mapping

from ostinato.model.cause import Cause
from ostinato.model.change import SwitchedOff
from ostinato.model.record import Run
from ostinato.model.state import TaskState
from ostinato.model.time import Instant

from .alarm import approval_alert
from .capacity import Capacity
from .live import LiveRun
from .step import Calling, Needing, Scribe
from .timers import Timers

_OFF = {"success": Cause.SWITCHED_OFF_AS_SUCCESS, "skipped": Cause.SWITCHED_OFF_AS_SKIPPED}

_Waiting = dict[tuple[int, int], tuple[LiveRun, Needing]]
"""Task instances that wait for intervals, by run id and instance number."""


class Ready:
    """See the module. ``switched_off`` is by dag id and task id."""

    def __init__(self, scribe: Scribe, capacity: Capacity, timers: Timers) -> None:
        self._scribe = scribe
        self._capacity = capacity
        self._timers = timers
        self._needing: dict[str, dict[str | None, _Waiting]] = {}  # by the dag that is needed, and the task of it
        self.switched_off: Mapping[tuple[str, str], SwitchedOff] = {}

    def start(self, live: LiveRun, no: int, now: Instant) -> list[int]:
        """A task instance may start. Returns its number if it has thereby ended."""
        task = live.task(no)
        if not task.needs or self.is_off(live, no):
            return self.go(live, no, now)
        needing = Needing(live.run, no, task)
        for need in task.needs:
            of_dag = self._needing.setdefault(need.dag_id or live.run.dag_id, {})
            of_dag.setdefault(need.task_id, {})[live.run.run_id, no] = live, needing
        self._scribe.step.needs[live.run.run_id, no] = needing
        return []

    def go(self, live: LiveRun, no: int, now: Instant) -> list[int]:
        """The same, of one whose needs are met."""
        task = live.task(no)
        off = self.switched_off.get((live.run.dag_id, task.task_id))
        if off is not None:
            self._scribe.move_task(live, no, _OFF[off], now)
            return [no]
        match task.kind:
            case "interval":
                self._scribe.move_task(live, no, Cause.INTERVALS_DONE, now)
                return [no]
            case "file_sensor":
                live.waiting_since[no] = now
                self._scribe.move_task(live, no, Cause.AWAITED, now, now)
                self._timers.set(now, live.run.run_id, no)
            case "approval":
                live.waiting_since[no] = now
                due = live.gives_up_at(no)
                self._scribe.move_task(live, no, Cause.ASKED, now, due)
                self._scribe.step.commit.alerts.append(approval_alert(live.run, task, live.name(no), now))
                if due is not None:
                    self._timers.set(due, live.run.run_id, no)
            case "call":
                self._scribe.step.calls.append(Calling(live.run, no, live.instance(no)))
            case _:
                self._capacity.want(live, no)
        return []

    def is_off(self, live: LiveRun, no: int) -> bool:
        """Whether somebody has switched its task off."""
        return bool(self.switched_off) and (live.run.dag_id, live.task(no).task_id) in self.switched_off

    def succeeded(self, run: Run, task_id: str) -> None:
        """A task of a run has succeeded: whoever needs intervals of it asks again."""
        if run.dag_id in self._needing:
            self._ask_again(self._needing[run.dag_id], task_id)

    def over(self, run: Run) -> None:
        """A run has ended: whoever needs intervals of its dag, or of a task, asks again.

        However it ended: while it was open it stood in the way of a newer one that may have succeeded long ago.
        """
        of_dag = self._needing.get(run.dag_id, {})
        for task_id in of_dag:
            self._ask_again(of_dag, task_id)

    def _ask_again(self, of_dag: dict[str | None, _Waiting], task_id: str | None) -> None:
        waiting = of_dag.get(task_id, {})
        still = {key: of for key, of in waiting.items() if of[0].states[key[1]] is TaskState.NONE}
        self._scribe.step.needs.update((key, needing) for key, (_, needing) in still.items())
        if waiting:
            of_dag[task_id] = still

    def met(self, live: LiveRun, no: int) -> None:
        """What a task instance needed is there: it is asked for no more, also if that was to be done next."""
        self._scribe.step.needs.pop((live.run.run_id, no), None)
        for need in live.task(no).needs:
            dag_id = need.dag_id or live.run.dag_id
            of_dag = self._needing.get(dag_id, {})
            waiting = of_dag.get(need.task_id, {})
            waiting.pop((live.run.run_id, no), None)
            if not waiting:
                of_dag.pop(need.task_id, None)
            if not of_dag:
                self._needing.pop(dag_id, None)
