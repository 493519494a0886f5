"""What a scheduler reads before it begins: all unfinished work, in a handful of statements however many runs there are."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, func, select

from ostinato.model.record import Attempt, Instance, Intervention, OpenRun, Run, Task
from ostinato.model.state import FINAL_RUN, LIVE_ATTEMPT, RunState

from . import hot
from .codes import ERROR_CLASS_NAMES, STATES, TASK_STATES
from .database import query
from .record import ATTEMPTS, INTERVENTIONS, RUNS, to_attempt, to_intervention, to_run
from .tables import attempt, fell_short, meta, run, task_instance

OPEN_RUN = sorted(set(RunState) - FINAL_RUN)
_OPEN = f"r.state IN ({', '.join(str(STATES[state]) for state in OPEN_RUN)})"


def last_attempt(connection: Connection) -> int:
    """The highest attempt id there may have been; 0: none yet."""
    there = connection.scalar(select(func.max(attempt.c.attempt))) or 0
    return max(there, connection.execute(select(meta.c.last_attempt)).scalar_one())


def attempt_set_back(connection: Connection) -> int:
    """The highest attempt id there may have been when the state was set back; 0: it never was."""
    return connection.execute(select(meta.c.attempt_set_back)).scalar_one()


def runs_after(connection: Connection, run_id: int, limit: int) -> list[Run]:
    """Queued runs with a higher id, in the order in which they were created."""
    query = RUNS.where(run.c.state == RunState.QUEUED, run.c.run_id > run_id).order_by(run.c.run_id).limit(limit)
    return [to_run(row) for row in connection.execute(query)]


def cancel_requests(connection: Connection) -> list[tuple[int, str]]:
    """Open runs that somebody wants to stop, with who it was."""
    query = select(run.c.run_id, run.c.cancel_requested_by).where(
        run.c.state.in_(OPEN_RUN), run.c.cancel_requested_at.is_not(None)
    )
    return [(row.run_id, row.cancel_requested_by) for row in connection.execute(query.order_by(run.c.run_id))]


def live_among(connection: Connection, attempts: Collection[int]) -> set[int]:
    """Which of these attempts are queued or running."""
    wanted = select(attempt.c.attempt).where(attempt.c.state.in_(sorted(LIVE_ATTEMPT)))
    return set(connection.scalars(wanted.where(attempt.c.attempt.in_(attempts))))


def interventions(connection: Connection) -> list[Intervention]:
    """What people have decided about task instances and the scheduler has not taken in, in that order."""
    return [to_intervention(row) for row in connection.execute(INTERVENTIONS)]


def open_work(connection: Connection, only: int | None = None) -> list[OpenRun]:
    """Every unfinished run, or that one ``only``, with all that is known of it, oldest first."""
    which = run.c.state.in_(OPEN_RUN) if only is None else run.c.run_id == only
    rows = _Rows(connection, _OPEN if only is None else f"r.run_id = {only:d}")
    runs = [to_run(row) for row in connection.execute(RUNS.where(which).order_by(run.c.run_id))]
    tasks: defaultdict[int, list[Task]] = defaultdict(list)
    tries: defaultdict[int, dict[Instance, int]] = defaultdict(dict)
    for run_id, task_no, map_index, state, *rest, number in rows.of(hot.OPEN_TASKS):
        tasks[run_id].append(Task(run_id, task_no, TASK_STATES[state], *rest, map_index=map_index))
        if number is not None:
            tries[run_id][task_no, map_index] = number
    failures: defaultdict[int, dict[Instance, dict[str, int]]] = defaultdict(dict)
    for run_id, task_no, map_index, error_class, count in rows.of(hot.OPEN_FAILURES):
        failures[run_id].setdefault((task_no, map_index), {})[ERROR_CLASS_NAMES[error_class]] = count
    items: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for run_id, scope_no, count in rows.of(hot.OPEN_ITEMS):
        items[run_id][scope_no] = count
    last_seq: dict[int, int | None] = dict(rows.of(hot.OPEN_LAST_EVENTS))
    live: defaultdict[int, list[Attempt]] = defaultdict(list)
    going = ATTEMPTS.join(task_instance, task_instance.c.attempt == attempt.c.attempt)
    going = going.join(run, run.c.run_id == task_instance.c.run_id)
    going = going.where(which, attempt.c.state.in_(sorted(LIVE_ATTEMPT)))
    for row in connection.execute(going.order_by(attempt.c.attempt)):
        found = to_attempt(row)
        live[found.run_id].append(found)
    return [
        OpenRun(
            run=each,
            tasks=tuple(tasks[each.run_id]),
            live=tuple(live[each.run_id]),
            tries=tries[each.run_id],
            failures=failures[each.run_id],
            next_seq=_after(last_seq[each.run_id]),
            items=items[each.run_id],
        )
        for each in runs
    ]


class _Rows:
    """Runs the statements over the runs that ``which`` is true of."""

    def __init__(self, connection: Connection, which: str) -> None:
        self._connection = connection
        self._which = which

    def of(self, statement: str) -> list[Any]:
        """All rows of one of them."""
        return query(self._connection, statement.format(open=self._which, fell_short=fell_short("a.state")))


def _after(last: int | None) -> int:
    return 0 if last is None else last + 1
