"""What people ask for: each method is one transaction, with the line in the record of what people did."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import insert

from ostinato.model.change import BackfillState, CancelRequest, Decision, NewBackfill, NewRun, SwitchedOff
from ostinato.model.record import Backfill, Deployment, Instance, Run
from ostinato.model.time import Instant

from . import backfill, commit, creation, database, definition, read
from .door import Door
from .setback import SetBack, set_back
from .tables import intervention, pool

_MOST_NAMED: Final = 50
"""A deployment of more dags than this is audited with the names of so many."""


class Asked(Door):
    """The part of the door that people write by. See `Store`."""

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

    def set_paused(self, dag_id: str, paused: bool, now: Instant, by: str) -> None:
        """Stop a dag's schedule, or let it go on. Raises NotFound."""
        with database.asking(self._engine) as connection:
            definition.set_paused(connection, dag_id, now, by, paused=paused)
            self._note(connection, by, "pause" if paused else "unpause", dag_id, now)

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

    def set_back(self, by: str, now: Instant, *, again: bool) -> SetBack:
        """Say that the database was set back to an earlier moment by other means than ours.

        What has happened since is not known. So runs that are open are asked to stop, and schedules go on from now; with
        ``again`` they go on from where they were, and work of that time is done once more. A scheduler that leads loses the
        lead, and attempts from now on have higher numbers than any before.
        """
        with database.asking(self._engine) as connection:
            return set_back(connection, by, self._via, now, None, again=again)
