"""How attempts begin and end, and what that makes of their task instances."""

from collections.abc import Callable
from typing import Final

from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, NewAttempt, Output, RejectedRecords
from ostinato.model.message import Failure, Finished, Hello, Started
from ostinato.model.state import AttemptState, TaskState
from ostinato.model.time import Instant

from .alarm import failure_alert, rejects_alert, sensor_alert
from .capacity import Capacity
from .classify import classify
from .live import LiveAttempt, LiveRun
from .retry import next_try
from .step import Dispatch, Scribe
from .timers import Timers
from .walk import Walk

LOST: Final = Failure(how="lost", message="the agent that ran it is gone")

_DISPATCHED_BY: Final = {
    TaskState.NONE: Cause.READY,
    TaskState.UP_FOR_RETRY: Cause.RETRY_DUE,
    TaskState.DEFERRED: Cause.CHECK_DUE,
}


class Trials:
    """See the module. ``live`` are the attempts that an agent has or is about to be told of, by id.

    ``spread`` gives numbers in [0, 1) for the jitter of retries. Of attempts up to ``set_back`` it is known how they stood
    when the state was set back to an earlier moment, and not what became of them afterwards; 0: it never was.
    """

    def __init__(
        self,
        scribe: Scribe,
        capacity: Capacity,
        timers: Timers,
        walk: Walk,
        first: int,
        spread: Callable[[], float],
        set_back: int,
    ) -> None:
        self._scribe = scribe
        self._capacity = capacity
        self._timers = timers
        self._walk = walk
        self._next_attempt = first
        self._spread = spread
        self._set_back = set_back
        self.live: dict[int, LiveAttempt] = {}

    def dispatch(self, live: LiveRun, no: int, agent: str, now: Instant) -> None:
        """A task instance gets an agent: a new attempt is made and sent."""
        attempt_id = self._next_attempt
        self._next_attempt += 1
        number = live.tries.get(no, 0) + 1
        live.tries[no] = number
        live.last_attempt[no] = attempt_id
        if live.task(no).sensor is not None:
            live.waiting_since.setdefault(no, now)
        attempt = LiveAttempt(attempt_id, live, no, number, agent)
        task_no, map_index = live.instance(no)
        row = NewAttempt(attempt_id, live.run.run_id, task_no, number, agent, now, map_index)
        self._scribe.step.commit.new_attempts.append(row)
        self._scribe.move_task(live, no, _DISPATCHED_BY[live.states[no]], now)
        self.hold(attempt)
        self.send(attempt)

    def joined(self, hello: Hello, now: Instant) -> None:
        """An agent says what it holds. See `Board.agent_joined`."""
        holds = set(hello.holds)
        started = dict(hello.predecessors)
        for dead in started:
            self._capacity.unseat(dead)
        mine: set[int] = set()
        for attempt in list(self.live.values()):
            if attempt.agent != hello.agent:
                if not self._capacity.seated(attempt.agent):
                    self.lose(attempt, started.get(attempt.agent), now)
            elif attempt.attempt not in holds and (attempt.live.cancelling or self._is_doubtful(attempt)):
                self.lose(attempt, (), now)
            else:
                mine.add(attempt.attempt)
                if attempt.attempt not in holds:
                    self.send(attempt)
                elif attempt.live.cancelling:
                    self.tell_to_stop(attempt.agent, attempt.attempt)
        self._capacity.seat(hello.agent, hello.window, mine, hello.slots)
        for foreign in sorted(holds - mine):
            self.tell_to_stop(hello.agent, foreign)

    def _is_doubtful(self, attempt: LiveAttempt) -> bool:
        """Whether it is of a time before the state was set back."""
        return attempt.attempt <= self._set_back

    def started(self, agent: str, report: Started, now: Instant) -> None:
        """Its agent says that it runs. See `Board.started`."""
        attempt = self.live.get(report.attempt)
        if attempt is None:
            self.tell_to_stop(agent, report.attempt)
        if attempt is None or attempt.state is not AttemptState.QUEUED:
            return
        move = AttemptMove(attempt.attempt, attempt.state, AttemptState.RUNNING, started_at=report.at, log=report.log)
        attempt.state = AttemptState.RUNNING
        self._scribe.step.commit.attempts.append(move)
        self._scribe.move_task(attempt.live, attempt.no, Cause.STARTED, now)

    def end(self, attempt: LiveAttempt, report: Finished, now: Instant) -> None:
        """Its agent says how it ended."""
        self._capacity.took(attempt.agent, report.finished_at - report.started_at)
        self.release(attempt)
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
                self._capacity.close(attempt.agent)  # it stops, and would give back whatever it is sent
                self._taken_down(attempt, report, now)

    def _succeed(self, attempt: LiveAttempt, report: Finished, cause: Cause, now: Instant) -> None:
        live, no = attempt.live, attempt.no
        self._scribe.move_attempt(attempt, cause, report)
        commit = self._scribe.step.commit
        run_id, (task_no, map_index) = live.run.run_id, live.instance(no)
        if report.output is not None:
            commit.outputs.append(Output(run_id, task_no, report.output, map_index))
        for letters in report.dead_letters:
            commit.rejected.append(RejectedRecords(run_id, task_no, attempt.attempt, now, letters, map_index))
        if report.dead_letters:
            commit.alerts.append(rejects_alert(live.run, attempt.task, report.dead_letters, now))
        facts: dict[str, object] | None = None if report.follow is None else {"follow": list(report.follow)}
        self._walk.settle(live, no, cause, now, facts, report.follow)

    def _not_yet(self, attempt: LiveAttempt, report: Finished, now: Instant) -> None:
        live, no = attempt.live, attempt.no
        if live.cancelling:
            self._taken_down(attempt, report, now)
            return
        self._scribe.move_attempt(attempt, Cause.REPORTED_NOT_YET, report)
        if live.is_out_of_patience(no, now):
            self.give_up_waiting(live, no, now)
        else:
            due = live.next_look_at(no, now)
            self._scribe.move_task(live, no, Cause.REPORTED_NOT_YET, now, due)
            self._timers.set(due, live.run.run_id, no)

    def _fail(self, attempt: LiveAttempt, report: Finished | None, failure: Failure, now: Instant) -> None:
        live, no = attempt.live, attempt.no
        if live.cancelling:
            self._taken_down(attempt, report, now)
            return
        classified = classify(failure)
        spent = live.count_failure(no, classified.error_class)
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
            self._walk.settle(live, no, cause, now, facts)
        else:
            cause = Cause.LOST_WILL_RETRY if lost else Cause.FAILED_WILL_RETRY
            self._scribe.move_attempt(attempt, cause, report, classified.error_class, failure)
            facts["delay_ms"] = delay
            self._scribe.move_task(live, no, cause, now, now + delay, facts)
            self._timers.set(now + delay, live.run.run_id, no)

    def _taken_down(self, attempt: LiveAttempt, report: Finished | None, now: Instant) -> None:
        """It was stopped before it could end: because its run is cancelled, or its agent stopped. Costs no budget."""
        live, no = attempt.live, attempt.no
        if live.cancelling:
            self._scribe.move_attempt(attempt, Cause.CANCEL_CONFIRMED, report)
            self._walk.settle(live, no, Cause.CANCEL_CONFIRMED, now)
        else:
            self._scribe.move_attempt(attempt, Cause.INTERRUPTED, report)
            self._scribe.move_task(live, no, Cause.INTERRUPTED, now, now)
            self._timers.set(now, live.run.run_id, no)

    def lose(self, attempt: LiveAttempt, started: tuple[int, ...] | None, now: Instant) -> None:
        """Its agent is dead. ``started`` is what that agent had begun; None: nobody knows, so it may have."""
        self.release(attempt)
        if started is not None and attempt.attempt not in started:
            self._taken_down(attempt, None, now)
        else:
            self._fail(attempt, None, LOST, now)

    def give_up_waiting(self, live: LiveRun, no: int, now: Instant) -> None:
        """What a sensor waits for has not come in time."""
        self._scribe.step.commit.alerts.append(sensor_alert(live.run, live.task(no), now))
        self._walk.settle(live, no, Cause.CONDITION_TIMED_OUT, now)

    def hold(self, attempt: LiveAttempt) -> None:
        """An attempt is live, and takes its place."""
        self.live[attempt.attempt] = attempt
        attempt.live.live_attempt[attempt.no] = attempt
        self._capacity.occupy(attempt)

    def release(self, attempt: LiveAttempt) -> None:
        """An attempt is not live any more, and leaves its place."""
        del self.live[attempt.attempt]
        del attempt.live.live_attempt[attempt.no]
        self._scribe.step.dispatches.pop(attempt.attempt, None)
        self._capacity.leave(attempt)

    def send(self, attempt: LiveAttempt) -> None:
        """An agent is to have it, once it is written that it does."""
        task_no, map_index = attempt.live.instance(attempt.no)
        dispatch = Dispatch(attempt.agent, attempt.attempt, attempt.live.run, task_no, map_index, attempt.number)
        self._scribe.step.dispatches[attempt.attempt] = dispatch

    def tell_to_stop(self, agent: str, attempt: int) -> None:
        """An agent is to end an attempt."""
        self._scribe.step.cancel.setdefault(agent, []).append(attempt)
