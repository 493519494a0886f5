"""The live picture of all unfinished work, and the place where it is decided what happens to it.

Facts go in (`open_run`, `finished`, `agent_joined`, `tick`, ...), each with the instant it is learned; decisions collect
in a `Step`, which `take` hands out. The board does no I/O and asks no clock: the same facts in the same order give
the same decisions. If a commit fails, the board is thrown away and rebuilt from the store with `adopt`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from ostinato.model.cause import Cause
from ostinato.model.change import CancelRequest, NewRun, SwitchedOff
from ostinato.model.limits import Limits
from ostinato.model.message import Finished, Hello, Started
from ostinato.model.record import Intervention, OpenRun, Run, instance_name
from ostinato.model.spec import TaskSpec
from ostinato.model.state import FINAL_TASK, RunState, TaskState
from ostinato.model.time import Instant

from .admission import Admission
from .alarm import approval_over, call_alert, recovery_alert, rejects_over
from .capacity import Capacity
from .intervention import ANSWERS, MARKED, refusal
from .live import LiveAttempt, LiveRun
from .overlap import earlier, may_overlap
from .ready import Ready
from .shape import Shape
from .share import Terms
from .step import Calling, Needing, Probe, Scribe, Step, Unfolding
from .timers import Timers
from .trials import Trials
from .walk import Walk

_WITH_TIMER: Final = frozenset({TaskState.DEFERRED, TaskState.UP_FOR_RETRY})


class Board:
    """See the module. For ``spread`` and ``attempt_set_back`` see `Trials`."""

    def __init__(
        self, limits: Limits, first_attempt: int, spread: Callable[[], float], attempt_set_back: int = 0
    ) -> None:
        self._scribe = Scribe()
        self._timers = Timers()
        self.runs: dict[int, LiveRun] = {}
        self._arrived: list[int] = []
        self.admission = Admission()
        self.capacity = Capacity(limits)
        self.ready = Ready(self._scribe, self.capacity, self._timers)
        self._walk = Walk(self._scribe, self.ready, self._over)
        self._trials = Trials(
            self._scribe, self.capacity, self._timers, self._walk, first_attempt, spread, attempt_set_back
        )
        self.attempts = self._trials.live

    def __contains__(self, run_id: int) -> bool:
        return run_id in self.runs or run_id in self.admission

    def is_going(self, dag_id: str) -> bool:
        """Whether a scheduled run of a dag is not over."""
        unfinished = (*self.runs.values(), *self.admission.waiting())
        return any(live.run.dag_id == dag_id and live.run.kind == "scheduled" for live in unfinished)

    def take(self) -> Step:
        """The decisions since the last call."""
        return self._scribe.take()

    # --- facts about runs ---------------------------------------------------------------------------------------

    def open_run(self, run: Run, shape: Shape, next_seq: int = 1) -> None:
        """A queued run. It begins when its dag's ``max_active_runs`` allows. One that is known already stays as it is."""
        self._wait(LiveRun(run, shape, next_seq))

    def adopt(self, found: OpenRun, shape: Shape, now: Instant) -> None:
        """An unfinished run as the store has it, after a restart."""
        live = LiveRun(found.run, shape, found.next_seq, found)
        if found.run.state is RunState.QUEUED:
            self._wait(live)
            return
        live.begin()
        self.runs[found.run.run_id] = live
        self.admission.enter(live)
        for task in found.tasks:
            if task.state in _WITH_TIMER:
                no = live.number((task.task_no, task.map_index))
                self._timers.set(now if task.due_at is None else task.due_at, live.run.run_id, no)
        for row in found.live:
            attempt = LiveAttempt(row.attempt, live, live.number((row.task_no, row.map_index)), row.number, row.agent)
            attempt.state = row.state
            self._trials.hold(attempt)
        if found.run.cancel_requested_at is None:  # else its request is found, and acted on, like a new one
            self._walk.demand_whole(live)
            self._walk.begin(live, now)

    def set_backfills(self, terms: Mapping[int, Terms]) -> None:
        """What each backfill that is not over was granted, by its number."""
        self.admission.set_backfills(terms)
        self.capacity.set_backfills(terms)

    def set_switched_off(self, off: Mapping[tuple[str, str], SwitchedOff], now: Instant) -> None:
        """How tasks end that people have switched off, by dag id and task id. What waits to begin ends so at once."""
        if off != self.ready.switched_off:
            self.ready.switched_off = off
            for live in list(self.runs.values()):
                self._walk.switched_off(live, now)

    def cancel(self, run_id: int, by: str, now: Instant) -> None:
        """Somebody wants a run to stop. What has not started never will; what runs is told to stop."""
        live = self.admission.withdraw(run_id) or self.runs.get(run_id)
        if live is None or live.cancelling:
            return
        live.cancelling = True
        state = live.run.state
        self._scribe.record(live, Cause.CANCEL_REQUESTED, state, state, now, facts={"by": by})
        if state is RunState.QUEUED:
            self._never_begins(live, Cause.CANCELLED, now)
            self._answer_caller(live.run, now)
        else:
            self._stop(live, by, now)

    def decided(self, what: Intervention, now: Instant) -> None:
        """Somebody decides about a task instance. In a run that has not begun this waits; what has no effect is recorded."""
        waiting = self.admission.find(what.run_id)
        if waiting is not None:
            waiting.decisions[what.intervention_id] = what
            return
        self._scribe.step.commit.taken.append(what.intervention_id)
        live = self.runs.get(what.run_id)
        if live is None:
            return
        why = refusal(live, what)
        if why is not None:
            task = instance_name(live.shape.spec, what.task_no, what.map_index)
            facts: dict[str, object] = {"task": task, "what": what.what, "by": what.by, "why": why}
            self._scribe.record(live, Cause.DECISION_REFUSED, live.run.state, live.run.state, now, facts=facts)
            return
        no = live.number((what.task_no, what.map_index))
        if what.what in ANSWERS:
            self._answer(live, no, what, now)
        else:
            self._mark(live, no, MARKED[what.what], what.by, now)

    def _answer(self, live: LiveRun, no: int, what: Intervention, now: Instant) -> None:
        if what.what == "decline":
            self._decline(live, no, {"by": what.by}, now)
        else:
            self._scribe.step.commit.alerts.append(approval_over(live.run, live.task(no), live.name(no), now))
            self._walk.settle(live, no, Cause.APPROVED, now, {"by": what.by})

    def _mark(self, live: LiveRun, no: int, cause: Cause, by: str, now: Instant) -> None:
        """Whatever a task instance is doing, it ends so; what it has begun is told to stop."""
        attempt = live.live_attempt.get(no)
        if attempt is not None:
            self._trials.release(attempt)
            self._trials.tell_to_stop(attempt.agent, attempt.attempt)
            self._scribe.move_attempt(attempt, cause, None)
        waits = live.states[no] is TaskState.DEFERRED
        self._walk.settle(live, no, cause, now, {"by": by})
        if waits:
            self._call_off(live, no, by, now)

    # --- facts about agents and attempts ------------------------------------------------------------------------

    def agent_joined(self, hello: Hello, now: Instant) -> None:
        """An agent is there and says what it holds.

        What it should hold and does not was never delivered, and is sent again under the same id if it is still
        wanted; unless the state was set back since: then it may have had its end, so it gets a new id. What it holds and
        should not is cancelled. Attempts of its dead predecessors end: those that had started as lost, the others as
        interrupted, which costs no budget.
        """
        self._trials.joined(hello, now)

    def agent_gone(self, agent: str) -> None:
        """The connection to an agent ended. What it has stays its own until it, or its successor, speaks."""
        self.capacity.unseat(agent)

    def started(self, agent: str, report: Started, now: Instant) -> None:
        """An attempt has outlived a beat. One that is known to run stays as it is, one that is not live is stopped."""
        self._trials.started(agent, report, now)

    def finished(self, agent: str | None, report: Finished, now: Instant) -> None:
        """An attempt ended. It takes effect only if the attempt is live; the agent that reports it hears in any case.

        ``agent`` is None for an attempt that was never sent, because it could not be prepared.
        """
        if agent is not None:
            self._scribe.step.acknowledge.setdefault(agent, []).append(report.attempt)
        attempt = self.attempts.get(report.attempt)
        if attempt is not None:
            self._trials.end(attempt, report, now)

    # --- answers ------------------------------------------------------------------------------------------------

    def probed(self, probe: Probe, now: Instant, *, found: bool) -> None:
        """A file sensor was looked at."""
        live = self.runs.get(probe.run.run_id)
        if live is None or live.states[probe.no] is not TaskState.DEFERRED:
            return
        if found:
            self._walk.settle(live, probe.no, Cause.CONDITION_MET, now)
        elif live.is_out_of_patience(probe.no, now):
            self._trials.give_up_waiting(live, probe.no, now)
        else:
            self._timers.set(live.next_look_at(probe.no, now), live.run.run_id, probe.no)

    def needs_met(self, needing: Needing, now: Instant) -> None:
        """The intervals that a task instance needs have succeeded."""
        live = self._unstarted(needing.run, needing.no)
        if live is not None:
            self._walk.ready(live, needing.no, now)

    def unfolded(self, asked: Unfolding, items: Sequence[bytes], now: Instant) -> None:
        """The items of a scope, each in stored form. For a loop, that of its next turn; none: it is over."""
        live = self._awaiting(asked)
        if live is not None:
            self._walk.unfolded(live, asked, items, now)

    def not_unfolded(self, asked: Unfolding, why: str, now: Instant) -> None:
        """A scope has no items to unfold to, or a loop no next turn, because something is wrong."""
        live = self._awaiting(asked)
        if live is not None:
            self._walk.not_unfolded(live, asked, why, now)

    def called(self, calling: Calling, child: NewRun, now: Instant) -> None:
        """The run that a task instance calls for, ready to be made."""
        live = self._unstarted(calling.run, calling.no)
        if live is None:
            return
        self._scribe.step.commit.new_runs.append(child)
        call = live.task(calling.no).call
        facts: dict[str, object] = {"dag": child.dag_id, "run_key": child.run_key}
        if call is not None and call.wait:
            self._scribe.move_task(live, calling.no, Cause.CHILD_CALLED, now, facts=facts)
        else:
            self._walk.settle(live, calling.no, Cause.CHILD_LEFT, now, facts)

    def not_called(self, calling: Calling, why: str, now: Instant) -> None:
        """The run that a task instance calls for cannot be made."""
        live = self._unstarted(calling.run, calling.no)
        if live is not None:
            self._scribe.step.commit.alerts.append(call_alert(live.run, live.task(calling.no), why, now))
            self._walk.settle(live, calling.no, Cause.CALL_REFUSED, now, {"why": why})

    def _unstarted(self, run: Run, no: int) -> LiveRun | None:
        live = self.runs.get(run.run_id)
        return None if live is None or live.cancelling or live.states[no] is not TaskState.NONE else live

    def _awaiting(self, asked: Unfolding) -> LiveRun | None:
        """The run of a scope that still waits for just this answer."""
        live = self.runs.get(asked.run.run_id)
        if live is None or live.cancelling:
            return None
        scope = live.scopes.get(asked.scope_no)
        whole = live.states[live.shape.scopes[asked.scope_no].members[0]]
        if asked.turn:
            return live if scope and len(scope.frames) == asked.turn and whole not in FINAL_TASK else None
        return live if scope is None and whole is TaskState.NONE else None

    # --- time ---------------------------------------------------------------------------------------------------

    def tick(self, now: Instant) -> None:
        """Do what is due: wake sensors and retries, admit runs, hand out work."""
        for run_id, no in self._timers.due(now):
            live = self.runs.get(run_id)
            if live is not None:
                self._wake(live, no, now)
        for run_id in self._arrived:
            self._overlap(run_id, now)
        self._arrived.clear()
        while (live := self.admission.next()) is not None:
            self.runs[live.run.run_id] = live
            live.begin()
            self._scribe.move_run(live, Cause.ADMITTED, now)
            self._scribe.step.commit.alerts.append(rejects_over(live.run, now))
            self._walk.begin(live, now)
            for what in live.decisions.values():
                self.decided(what, now)
        while (grant := self.capacity.grant()) is not None:
            self._trials.dispatch(*grant, now)

    def next_due(self) -> Instant | None:
        """When `tick` will have something to do although nothing else happens; None: never."""
        return self._timers.next()

    # --- how runs begin and end ---------------------------------------------------------------------------------

    def _wait(self, live: LiveRun) -> None:
        """A queued run waits for admission, unless it is known already."""
        run_id = live.run.run_id
        if run_id not in self:
            self.admission.wait(live)
            if not may_overlap(live):
                self._arrived.append(run_id)

    def _overlap(self, run_id: int, now: Instant) -> None:
        """A run has come whose schedule has an earlier one going: it is not made, or the earlier ones end."""
        live = self.admission.find(run_id)
        if live is None:
            return
        before = earlier(live.run, (*self.runs.values(), *self.admission.waiting()))
        if live.shape.spec.overlap == "cancel_previous":
            for old in before:
                self._replace(old, run_id, now)
        elif before:
            self.admission.withdraw(run_id)
            self._never_begins(live, Cause.OVERLAPPED, now, {"run": before[0].run.run_id})

    def _replace(self, old: LiveRun, by: int, now: Instant) -> None:
        """An earlier run gives way to a later one."""
        if self.admission.withdraw(old.run.run_id) is not None:
            self._never_begins(old, Cause.OVERLAPPED, now, {"run": by})
        else:
            who = f"run {by}, which its schedule made later"
            self._scribe.step.commit.cancel_requests.append(CancelRequest(old.run.run_id, who, now))
            self.cancel(old.run.run_id, who, now)

    def _never_begins(self, live: LiveRun, cause: Cause, now: Instant, facts: dict[str, object] | None = None) -> None:
        """A queued run ends, and so it never was: what is known of its interval is again what was known before."""
        self._scribe.move_run(live, cause, now, facts)
        self._walk.run_over(live.run)

    def _over(self, live: LiveRun, now: Instant) -> None:
        """All its tasks are final: so is the run, and the task that called for it."""
        step = self._scribe.step
        if live.cancelling:
            self._scribe.move_run(live, Cause.CANCEL_CONFIRMED, now)
        elif live.has_failed():
            self._scribe.move_run(live, Cause.TASKS_FAILED, now)
        else:
            self._scribe.move_run(live, Cause.TASKS_SUCCEEDED, now)
            step.commit.alerts.append(recovery_alert(live.run, now))
            step.succeeded.append(live.run)
        del self.runs[live.run.run_id]
        self.admission.leave(live)
        self._answer_caller(live.run, now)
        self._walk.run_over(live.run)

    def _answer_caller(self, run: Run, now: Instant) -> None:
        """A run that was called for has ended: so does the task instance that waits for it."""
        if run.parent is None:
            return
        run_id, *instance = run.parent
        live = self.runs.get(run_id)
        if live is None:
            return
        no = live.number((instance[0], instance[1]))
        if live.states[no] is not TaskState.DEFERRED:
            return
        facts: dict[str, object] = {"run": run.run_id}
        if run.state is RunState.SUCCESS:
            self._walk.settle(live, no, Cause.CHILD_SUCCEEDED, now, facts)
        else:
            why = f"run {run.run_id} of {run.dag_id}, which it called, was {run.state}"
            self._scribe.step.commit.alerts.append(call_alert(live.run, live.task(no), why, now))
            self._walk.settle(live, no, Cause.CHILD_FAILED, now, facts)

    def _stop(self, live: LiveRun, by: str, now: Instant) -> None:
        """End what has not started, tell the agents to end what has, and stop the runs that it called for."""
        waiting = [no for no, state in enumerate(live.states) if state is TaskState.DEFERRED]
        for attempt in live.live_attempt.values():
            self._trials.tell_to_stop(attempt.agent, attempt.attempt)
        self._walk.stop(live, now)
        for no in waiting:
            self._call_off(live, no, by, now)

    def _call_off(self, live: LiveRun, no: int, by: str, now: Instant) -> None:
        """A task instance that waited has ended: nobody need answer it, and nobody need run for it."""
        task = live.task(no)
        if task.approval is not None:
            self._scribe.step.commit.alerts.append(approval_over(live.run, task, live.name(no), now))
        parent = (live.run.run_id, *live.instance(no))
        made = self._scribe.step.commit.new_runs
        made[:] = [new for new in made if new.parent != parent]  # one that is only about to be made is not made
        for child in [each.run for each in (*self.runs.values(), *self.admission.waiting())]:
            if task.call is not None and child.parent == parent:
                self._scribe.step.commit.cancel_requests.append(CancelRequest(child.run_id, by, now))
                self.cancel(child.run_id, by, now)

    def _wake(self, live: LiveRun, no: int, now: Instant) -> None:
        """A timer is due: a file sensor is looked at, a question was asked in vain, all others want a slot."""
        state, task = live.states[no], live.task(no)
        if state is TaskState.UP_FOR_RETRY or (state is TaskState.DEFERRED and _looks_itself(task)):
            self.capacity.want(live, no)
        elif state is TaskState.DEFERRED and task.kind == "file_sensor":
            self._scribe.step.probes.append(Probe(live.run, no, live.task_no(no)))
        elif state is TaskState.DEFERRED and task.approval is not None and live.is_out_of_patience(no, now):
            self._decline(live, no, {"timed_out": True}, now)

    def _decline(self, live: LiveRun, no: int, facts: dict[str, object], now: Instant) -> None:
        task = live.task(no)
        as_failure = task.approval is not None and task.approval.no == "fail"
        self._scribe.step.commit.alerts.append(approval_over(live.run, task, live.name(no), now))
        self._walk.settle(live, no, Cause.DECLINED_AS_FAILURE if as_failure else Cause.DECLINED, now, facts)


def _looks_itself(task: TaskSpec) -> bool:
    """Whether a sensor's own code looks for what it waits for."""
    return task.sensor is not None and task.kind != "file_sensor"
