"""The live picture of all unfinished work, and the place where it is decided what happens to it.

Facts go in (`open_run`, `finished`, `agent_joined`, `tick`, ...), each with the instant it is learned; decisions collect
in a `Step`, which `take` hands out. The board does no I/O and asks no clock: the same facts in the same order give
the same decisions. If a commit fails, the board is thrown away and rebuilt from the store with `adopt`.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Final

from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, NewAttempt, Output, RejectedRecords
from ostinato.model.errors import InvariantBroken
from ostinato.model.limits import Limits
from ostinato.model.message import Failure, Finished, Hello, Started
from ostinato.model.record import OpenRun, Run
from ostinato.model.state import FINAL_RUN, AttemptState, RunState, TaskState
from ostinato.model.time import Instant

from .admission import Admission
from .alarm import failure_alert, recovery_alert, sensor_alert
from .capacity import Capacity
from .classify import classify
from .live import NOT_STARTED, LiveAttempt, LiveRun
from .retry import next_try
from .shape import Shape, verdict
from .step import Dispatch, Probe, Scribe, Step

LOST: Final = Failure(how="lost", message="the agent that ran it is gone")

_DISPATCHED_BY: Final = {
    TaskState.NONE: Cause.READY,
    TaskState.UP_FOR_RETRY: Cause.RETRY_DUE,
    TaskState.DEFERRED: Cause.CHECK_DUE,
}


class Board:
    """See the module. ``spread`` gives numbers in [0, 1) for the jitter of retries."""

    def __init__(self, limits: Limits, first_attempt: int, spread: Callable[[], float]) -> None:
        self._next_attempt = first_attempt
        self._spread = spread
        self._scribe = Scribe()
        self._timers: list[tuple[Instant, int, int]] = []
        self.runs: dict[int, LiveRun] = {}
        self.attempts: dict[int, LiveAttempt] = {}
        self.admission = Admission()
        self.capacity = Capacity(limits)

    def take(self) -> Step:
        """The decisions since the last call."""
        return self._scribe.take()

    # --- facts about runs ---------------------------------------------------------------------------------------

    def open_run(self, run: Run, shape: Shape, next_seq: int = 1) -> None:
        """A queued run. It begins when its dag's ``max_active_runs`` allows. One that is known already stays as it is."""
        if run.run_id not in self.runs and run.run_id not in self.admission:
            self.admission.wait(LiveRun(run, shape, next_seq))

    def adopt(self, found: OpenRun, shape: Shape, now: Instant) -> None:
        """An unfinished run as the store has it, after a restart."""
        if found.run.state is RunState.QUEUED:
            self.open_run(found.run, shape, found.next_seq)
            return
        live = LiveRun(found.run, shape, found.next_seq)
        live.recall(found)
        self.runs[found.run.run_id] = live
        self.admission.enter(live)
        for task in found.tasks:
            if task.state in {TaskState.DEFERRED, TaskState.UP_FOR_RETRY}:
                self._set_timer(live, task.task_no, now if task.due_at is None else task.due_at)
        for row in found.live:
            attempt = LiveAttempt(row.attempt, live, row.task_no, row.number, row.agent)
            attempt.state = row.state
            self._hold(attempt)
        self._resume(live, now)

    def cancel(self, run_id: int, by: str, now: Instant) -> None:
        """Somebody wants a run to stop. What has not started never will; what runs is told to stop."""
        live = self.admission.withdraw(run_id) or self.runs.get(run_id)
        if live is None or live.cancelling:
            return
        live.cancelling = True
        state = live.run.state
        self._scribe.record(live, Cause.CANCEL_REQUESTED, state, state, now, facts={"by": by})
        if state is RunState.QUEUED:
            self._scribe.move_run(live, Cause.CANCELLED, now)
        else:
            self._stop(live, now)

    # --- facts about agents and attempts ------------------------------------------------------------------------

    def agent_joined(self, hello: Hello, now: Instant) -> None:
        """An agent is there and says what it holds.

        What it should hold and does not was never delivered, and is sent again under the same id if it is still
        wanted. What it holds and should not is cancelled. Attempts of its dead predecessors end: those that had started
        as lost, the others as interrupted, which costs no budget.
        """
        holds = set(hello.holds)
        started = dict(hello.predecessors)
        for dead in started:
            self.capacity.unseat(dead)
        mine: set[int] = set()
        for attempt in list(self.attempts.values()):
            if attempt.agent != hello.agent:
                if not self.capacity.seated(attempt.agent):
                    self._lose(attempt, started.get(attempt.agent), now)
            elif attempt.live.cancelling and attempt.attempt not in holds:
                self._lose(attempt, (), now)
            else:
                mine.add(attempt.attempt)
                if attempt.attempt not in holds:
                    self._send(attempt)
                elif attempt.live.cancelling:
                    self._tell_to_stop(attempt.agent, attempt.attempt)
        self.capacity.seat(hello.agent, hello.window, mine)
        for foreign in sorted(holds - mine):
            self._tell_to_stop(hello.agent, foreign)

    def agent_gone(self, agent: str) -> None:
        """The connection to an agent ended. What it has stays its own until it, or its successor, speaks."""
        self.capacity.unseat(agent)

    def started(self, agent: str, report: Started, now: Instant) -> None:
        """An attempt has outlived a beat. One that is known to run stays as it is, one that is not live is stopped."""
        attempt = self.attempts.get(report.attempt)
        if attempt is None:
            self._tell_to_stop(agent, report.attempt)
        if attempt is None or attempt.state is not AttemptState.QUEUED:
            return
        move = AttemptMove(attempt.attempt, attempt.state, AttemptState.RUNNING, started_at=report.at, log=report.log)
        attempt.state = AttemptState.RUNNING
        self._scribe.step.commit.attempts.append(move)
        self._scribe.move_task(attempt.live, attempt.task_no, Cause.STARTED, now)

    def finished(self, agent: str | None, report: Finished, now: Instant) -> None:
        """An attempt ended. It takes effect only if the attempt is live; the agent that reports it hears in any case.

        ``agent`` is None for an attempt that was never sent, because it could not be prepared.
        """
        if agent is not None:
            self._scribe.step.acknowledge.setdefault(agent, []).append(report.attempt)
        attempt = self.attempts.get(report.attempt)
        if attempt is None:
            return
        self._release(attempt)
        match report.verdict:
            case "success":
                self._succeed(attempt, report, Cause.REPORTED_SUCCESS, now)
            case "skipped":
                self._succeed(attempt, report, Cause.REPORTED_SKIP, now)
            case "not_yet":
                self._not_yet(attempt, report, now)
            case "failed":
                self._fail(attempt, report, report.failure or LOST, now)
            case "cancelled":
                self._taken_down(attempt, report, now)
            case _:
                self.capacity.close(attempt.agent)  # it stops, and would give back whatever it is sent
                self._taken_down(attempt, report, now)

    def probed(self, run_id: int, task_no: int, now: Instant, *, found: bool) -> None:
        """A file sensor was looked at."""
        live = self.runs.get(run_id)
        if live is None or live.states[task_no] is not TaskState.DEFERRED:
            return
        if found:
            self._settle(live, task_no, Cause.CONDITION_MET, now)
        elif now >= live.sensor_gives_up_at(task_no):
            self._give_up_waiting(live, task_no, now)
        else:
            self._set_timer(live, task_no, live.next_look_at(task_no, now))

    # --- time ---------------------------------------------------------------------------------------------------

    def tick(self, now: Instant) -> None:
        """Do what is due: wake sensors and retries, admit runs, hand out work."""
        while self._timers and self._timers[0][0] <= now:
            _, run_id, task_no = heappop(self._timers)
            live = self.runs.get(run_id)
            if live is not None:
                self._wake(live, task_no)
        while (live := self.admission.next()) is not None:
            self.runs[live.run.run_id] = live
            live.begin()
            self._scribe.move_run(live, Cause.ADMITTED, now)
            for task_no in live.shape.roots:
                self._make_ready(live, task_no, now)
            self._finish_if_done(live, now)
        while (grant := self.capacity.grant()) is not None:
            self._dispatch(*grant, now)

    def next_due(self) -> Instant | None:
        """When `tick` will have something to do although nothing else happens; None: never."""
        return self._timers[0][0] if self._timers else None

    # --- how attempts begin and end -----------------------------------------------------------------------------

    def _dispatch(self, live: LiveRun, task_no: int, agent: str, now: Instant) -> None:
        attempt_id = self._next_attempt
        self._next_attempt += 1
        number = live.tries.get(task_no, 0) + 1
        live.tries[task_no] = number
        live.last_attempt[task_no] = attempt_id
        if live.shape.tasks[task_no].sensor is not None:
            live.waiting_since.setdefault(task_no, now)
        attempt = LiveAttempt(attempt_id, live, task_no, number, agent)
        row = NewAttempt(attempt_id, live.run.run_id, task_no, number, agent, now)
        self._scribe.step.commit.new_attempts.append(row)
        self._scribe.move_task(live, task_no, _DISPATCHED_BY[live.states[task_no]], now)
        self._hold(attempt)
        self._send(attempt)

    def _succeed(self, attempt: LiveAttempt, report: Finished, cause: Cause, now: Instant) -> None:
        live, task_no = attempt.live, attempt.task_no
        self._scribe.move_attempt(attempt, cause, report)
        commit = self._scribe.step.commit
        if report.output is not None:
            commit.outputs.append(Output(live.run.run_id, task_no, report.output))
        for letters in report.dead_letters:
            commit.rejected.append(RejectedRecords(live.run.run_id, task_no, attempt.attempt, now, letters))
        self._settle(live, task_no, cause, now)

    def _not_yet(self, attempt: LiveAttempt, report: Finished, now: Instant) -> None:
        live, task_no = attempt.live, attempt.task_no
        if live.cancelling:
            self._taken_down(attempt, report, now)
            return
        self._scribe.move_attempt(attempt, Cause.REPORTED_NOT_YET, report)
        if now >= live.sensor_gives_up_at(task_no):
            self._give_up_waiting(live, task_no, now)
        else:
            due = live.next_look_at(task_no, now)
            self._scribe.move_task(live, task_no, Cause.REPORTED_NOT_YET, now, due)
            self._set_timer(live, task_no, due)

    def _fail(self, attempt: LiveAttempt, report: Finished | None, failure: Failure, now: Instant) -> None:
        live, task_no = attempt.live, attempt.task_no
        if live.cancelling:
            self._taken_down(attempt, report, now)
            return
        classified = classify(failure)
        spent = live.count_failure(task_no, classified.error_class)
        delay = next_try(attempt.task.retry, classified.error_class, spent, self._spread())
        facts: dict[str, object] = {
            "class": classified.error_class.value,
            "rule": classified.rule,
            "error": failure.types[0] if failure.types else failure.how,
            "failures": spent,
        }
        lost = failure.how == "lost"
        if delay is None:
            cause = Cause.LOST_FINALLY if lost else Cause.FAILED_FINALLY
            self._scribe.move_attempt(attempt, cause, report, classified.error_class, failure)
            alert = failure_alert(live.run, attempt.task, classified, failure, attempt.number, now)
            self._scribe.step.commit.alerts.append(alert)
            self._settle(live, task_no, cause, now, facts)
        else:
            cause = Cause.LOST_WILL_RETRY if lost else Cause.FAILED_WILL_RETRY
            self._scribe.move_attempt(attempt, cause, report, classified.error_class, failure)
            facts["delay_ms"] = delay
            self._scribe.move_task(live, task_no, cause, now, now + delay, facts)
            self._set_timer(live, task_no, now + delay)

    def _taken_down(self, attempt: LiveAttempt, report: Finished | None, now: Instant) -> None:
        """It was stopped before it could end: because its run is cancelled, or its agent stopped. Costs no budget."""
        live, task_no = attempt.live, attempt.task_no
        if live.cancelling:
            self._scribe.move_attempt(attempt, Cause.CANCEL_CONFIRMED, report)
            self._settle(live, task_no, Cause.CANCEL_CONFIRMED, now)
        else:
            self._scribe.move_attempt(attempt, Cause.INTERRUPTED, report)
            self._scribe.move_task(live, task_no, Cause.INTERRUPTED, now, now)
            self._set_timer(live, task_no, now)

    def _lose(self, attempt: LiveAttempt, started: tuple[int, ...] | None, now: Instant) -> None:
        """Its agent is dead. ``started`` is what that agent had begun; None: nobody knows, so it may have."""
        self._release(attempt)
        if started is not None and attempt.attempt not in started:
            self._taken_down(attempt, None, now)
        else:
            self._fail(attempt, None, LOST, now)

    def _give_up_waiting(self, live: LiveRun, task_no: int, now: Instant) -> None:
        self._scribe.step.commit.alerts.append(sensor_alert(live.run, live.shape.tasks[task_no], now))
        self._settle(live, task_no, Cause.CONDITION_TIMED_OUT, now)

    def _hold(self, attempt: LiveAttempt) -> None:
        self.attempts[attempt.attempt] = attempt
        attempt.live.live_attempt[attempt.task_no] = attempt.attempt
        self.capacity.occupy(attempt)

    def _release(self, attempt: LiveAttempt) -> None:
        del self.attempts[attempt.attempt]
        del attempt.live.live_attempt[attempt.task_no]
        self._scribe.step.dispatches.pop(attempt.attempt, None)
        self.capacity.leave(attempt)

    def _send(self, attempt: LiveAttempt) -> None:
        dispatch = Dispatch(attempt.agent, attempt.attempt, attempt.live.run, attempt.task_no, attempt.number)
        self._scribe.step.dispatches[attempt.attempt] = dispatch

    def _tell_to_stop(self, agent: str, attempt: int) -> None:
        self._scribe.step.cancel.setdefault(agent, []).append(attempt)

    # --- moving along the graph ---------------------------------------------------------------------------------

    def _settle(
        self, live: LiveRun, task_no: int, cause: Cause, now: Instant, facts: dict[str, object] | None = None
    ) -> None:
        """A task instance reaches a final state; all that follows from it follows in the same commit."""
        self._scribe.move_task(live, task_no, cause, now, facts=facts)
        ended = [task_no]
        while ended:
            member = ended.pop()
            live.settle(member)
            for gate in live.shape.feeds[member]:
                ended.extend(self._pass(live, gate, now))
        self._finish_if_done(live, now)

    def _pass(self, live: LiveRun, gate_no: int, now: Instant) -> list[int]:
        """Apply what a gate says to its members, once; return those that ended by it."""
        gate, count = live.shape.gates[gate_no], live.counts[gate_no]
        becomes = None if count.decided else verdict(gate, count)
        if becomes is None or live.cancelling:
            return []
        count.decided = True
        waiting = [member for member in gate.members if live.states[member] is TaskState.NONE]
        if becomes is TaskState.QUEUED:
            for member in waiting:
                self._make_ready(live, member, now)
            return []
        cause = Cause.UPSTREAM_FAILED if becomes is TaskState.UPSTREAM_FAILED else Cause.UPSTREAM_SKIPPED
        for member in waiting:
            self._scribe.move_task(live, member, cause, now)
        return waiting

    def _make_ready(self, live: LiveRun, task_no: int, now: Instant) -> None:
        """A task may start: a file sensor is looked at, everything else waits for a slot."""
        task = live.shape.tasks[task_no]
        if task.kind == "file_sensor":
            live.waiting_since[task_no] = now
            self._scribe.move_task(live, task_no, Cause.AWAITED, now, now)
            self._set_timer(live, task_no, now)
        else:
            self.capacity.want(live, task_no)

    def _finish_if_done(self, live: LiveRun, now: Instant) -> None:
        if live.left or live.run.state in FINAL_RUN:
            return
        if live.cancelling:
            self._scribe.move_run(live, Cause.CANCEL_CONFIRMED, now)
        elif live.has_failed():
            self._scribe.move_run(live, Cause.TASKS_FAILED, now)
        else:
            self._scribe.move_run(live, Cause.TASKS_SUCCEEDED, now)
            self._scribe.step.commit.alerts.append(recovery_alert(live.run, now))
            self._scribe.step.succeeded.append(live.run)
        del self.runs[live.run.run_id]
        self.admission.leave(live)

    def _stop(self, live: LiveRun, now: Instant) -> None:
        """End what has not started, and tell the agents to end what has."""
        for task_no, state in enumerate(live.states):
            if state in NOT_STARTED:
                self._scribe.move_task(live, task_no, Cause.CANCELLED, now)
                live.settle(task_no)
        for attempt in live.live_attempt.values():
            self._tell_to_stop(self.attempts[attempt].agent, attempt)
        self._finish_if_done(live, now)

    def _resume(self, live: LiveRun, now: Instant) -> None:
        """After a restart: let every gate say again what it said before, and want what has not begun."""
        if live.run.cancel_requested_at is not None:
            return  # its request is found, and acted on, like a new one
        for task_no in live.shape.roots:
            if live.states[task_no] is TaskState.NONE:
                self._make_ready(live, task_no, now)
        for gate in range(len(live.shape.gates)):
            if self._pass(live, gate, now):
                raise InvariantBroken("a task's end was not recorded with its cause", where=f"run {live.run.run_id}")
        self._finish_if_done(live, now)

    def _wake(self, live: LiveRun, task_no: int) -> None:
        """A timer of a task is due: a file sensor is looked at; a retry or a sensor's next look wants a slot."""
        state = live.states[task_no]
        if live.shape.tasks[task_no].kind == "file_sensor" and state is TaskState.DEFERRED:
            self._scribe.step.probes.append(Probe(live.run, task_no))
        elif state in {TaskState.DEFERRED, TaskState.UP_FOR_RETRY}:
            self.capacity.want(live, task_no)

    def _set_timer(self, live: LiveRun, task_no: int, due: Instant) -> None:
        heappush(self._timers, (due, live.run.run_id, task_no))
