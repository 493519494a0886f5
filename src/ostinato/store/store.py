"""The door to the state: each method is one transaction, said in the words of the domain."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from sqlalchemy import Engine

from ostinato.model.change import Commit, SwitchedOff
from ostinato.model.record import (
    UNMAPPED,
    Attempt,
    Backfill,
    Dag,
    DagProblem,
    Expectation,
    Intervention,
    LoggedEvent,
    OpenRun,
    Outgoing,
    OutputKey,
    Pool,
    Rejected,
    Run,
    Task,
)
from ostinato.model.spec import CompiledDag
from ostinato.model.state import RunState
from ostinato.model.time import DataInterval, Instant

from . import alert, backfill, commit, database, definition, read, recovery
from .asked import Asked
from .kept import Kept
from .lease import Lease
from .read import Totals
from .schema import bring_to_head, refuse_backup


def open_store(place: Path | str | None, via: str = "") -> "Store":
    """The state in a database file, made (mode 0600) or migrated if need be; None: in memory, for one thread.

    A text is the address of a database on a server: ``postgresql://user:password@host:port/database``, or ``mysql://``.
    ``via`` is from where people act by way of this store, for the audit.

    Raises StoreUnavailable (or StoreFull) if it cannot be used now, StoreDamaged if it is not ours or broken,
    StoreTooNew if a newer version of this program wrote it; for an address also StateAddressInvalid and DriverMissing.
    """
    engine = database.engine_for(place)
    try:
        bring_to_head(engine)
        refuse_backup(engine)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine, via)


class Store(Asked, Kept):
    """All state of one installation. Made by `open_store`.

    Every method may raise StoreUnavailable (StoreFull), StoreDamaged and InvariantBroken; a write that raises has
    written nothing. Instants are given, never read from a clock.
    """

    def __init__(self, engine: Engine, via: str) -> None:
        super().__init__(engine, via)
        self._writer = commit.Writer()

    # --- the leader's writes ------------------------------------------------------------------------------------

    def take_lead(self, owner: str, now: Instant) -> int:
        """Take the lead for ``owner`` and return the new epoch; commits of earlier epochs are refused from now on."""
        with database.writing(self._engine) as connection:
            return commit.take_lead(connection, owner, now)

    def lease(self, owner: str, heard: Callable[[], None]) -> Lease | None:
        """A claim on the lead of one of several schedulers; None for a file, on which one scheduler works by itself."""
        return Lease(self._engine, owner, heard) if database.is_on_server(self._engine) else None

    def leader(self) -> str | None:
        """Who leads on a server, as far as can be seen at a glance; None also for a file."""
        lease = self.lease("", lambda: None)
        if lease is None:
            return None
        try:
            return lease.look()
        finally:
            lease.close()

    def commit(self, change: Commit, epoch: int) -> list[Run]:
        """Write all that a step decided and return the runs that ``change.new_runs`` created.

        Runs whose key is taken are left out. Raises FencedOut if ``epoch`` is not the newest, InvariantBroken if
        anything is not in the state it moves from.
        """
        return self._writer.commit(self._engine, change, epoch)

    # --- definitions --------------------------------------------------------------------------------------------

    def dags(self, *, retired: bool = False) -> list[Dag]:
        """All dags by id; with ``retired``, those too that are gone from their file."""
        with database.reading(self._engine) as connection:
            return definition.dags(connection, retired=retired)

    def dags_revision(self) -> int:
        """A number that grows whenever dags were put, paused or unpaused, or tasks switched off or on."""
        with database.reading(self._engine) as connection:
            return definition.revision(connection)

    def dag(self, dag_id: str) -> Dag:
        """One dag. Raises NotFound, with a suggestion."""
        with database.reading(self._engine) as connection:
            return definition.get_dag(connection, dag_id)

    def compiled(self, version: str) -> CompiledDag:
        """A dag version as it was compiled. Raises NotFound."""
        with database.reading(self._engine) as connection:
            return definition.compiled_dag(connection, version)

    def source(self, digest: str) -> bytes:
        """A source in canonical form, by its digest. Raises NotFound."""
        with database.reading(self._engine) as connection:
            return definition.source_code(connection, digest)

    def problems(self) -> list[DagProblem]:
        """Why dag files were not taken over, by file."""
        with database.reading(self._engine) as connection:
            return definition.problems(connection)

    # --- people's writes ----------------------------------------------------------------------------------------

    # --- what a scheduler reads ---------------------------------------------------------------------------------

    def last_attempt(self) -> int:
        """The highest attempt id there may have been; 0: none yet. Attempts made from now on have higher ones."""
        with database.reading(self._engine) as connection:
            return recovery.last_attempt(connection)

    def attempt_set_back(self) -> int:
        """The highest attempt id there may have been when the state was set back to an earlier moment; 0: it never was.

        What became of attempts up to it is known here only as it was at that moment.
        """
        with database.reading(self._engine) as connection:
            return recovery.attempt_set_back(connection)

    def open_work(self) -> list[OpenRun]:
        """Every queued or running run with all that is known of it, oldest first."""
        with database.reading(self._engine) as connection:
            return recovery.open_work(connection)

    def runs_after(self, run_id: int, limit: int) -> list[Run]:
        """Runs with a higher id that are still queued, in the order in which they were created."""
        with database.reading(self._engine) as connection:
            return recovery.runs_after(connection, run_id, limit)

    def cancel_requests(self) -> list[tuple[int, str]]:
        """Open runs that somebody wants to stop, with who asked."""
        with database.reading(self._engine) as connection:
            return recovery.cancel_requests(connection)

    def backfills_revision(self) -> int:
        """A number that grows whenever a backfill was created, paused, resumed or cancelled."""
        with database.reading(self._engine) as connection:
            return backfill.revision(connection)

    def open_backfills(self) -> list[Backfill]:
        """Backfills that have a run which has not ended, oldest first; their runs are not counted."""
        with database.reading(self._engine) as connection:
            return backfill.unfinished(connection)

    def open_run(self, run_id: int) -> OpenRun:
        """One run with all that is known of it. Raises NotFound."""
        with database.reading(self._engine) as connection:
            read.get_run(connection, run_id)
            return recovery.open_work(connection, run_id)[0]

    def live_among(self, attempts: Collection[int]) -> set[int]:
        """Which of these attempts are queued or running."""
        with database.reading(self._engine) as connection:
            return recovery.live_among(connection, attempts)

    def interventions(self) -> list[Intervention]:
        """What people have decided about task instances and the scheduler has not taken in, in that order."""
        with database.reading(self._engine) as connection:
            return recovery.interventions(connection)

    def switched_off(self) -> dict[tuple[str, str], SwitchedOff]:
        """How tasks that are switched off end, by dag id and task id."""
        with database.reading(self._engine) as connection:
            return definition.switched_off_tasks(connection)

    def outputs(self, wanted: Sequence[OutputKey]) -> dict[OutputKey, bytes]:
        """The outputs there are among (run id, task number, map index) triples."""
        with database.reading(self._engine) as connection:
            return read.outputs(connection, wanted)

    def outputs_of_all(self, run_id: int, task_no: int) -> list[bytes | None]:
        """What those instances of a task in a scope returned that succeeded, in order: in stored form, or None."""
        with database.reading(self._engine) as connection:
            return read.outputs_of_all(connection, run_id, task_no)

    def item(self, run_id: int, scope_no: int, map_index: int) -> bytes | None:
        """What an instance of a scope is for, in stored form; None: there is no such instance."""
        with database.reading(self._engine) as connection:
            return read.item(connection, run_id, scope_no, map_index)

    def outbox_waiting(self, limit: int) -> list[Outgoing]:
        """Alerts to be delivered, now or at their ``next_at``, soonest first; of one key only the oldest."""
        with database.reading(self._engine) as connection:
            return alert.waiting(connection, limit)

    def pools(self) -> list[Pool]:
        """All pools by name."""
        with database.reading(self._engine) as connection:
            return read.pools(connection)

    def open_expectations(self) -> list[Expectation]:
        """Deadlines that are not met: still expected, or missed and not made good."""
        with database.reading(self._engine) as connection:
            return read.open_expectations(connection)

    # --- what people did ----------------------------------------------------------------------------------------

    # --- what people read ---------------------------------------------------------------------------------------

    def runs(
        self,
        dag_id: str | None = None,
        states: Collection[RunState] | None = None,
        backfill_id: int | None = None,
        limit: int = 50,
        before: int | None = None,
    ) -> list[Run]:
        """The newest runs that fit, newest first; ``before`` is the run id to go on from. Raises NotFound for a dag."""
        with database.reading(self._engine) as connection:
            return read.runs(connection, dag_id, states, backfill_id, limit, before)

    def run(self, run_id: int) -> Run:
        """One run. Raises NotFound."""
        with database.reading(self._engine) as connection:
            return read.get_run(connection, run_id)

    def find_run(self, dag_id: str, run_key: str) -> Run | None:
        """The run of a dag that has this key; None if there is none."""
        with database.reading(self._engine) as connection:
            return read.find_run(connection, dag_id, run_key)

    def latest_by_interval(self, dag_id: str, first: Instant, before: Instant) -> dict[Instant, Run]:
        """The newest run of each interval that starts in ``[first, before)``, by interval start. Raises NotFound."""
        with database.reading(self._engine) as connection:
            return read.latest_by_interval(connection, dag_id, first, before)

    def runs_over(self, dag_id: str, first: Instant, before: Instant) -> list[Run]:
        """The runs of a dag whose data interval has a part in ``[first, before)``, oldest run first. Raises NotFound."""
        with database.reading(self._engine) as connection:
            return read.runs_over(connection, dag_id, first, before)

    def succeeded_over(self, dag_id: str, first: Instant, before: Instant) -> list[DataInterval]:
        """The data intervals of a dag's runs that succeeded and have a part in ``[first, before)``; none of an unknown dag."""
        with database.reading(self._engine) as connection:
            return read.succeeded_over(connection, dag_id, first, before)

    def succeeded_between(self, dag_id: str, after: Instant, until: Instant) -> list[DataInterval]:
        """The data intervals of a dag's runs that ended in ``(after, until]``, with success; none of an unknown dag."""
        with database.reading(self._engine) as connection:
            return read.succeeded_between(connection, dag_id, after, until)

    def first_interval(self, dag_id: str) -> Instant | None:
        """When the earliest interval begins that a dag has a run for; None: it has none. Raises NotFound."""
        with database.reading(self._engine) as connection:
            return read.first_interval(connection, dag_id)

    def tasks(self, run_id: int) -> list[Task]:
        """The task instances of a run that have moved at least once, by number."""
        with database.reading(self._engine) as connection:
            return read.tasks(connection, run_id)

    def attempts(self, run_id: int, task_no: int | None = None) -> list[Attempt]:
        """The attempts of a run, or of one of its task instances: by task, oldest first."""
        with database.reading(self._engine) as connection:
            return read.attempts(connection, run_id, task_no)

    def events(self, run_id: int, after: int = -1, limit: int = 1_000) -> list[LoggedEvent]:
        """A run's history after the line numbered ``after``, oldest first."""
        with database.reading(self._engine) as connection:
            return read.events(connection, run_id, after, limit)

    def output(self, run_id: int, task_no: int, map_index: int = UNMAPPED) -> bytes | None:
        """What a task instance returned, in stored form; None if that was None, or it has not succeeded."""
        key = (run_id, task_no, map_index)
        with database.reading(self._engine) as connection:
            return read.outputs(connection, [key]).get(key)

    def backfills(self, dag_id: str | None = None, limit: int = 50) -> list[Backfill]:
        """Backfills with their runs counted by state, newest first."""
        with database.reading(self._engine) as connection:
            return backfill.newest(connection, dag_id, limit)

    def backfill(self, backfill_id: int) -> Backfill:
        """One backfill with its runs counted by state. Raises NotFound."""
        with database.reading(self._engine) as connection:
            return backfill.get(connection, backfill_id)

    def totals(self, backfill_id: int) -> Totals:
        """What a backfill has done so far."""
        with database.reading(self._engine) as connection:
            return read.totals(connection, backfill_id)

    def rejected(self, dag_id: str | None = None, run_id: int | None = None, limit: int = 50) -> list[Rejected]:
        """Dead letters, newest first."""
        with database.reading(self._engine) as connection:
            return read.rejected_records(connection, dag_id, run_id, limit)

    def alerts(self, limit: int = 50) -> list[Outgoing]:
        """Alerts, delivered or not, newest first."""
        with database.reading(self._engine) as connection:
            return alert.newest(connection, limit)

    def counts(self) -> dict[str, dict[str, int]]:
        """How many runs and task instances are in each state: ``{"runs": {...}, "tasks": {...}}``."""
        with database.reading(self._engine) as connection:
            return read.counts(connection)
