"""The door to the state: each method is one transaction, said in the words of the domain."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, insert

from ostinato.model.change import BackfillState, CancelRequest, Commit, Decision, NewBackfill, NewRun, SwitchedOff
from ostinato.model.errors import StoreDamaged
from ostinato.model.record import (
    UNMAPPED,
    Attempt,
    AuditEntry,
    Backfill,
    Chain,
    Dag,
    DagProblem,
    Deployment,
    Expectation,
    Instance,
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

from . import (
    alert,
    audit,
    backfill,
    backup,
    check,
    commit,
    creation,
    database,
    definition,
    prune,
    read,
    recovery,
    transfer,
)
from .backup import Contents
from .lease import Lease
from .read import Totals
from .schema import bring_to_head, refuse_backup
from .setback import SetBack, set_back
from .tables import intervention, pool

_MOST_NAMED: Final = 50
"""A deployment of more dags than this is audited with the names of so many."""


def open_store(place: Path | str | None, via: str = "") -> "Store":
    """The state in a database file, made (mode 0600) or migrated if need be; None: in memory, for one thread.

    A text is the address of a database on a server: ``postgresql://user:password@host:port/database``, or ``mysql://``. ``via`` is from
    where people act by way of this store, for the audit.

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


class Store:
    """All state of one installation. Made by `open_store`.

    Every method may raise StoreUnavailable (StoreFull), StoreDamaged and InvariantBroken; a write that raises has
    written nothing. Instants are given, never read from a clock.
    """

    def __init__(self, engine: Engine, via: str) -> None:
        self._engine = engine
        self._via = via
        self._writer = commit.Writer()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    @property
    def place(self) -> str:
        """Which database it is, for people: a path or an address without its password."""
        return database.place(self._engine)

    def check(self) -> None:
        """Look through the whole database. Raises StoreDamaged with what does not hold."""
        with database.reading(self._engine) as connection:
            findings = check.findings(connection)
        if findings:
            raise StoreDamaged("; ".join(findings[:5]), where=database.place(self._engine))

    def size(self) -> tuple[int, dict[str, int]]:
        """How many bytes the database takes, and how many rows each table has. Reads the whole database."""
        with database.reading(self._engine) as connection:
            return database.size(connection), transfer.counts(connection)

    def back_up(self, file: Path, now: Instant) -> Contents:
        """Write the state of this moment into a new file, while work goes on, and look through it.

        Raises PlaceTaken if there is such a file, BackupNotWritten, StoreDamaged if the state is.
        """
        return backup.back_up(self._engine, file, now)

    def set_back(self, by: str, now: Instant, *, again: bool) -> SetBack:
        """Say that the database was set back to an earlier moment by other means than ours.

        What has happened since is not known. So runs that are open are asked to stop, and schedules go on from now; with
        ``again`` they go on from where they were, and work of that time is done once more. A scheduler that leads loses the
        lead, and attempts from now on have higher numbers than any before.
        """
        with database.asking(self._engine) as connection:
            return set_back(connection, by, self._via, now, None, again=again)

    def prune(self, before: Instant) -> Iterator[int]:
        """Forget the history of runs that ended before an instant, a little with each step: how many rows were removed.

        The runs themselves stay, with how they ended. Between two steps others may write; a step takes milliseconds.
        """
        return prune.prune(self._engine, before)

    def prunable(self, before: Instant) -> tuple[int, int]:
        """How many runs `prune` would forget the history of, and how many task instances."""
        with database.reading(self._engine) as connection:
            return prune.prunable(connection, before)

    def note_pruned(self, by: str, before: Instant, now: Instant, runs: int) -> None:
        """Write down that somebody had history forgotten."""
        with database.asking(self._engine) as connection:
            self._note(connection, by, "prune", "history", now, {"before": before, "runs": runs})

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

    def put_dags(self, deployments: Sequence[Deployment], now: Instant, by: str) -> None:
        """Take over what files define now, all of it or nothing.

        Dags of such a file that it no longer defines are retired (a dag may so move from one file to another), unless the
        file has problems: then what was in force stays in force. The files' earlier problems are replaced. Raises Conflict
        if yet another file defines a dag of the same id.
        """
        with database.asking(self._engine) as connection:
            for file, changed in definition.put_dags(connection, deployments, now).items():
                facts = {"count": len(changed), "versions": dict(list(changed.items())[:_MOST_NAMED])}
                self._note(connection, by, "deploy", file, now, facts)

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

    def set_paused(self, dag_id: str, paused: bool, now: Instant, by: str) -> None:
        """Stop a dag's schedule, or let it go on. Raises NotFound."""
        with database.asking(self._engine) as connection:
            definition.set_paused(connection, dag_id, now, by, paused=paused)
            self._note(connection, by, "pause" if paused else "unpause", dag_id, now)

    # --- people's writes ----------------------------------------------------------------------------------------

    def create_runs(self, runs: Sequence[NewRun]) -> list[Run]:
        """Create the runs whose (dag, run key) is free, and return those. Raises NotFound for an unknown dag or version."""
        with database.asking(self._engine) as connection:
            created = creation.create_runs(connection, runs)
            for run in created:
                facts = {"run": run.run_id, "key": run.run_key, "based_on": run.based_on}
                verb = "run" if run.based_on is None else "rerun"
                self._note(connection, run.by or "", verb, run.dag_id, run.created_at, facts)
            return created

    def create_backfill(self, new: NewBackfill, runs: Sequence[NewRun]) -> tuple[Backfill, list[Run]]:
        """Create a backfill with its runs (those whose key is free), all or nothing. Raises NotFound."""
        with database.asking(self._engine) as connection:
            made, created = backfill.create(connection, new, runs)
            facts = {"backfill": made.backfill_id, "runs": len(created), "chosen": made.chosen, "what": made.reprocess}
            self._note(connection, new.by, "backfill", new.dag_id, new.at, facts)
            return made, created

    def pause_backfill(self, backfill_id: int, by: str, now: Instant) -> bool:
        """Hold a running backfill; False if it is paused, cancelled or over. Raises NotFound."""
        return self._move_backfill(backfill_id, ("running", "paused"), "pause", by, now)

    def resume_backfill(self, backfill_id: int, by: str, now: Instant) -> bool:
        """Let a paused backfill go on; False if it is not paused, or over. Raises NotFound."""
        return self._move_backfill(backfill_id, ("paused", "running"), "resume", by, now)

    def _move_backfill(
        self, backfill_id: int, move: tuple[BackfillState, BackfillState], action: str, by: str, now: Instant
    ) -> bool:
        with database.asking(self._engine) as connection:
            done = backfill.move(connection, backfill_id, *move)
            if done:
                self._note(connection, by, action, f"backfill {backfill_id}", now)
            return done

    def cancel_backfill(self, backfill_id: int, by: str, now: Instant) -> int:
        """Stop a backfill: ask all its open runs to stop, and say how many those are. Raises NotFound."""
        with database.asking(self._engine) as connection:
            open_runs = backfill.cancel(connection, backfill_id, by, now)
            self._note(connection, by, "cancel", f"backfill {backfill_id}", now, {"open_runs": open_runs})
            return open_runs

    def request_cancel(self, run_id: int, by: str, now: Instant) -> bool:
        """Ask for a run to be stopped; False if it has ended, or was asked for before. Raises NotFound."""
        with database.asking(self._engine) as connection:
            read.get_run(connection, run_id)
            asked = commit.ask_to_stop(connection, CancelRequest(run_id, by, now))
            if asked:
                self._note(connection, by, "cancel", f"run {run_id}", now)
            return asked

    def decide(self, run_id: int, instance: Instance, what: Decision, by: str, now: Instant) -> None:
        """Answer an approval, or say how a task instance is to end; the scheduler takes it in. Raises NotFound."""
        with database.asking(self._engine) as connection:
            read.get_run(connection, run_id)
            task_no, map_index = instance
            row = {
                "run_id": run_id,
                "task_no": task_no,
                "map_index": map_index,
                "what": what,
                "decided_by": by,
                "at": now,
            }
            connection.execute(insert(intervention).values(row))
            self._note(connection, by, what, f"run {run_id}", now, {"task": task_no, "map_index": map_index})

    def switch_off(self, dag_id: str, task_id: str, becomes: SwitchedOff, by: str, now: Instant) -> None:
        """From now on a task ends as ``becomes`` whenever its turn comes, without being run. Raises NotFound for a dag."""
        with database.asking(self._engine) as connection:
            definition.switch_off(connection, dag_id, task_id, becomes, by, now)
            self._note(connection, by, "switch off", f"{dag_id}/{task_id}", now, {"becomes": becomes})

    def switch_on(self, dag_id: str, task_id: str, by: str, now: Instant) -> bool:
        """A task is run again; False if it was not switched off. Raises NotFound for a dag."""
        with database.asking(self._engine) as connection:
            was_off = definition.switch_on(connection, dag_id, task_id)
            if was_off:
                self._note(connection, by, "switch on", f"{dag_id}/{task_id}", now)
            return was_off

    def set_pool(self, name: str, slots: int, by: str, now: Instant) -> None:
        """Give a pool its size, making it if need be."""
        with database.asking(self._engine) as connection:
            database.upsert(connection, pool, ["name"], ["slots"], [{"name": name, "slots": slots}])
            self._note(connection, by, "set pool", name, now, {"slots": slots})

    def _note(
        self,
        connection: Connection,
        by: str,
        action: str,
        subject: str,
        now: Instant,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        audit.record(connection, by, self._via, action, subject, now, facts)

    # --- what a scheduler reads ---------------------------------------------------------------------------------

    def last_attempt(self) -> int:
        """The highest attempt id there may have been; 0: none yet. Attempts made from now on have higher ones."""
        with database.reading(self._engine) as connection:
            return recovery.last_attempt(connection)

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

    def audit(
        self, limit: int = 50, before: int | None = None, who: str | None = None, subject: str | None = None
    ) -> list[AuditEntry]:
        """What people did, newest first, as far as it fits; ``before`` is the entry to go on from."""
        with database.reading(self._engine) as connection:
            return audit.entries(connection, limit, before, who, subject)

    def verify_audit(self, head: str | None = None) -> Chain:
        """Go through the whole record. Raises AuditBroken where it is not what was written, or lacks the digest ``head``."""
        with database.reading(self._engine) as connection:
            return audit.verify(connection, head)

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

    def is_pruned(self, run_id: int) -> bool:
        """Whether the history of a run was forgotten."""
        with database.reading(self._engine) as connection:
            return prune.is_pruned(connection, run_id)

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
