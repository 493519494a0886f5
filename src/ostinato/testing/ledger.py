"""What a rehearsal has on record: runs, task instances, attempts and events, as the store would have them.

It holds what commits say, guards every move by the state it moves from, and answers nothing that is not asked here.
"""

from collections.abc import Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from ostinato.decide.step import Dispatch, Probe
from ostinato.model.birth import born, first_event
from ostinato.model.change import (
    Alert,
    AttemptMove,
    Commit,
    Event,
    NewAttempt,
    NewRun,
    Output,
    RunMove,
    TaskMove,
)
from ostinato.model.errors import InvariantBroken
from ostinato.model.record import Attempt, LoggedEvent, Rejected, Run, Task
from ostinato.model.state import FINAL_RUN, AttemptState, RunState, TaskState
from ostinato.model.time import Instant

Place = tuple[int, int]
"""A task instance in its run: the task's number and its map index, -1 where it is not mapped."""


class Account(Struct):
    """All that is on record of one run."""

    run: Run
    tasks: dict[Place, Task] = field(default_factory=dict[Place, Task])
    attempts: dict[Place, list[int]] = field(default_factory=dict[Place, list[int]])
    events: list[LoggedEvent] = field(default_factory=list[LoggedEvent])
    outputs: dict[Place, bytes] = field(default_factory=dict[Place, bytes])
    rejected: list[Rejected] = field(default_factory=list[Rejected])


class Ledger:
    """`apply` takes commits in; the rest is to be read."""

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.attempts: dict[int, Attempt] = {}
        self.alerts: list[Alert] = []
        self._open_alerts: set[str] = set()
        self._keys: set[tuple[str, str]] = set()
        self._succeeded: set[tuple[str, Instant]] = set()

    def apply(self, commit: Commit) -> list[Run]:
        """Record a commit and return the runs it made. Raises InvariantBroken for a move from another state than there is."""
        created = [self._begin(new) for new in commit.new_runs if (new.dag_id, new.run_key) not in self._keys]
        for each in commit.runs:
            self._move_run(each)
        for each in commit.tasks:
            self._move_task(each)
        for each in commit.new_attempts:
            self._begin_attempt(each)
        for each in commit.attempts:
            self._move_attempt(each)
        for event in commit.events:
            self.accounts[event.run_id].events.append(_logged(event))
        for output in commit.outputs:
            self.accounts[output.run_id].outputs[place_of(output)] = output.value
        for records in commit.rejected:
            rejected = Rejected(records.run_id, records.task_no, records.attempt, records.at, records.letters)
            self.accounts[records.run_id].rejected.append(rejected)
        self._tell(commit.alerts)
        return created

    def succeeded(self, dag_id: str, start: Instant) -> bool:
        """Whether any run for the interval that begins at ``start`` has succeeded."""
        return (dag_id, start) in self._succeeded

    def _begin(self, new: NewRun) -> Run:
        run = born(len(self.accounts) + 1, new)
        self._keys.add((run.dag_id, run.run_key))
        self.accounts[run.run_id] = Account(run, events=[_logged(first_event(run))])
        return run

    def _move_run(self, move: RunMove) -> None:
        account = self.accounts[move.run_id]
        run = account.run
        _guard(move.was, run.state, f"run {move.run_id}")
        account.run = replace(
            run,
            state=move.becomes,
            started_at=move.at if move.becomes is RunState.RUNNING else run.started_at,
            finished_at=move.at if move.becomes in FINAL_RUN else None,
        )
        if move.becomes is RunState.SUCCESS:
            self._succeeded.add((run.dag_id, run.interval.start))

    def _move_task(self, move: TaskMove) -> None:
        tasks, place = self.accounts[move.run_id].tasks, place_of(move)
        known = tasks.get(place)
        _guard(move.was, TaskState.NONE if known is None else known.state, f"task {place} of run {move.run_id}")
        tasks[place] = Task(
            move.run_id, move.task_no, move.becomes, move.at, move.attempt, move.due_at, move.waiting_since
        )

    def _begin_attempt(self, new: NewAttempt) -> None:
        self.attempts[new.attempt] = Attempt(
            new.attempt, new.run_id, new.task_no, new.number, AttemptState.QUEUED, new.agent, new.at
        )
        self.accounts[new.run_id].attempts.setdefault(place_of(new), []).append(new.attempt)

    def _move_attempt(self, move: AttemptMove) -> None:
        attempt = self.attempts[move.attempt]
        _guard(move.was, attempt.state, f"attempt {move.attempt}")
        self.attempts[move.attempt] = replace(
            attempt,
            state=move.becomes,
            started_at=move.started_at or attempt.started_at,
            finished_at=move.finished_at,
            error_class=move.error_class,
            failure=move.failure,
        )

    def _tell(self, alerts: Iterable[Alert]) -> None:
        """Of one key, an alert is opened and resolved in turn; what says nothing new is not said."""
        for alert in alerts:
            if (alert.action == "resolve") is (alert.dedup_key in self._open_alerts):
                self._open_alerts ^= {alert.dedup_key}
                self.alerts.append(alert)


def place_of(change: TaskMove | NewAttempt | Output | Dispatch | Probe) -> Place:
    """The task instance that something is about."""
    return change.task_no, getattr(change, "map_index", -1)


def _logged(event: Event) -> LoggedEvent:
    return LoggedEvent(
        event.run_id,
        event.seq,
        event.at,
        event.cause,
        event.was,
        event.becomes,
        event.task_no,
        event.attempt,
        event.facts,
    )


def _guard(was: str, found: str, what: str) -> None:
    if was != found:
        raise InvariantBroken(f"{what} is {found} and is moved from {was}")
