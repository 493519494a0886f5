"""What a board has had written, folded together as a store would: enough to take a run over from."""

from collections.abc import Sequence

from msgspec import structs

from ostinato.model.birth import born, first_events
from ostinato.model.change import Commit, NewRun
from ostinato.model.record import Attempt, Instance, OpenRun, Run, Task
from ostinato.model.state import FINAL_ATTEMPT, FINAL_RUN, FINAL_TASK, AttemptState, TaskState


class Written:
    """Rows by their keys. Every move must go from where the row is, as in a store."""

    def __init__(self) -> None:
        self.runs: dict[int, Run] = {}
        self.tasks: dict[int, dict[Instance, Task]] = {}
        self.attempts: dict[int, Attempt] = {}
        self.events: dict[int, int] = {}
        self.items: dict[int, dict[int, int]] = {}

    def put(self, run: Run, events: int = 1) -> None:
        """A run comes to be."""
        self.runs[run.run_id] = run
        self.tasks[run.run_id] = {}
        self.events[run.run_id] = events
        self.items[run.run_id] = {}

    def create(self, new: NewRun) -> Run:
        """A run that was asked for."""
        run = born(max(self.runs, default=0) + 1, new)
        self.put(run, len(first_events(run, new)))
        for each in new.carried:
            row = Task(run.run_id, each.task_no, each.becomes, new.at, map_index=each.map_index)
            self.tasks[run.run_id][each.task_no, each.map_index] = row
        return run

    def write(self, commit: Commit) -> list[Run]:
        """One commit; the runs that it created."""
        created = [self.create(new) for new in commit.new_runs]
        for request in commit.cancel_requests:
            run = self.runs[request.run_id]
            self.runs[request.run_id] = structs.replace(run, cancel_requested_at=request.at)
        for move in commit.runs:
            assert self.runs[move.run_id].state is move.was
            self.runs[move.run_id] = structs.replace(self.runs[move.run_id], state=move.becomes)
        for move in commit.tasks:
            rows, key = self.tasks[move.run_id], (move.task_no, move.map_index)
            row = rows.get(key)
            assert (row.state if row else TaskState.NONE) is move.was
            since = row.waiting_since if row and move.waiting_since is None else move.waiting_since
            attempt = row.attempt if row and move.attempt is None else move.attempt
            rows[key] = Task(
                move.run_id, move.task_no, move.becomes, move.at, attempt, move.due_at, since, move.map_index
            )
        for new in commit.new_attempts:
            attempt = Attempt(new.attempt, new.run_id, new.task_no, new.number, AttemptState.QUEUED, new.agent, new.at)
            self.attempts[new.attempt] = structs.replace(attempt, map_index=new.map_index)
        for move in commit.attempts:
            row = self.attempts[move.attempt]
            assert row.state is move.was
            self.attempts[move.attempt] = structs.replace(row, state=move.becomes, error_class=move.error_class)
        for event in commit.events:
            assert event.seq == self.events[event.run_id]
            self.events[event.run_id] += 1
        for item in commit.items:
            of_run = self.items[item.run_id]
            assert item.map_index == of_run.get(item.scope_no, 0)
            of_run[item.scope_no] = item.map_index + 1
        return created

    def open_runs(self) -> Sequence[Run]:
        """Those that have not ended, oldest first."""
        return [run for _, run in sorted(self.runs.items()) if run.state not in FINAL_RUN]

    def open_run(self, run_id: int) -> OpenRun:
        """All that a board must know of a run to go on with it."""
        attempts = [row for _, row in sorted(self.attempts.items()) if row.run_id == run_id]
        failures: dict[Instance, dict[str, int]] = {}
        for row in attempts:
            if row.error_class is not None:
                of_task = failures.setdefault((row.task_no, row.map_index), {})
                of_task[row.error_class] = of_task.get(row.error_class, 0) + 1
        return OpenRun(
            run=self.runs[run_id],
            tasks=tuple(row for _, row in sorted(self.tasks[run_id].items())),
            live=tuple(row for row in attempts if row.state not in FINAL_ATTEMPT),
            tries={(row.task_no, row.map_index): row.number for row in attempts},
            failures=failures,
            next_seq=self.events[run_id],
            items=self.items[run_id],
        )

    def states(self, run_id: int = 1) -> dict[Instance, TaskState]:
        """Where the task instances of a run stand."""
        return {key: row.state for key, row in sorted(self.tasks[run_id].items())}

    def is_whole(self) -> bool:
        """Whether nothing in what has ended is left unended."""
        over = [run_id for run_id, run in self.runs.items() if run.state in FINAL_RUN]
        unended = [state for run_id in over for state in self.states(run_id).values() if state not in FINAL_TASK]
        live = [row for row in self.attempts.values() if row.run_id in over and row.state not in FINAL_ATTEMPT]
        return not unended and not live
