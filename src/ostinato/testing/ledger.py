"""What a rehearsal has on record: runs, task instances, attempts and events, as the store would have them.

It holds what commits say, guards every move by the state it moves from, and is read by the names the store has.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from ostinato.model.birth import born, first_events
from ostinato.model.change import (
    Alert,
    AttemptMove,
    CancelRequest,
    Commit,
    Event,
    NewAttempt,
    NewRun,
    RejectedRecords,
    RunMove,
    TaskMove,
)
from ostinato.model.errors import InvariantBroken, NotFound
from ostinato.model.record import (
    UNMAPPED,
    Attempt,
    Dag,
    Instance,
    LoggedEvent,
    OutputKey,
    Rejected,
    Run,
    Task,
)
from ostinato.model.state import FINAL_RUN, AttemptState, RunState, TaskState
from ostinato.model.time import DataInterval, Instant


class Account(Struct):
    """All that is on record of one run. ``items`` are by the number of a scope and the map index."""

    run: Run
    tasks: dict[Instance, Task] = field(default_factory=dict[Instance, Task])
    attempts: dict[Instance, list[int]] = field(default_factory=dict[Instance, list[int]])
    events: list[LoggedEvent] = field(default_factory=list[LoggedEvent])
    outputs: dict[Instance, bytes] = field(default_factory=dict[Instance, bytes])
    items: dict[tuple[int, int], bytes] = field(default_factory=dict[tuple[int, int], bytes])
    rejected: list[Rejected] = field(default_factory=list[Rejected])


class Ledger:
    """`apply` takes commits in; the rest is to be read. ``dags`` are those that runs can be made of."""

    def __init__(self, dags: Iterable[Dag] = ()) -> None:
        self.accounts: dict[int, Account] = {}
        self.attempts: dict[int, Attempt] = {}
        self.alerts: list[Alert] = []
        self._dags = {dag.dag_id: dag for dag in dags}
        self._runs: dict[str, list[Account]] = {}
        self._open_alerts: set[str] = set()
        self._keys: set[tuple[str, str]] = set()

    def apply(self, commit: Commit) -> list[Run]:
        """Record a commit and return the runs it made. Raises InvariantBroken for a move from another state than there is."""
        created = [self._begin(new) for new in commit.new_runs if (new.dag_id, new.run_key) not in self._keys]
        for each in commit.cancel_requests:
            self._ask_to_stop(each)
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
            self.accounts[output.run_id].outputs[output.task_no, output.map_index] = output.value
        for item in commit.items:
            self.accounts[item.run_id].items[item.scope_no, item.map_index] = item.value
        for records in commit.rejected:
            self.accounts[records.run_id].rejected.append(_rejected(records))
        self._tell(commit.alerts)
        return created

    # --- to be read as the store is -----------------------------------------------------------------------------

    def dag(self, dag_id: str) -> Dag:
        """One dag. Raises NotFound."""
        found = self._dags.get(dag_id)
        if found is None:
            raise NotFound(f"there is no dag {dag_id!r} in this rehearsal")
        return found

    def succeeded_over(self, dag_id: str, first: Instant, before: Instant) -> list[DataInterval]:
        """The data intervals of a dag's runs that succeeded and have a part in ``[first, before)``."""
        return [run.interval for run in self.runs_over(dag_id, first, before) if run.state is RunState.SUCCESS]

    def succeeded_between(self, dag_id: str, after: Instant, until: Instant) -> list[DataInterval]:
        """The data intervals of a dag's runs that ended in ``(after, until]``, with success."""
        runs = (each.run for each in self._runs.get(dag_id, ()))
        succeeded = (run for run in runs if run.state is RunState.SUCCESS)
        return [run.interval for run in succeeded if after < (run.finished_at or 0) <= until]

    def first_interval(self, dag_id: str) -> Instant | None:
        """When the earliest interval begins that a dag has a run for; None: it has none."""
        return min((each.run.interval.start for each in self._runs.get(dag_id, ())), default=None)

    def runs_over(self, dag_id: str, first: Instant, before: Instant) -> list[Run]:
        """The runs of a dag whose data interval has a part in ``[first, before)``, oldest run first."""
        runs = (each.run for each in self._runs.get(dag_id, ()))
        return [run for run in runs if run.interval.start < before and run.interval.end > first]

    def tasks(self, run_id: int) -> list[Task]:
        """The task instances of a run that have moved."""
        return list(self.accounts[run_id].tasks.values())

    def output(self, run_id: int, task_no: int, map_index: int = UNMAPPED) -> bytes | None:
        """What a task instance returned; None if that was None, or it has not succeeded."""
        return self.accounts[run_id].outputs.get((task_no, map_index))

    def outputs(self, wanted: Sequence[OutputKey]) -> dict[OutputKey, bytes]:
        """The outputs there are among these."""
        found = {key: self.output(*key) for key in wanted}
        return {key: output for key, output in found.items() if output is not None}

    def outputs_of_all(self, run_id: int, task_no: int) -> list[bytes | None]:
        """What those instances of a task in a scope returned that succeeded, in the order of their map index."""
        account = self.accounts[run_id]
        instances = sorted(each for each in account.tasks if each[0] == task_no and each[1] != UNMAPPED)
        succeeded = [each for each in instances if account.tasks[each].state is TaskState.SUCCESS]
        return [account.outputs.get(each) for each in succeeded]

    def item(self, run_id: int, scope_no: int, map_index: int) -> bytes | None:
        """What an instance of a scope is for; None: there is no such instance."""
        return self.accounts[run_id].items.get((scope_no, map_index))

    def waited(self, run_id: int, instance: Instance, now: Instant) -> int:
        """How many milliseconds a sensor has waited."""
        since = self.accounts[run_id].tasks[instance].waiting_since
        return 0 if since is None else now - since

    # --- changes ------------------------------------------------------------------------------------------------

    def _begin(self, new: NewRun) -> Run:
        run = born(len(self.accounts) + 1, new)
        self._keys.add((run.dag_id, run.run_key))
        account = Account(run, events=[_logged(event) for event in first_events(run, new)])
        self.accounts[run.run_id] = account
        self._runs.setdefault(run.dag_id, []).append(account)
        return run

    def _ask_to_stop(self, request: CancelRequest) -> None:
        account = self.accounts[request.run_id]
        if account.run.state not in FINAL_RUN and account.run.cancel_requested_at is None:
            account.run = replace(account.run, cancel_requested_at=request.at)

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

    def _move_task(self, move: TaskMove) -> None:
        tasks, instance = self.accounts[move.run_id].tasks, (move.task_no, move.map_index)
        known = tasks.get(instance)
        _guard(move.was, TaskState.NONE if known is None else known.state, f"task {instance} of run {move.run_id}")
        tasks[instance] = Task(
            move.run_id,
            move.task_no,
            move.becomes,
            move.at,
            move.attempt,
            move.due_at,
            move.waiting_since,
            move.map_index,
        )

    def _begin_attempt(self, new: NewAttempt) -> None:
        self.attempts[new.attempt] = Attempt(
            new.attempt,
            new.run_id,
            new.task_no,
            new.number,
            AttemptState.QUEUED,
            new.agent,
            new.at,
            map_index=new.map_index,
        )
        self.accounts[new.run_id].attempts.setdefault((new.task_no, new.map_index), []).append(new.attempt)

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
        event.map_index,
    )


def _rejected(records: RejectedRecords) -> Rejected:
    return Rejected(records.run_id, records.task_no, records.attempt, records.at, records.letters, records.map_index)


def _guard(was: str, found: str, what: str) -> None:
    if was != found:
        raise InvariantBroken(f"{what} is {found} and is moved from {was}")
