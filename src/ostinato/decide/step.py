"""What one step of the board decides, and the hand that writes it down: every move by the tables, every move an event."""

from msgspec import Struct, field, structs

from ostinato.model.cause import Cause
from ostinato.model.change import AttemptMove, Commit, Event, RunMove, TaskMove
from ostinato.model.errors import ErrorClass, InvariantBroken
from ostinato.model.message import Failure, Finished
from ostinato.model.record import UNMAPPED, Instance, Run
from ostinato.model.spec import TaskSpec
from ostinato.model.state import TaskState
from ostinato.model.time import Instant

from .live import LiveAttempt, LiveRun
from .transition import next_attempt, next_run, next_task


class Dispatch(Struct, frozen=True, gc=False):
    """An attempt to send to an agent, once the commit that made it is durable."""

    agent: str
    attempt: int
    run: Run
    task_no: int
    map_index: int
    number: int


class Probe(Struct, frozen=True):
    """A file sensor that is to be looked at now. ``no`` is the number of its instance."""

    run: Run
    no: int
    task_no: int


class Needing(Struct, frozen=True):
    """A task instance that may begin if its needs are met."""

    run: Run
    no: int
    task: TaskSpec


class Unfolding(Struct, frozen=True):
    """A scope that is to unfold, or a loop of which so many turns are over: what are the items, or the next one?"""

    run: Run
    scope_no: int
    turn: int


class Calling(Struct, frozen=True):
    """A task instance that calls for a run of another dag."""

    run: Run
    no: int
    instance: Instance


class Step(Struct):
    """What one step decided: what to write, and what to do once it is written.

    ``dispatches`` are by attempt id; agents are keys by their name. ``probes``, ``needs`` (by run id and instance number),
    ``unfolds`` and ``calls`` are questions: the board is told the answers.
    """

    commit: Commit = field(default_factory=Commit)
    dispatches: dict[int, Dispatch] = field(default_factory=dict[int, Dispatch])
    acknowledge: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    cancel: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    probes: list[Probe] = field(default_factory=list[Probe])
    needs: dict[tuple[int, int], Needing] = field(default_factory=dict[tuple[int, int], Needing])
    unfolds: list[Unfolding] = field(default_factory=list[Unfolding])
    calls: list[Calling] = field(default_factory=list[Calling])
    succeeded: list[Run] = field(default_factory=list[Run])

    @property
    def asks(self) -> bool:
        """Whether there is a question to be answered."""
        return bool(self.probes or self.needs or self.unfolds or self.calls)

    @property
    def speaks(self) -> bool:
        """Whether there is anything to say to an agent."""
        return bool(self.dispatches or self.acknowledge or self.cancel)


class Scribe:
    """Moves runs, task instances and attempts by the transition tables and writes the moves into the step."""

    def __init__(self) -> None:
        self.step = Step()

    def take(self) -> Step:
        """The decisions since the last call."""
        step, self.step = self.step, Step()
        return step

    def move_task(
        self,
        live: LiveRun,
        no: int,
        cause: Cause,
        now: Instant,
        due_at: Instant | None = None,
        facts: dict[str, object] | None = None,
    ) -> TaskState:
        """Move a task instance and return its new state. Raises InvariantBroken if the table has no such move."""
        was = live.states[no]
        becomes = next_task(was, cause)
        if becomes is None:
            raise InvariantBroken(f"a task instance that is {was} cannot move by {cause}", where=_where(live))
        live.states[no] = becomes
        attempt = live.last_attempt.get(no)
        since = live.waiting_since.get(no) if live.waiting_since else None
        instance = task_no, map_index = live.instance(no)
        move = TaskMove(live.run.run_id, task_no, was, becomes, now, attempt, due_at, since, map_index)
        self.step.commit.tasks.append(move)
        self.record(live, cause, was, becomes, now, instance, attempt, facts)
        return becomes

    def move_run(self, live: LiveRun, cause: Cause, now: Instant, facts: dict[str, object] | None = None) -> None:
        """Move a run. Raises InvariantBroken if the table has no such move."""
        was = live.run.state
        becomes = next_run(was, cause)
        if becomes is None:
            raise InvariantBroken(f"a run that is {was} cannot move by {cause}", where=_where(live))
        live.run = structs.replace(live.run, state=becomes)
        self.step.commit.runs.append(RunMove(live.run.run_id, was, becomes, now))
        self.record(live, cause, was, becomes, now, facts=facts)

    def move_attempt(
        self,
        attempt: LiveAttempt,
        cause: Cause,
        report: Finished | None,
        error_class: ErrorClass | None = None,
        failure: Failure | None = None,
    ) -> None:
        """End an attempt. ``report`` is what its agent said; None: nothing, the agent is gone."""
        becomes = next_attempt(attempt.state, cause)
        if becomes is None:
            raise InvariantBroken(
                f"an attempt that is {attempt.state} cannot move by {cause}", where=_where(attempt.live)
            )
        move = AttemptMove(attempt.attempt, attempt.state, becomes, error_class=error_class, failure=failure)
        if report is not None:
            move = structs.replace(
                move,
                started_at=report.started_at,
                finished_at=report.finished_at,
                log=report.log,
                peak_kib=report.peak_kib,
                cpu_ms=report.cpu_ms,
            )
        attempt.state = becomes
        self.step.commit.attempts.append(move)

    def record(
        self,
        live: LiveRun,
        cause: Cause,
        was: str,
        becomes: str,
        now: Instant,
        instance: Instance | None = None,
        attempt: int | None = None,
        facts: dict[str, object] | None = None,
    ) -> None:
        """Write one line of a run's history."""
        task_no, map_index = instance or (None, UNMAPPED)
        seq = live.next_seq
        live.next_seq = seq + 1
        self.step.commit.events.append(
            Event(live.run.run_id, seq, now, cause, was, becomes, task_no, attempt, facts, map_index)
        )


def _where(live: LiveRun) -> str:
    return f"run {live.run.run_id} of {live.run.dag_id}"
