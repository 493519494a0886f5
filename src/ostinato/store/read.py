"""What people ask of the state. Every list has a limit, and an index that gives it in its order."""

from collections.abc import Callable, Collection, Sequence

from msgspec import Struct
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    FromClause,
    Select,
    exists,
    func,
    select,
    text,
    union_all,
)

from ostinato.model.errors import NotFound
from ostinato.model.record import Attempt, Expectation, LoggedEvent, OutputKey, Pool, Rejected, Run, Task
from ostinato.model.state import RunState, TaskState
from ostinato.model.time import DataInterval, Instant

from . import database, hot, packs
from .codes import STATES
from .definition import dag_numbers
from .record import (
    ATTEMPTS,
    EVENTS,
    EXPECTATIONS,
    POOLS,
    REJECTED,
    RUNS,
    TASKS,
    to_attempt,
    to_event,
    to_expectation,
    to_pool,
    to_rejected,
    to_run,
    to_task,
)
from .tables import attempt, dag, event, expectation, fell_short, pool, rejected, run, task_instance


class Totals(Struct, frozen=True):
    """What a backfill has done so far.

    ``tasks`` counts task instances and ``attempts`` attempts by state, ``failures`` failed attempts by error class;
    ``rejected`` is the number of dead letters. ``busy_ms`` and ``cpu_ms`` add up the attempts' running and processor
    time; ``started_at`` and ``finished_at`` are the first start and the last end of its runs.
    """

    tasks: dict[str, int]
    attempts: dict[str, int]
    failures: dict[str, int]
    rejected: int
    busy_ms: int
    cpu_ms: int
    started_at: Instant | None
    finished_at: Instant | None


# --- runs -------------------------------------------------------------------------------------------------------


def run_list(
    dag_no: int | None, states: Collection[RunState] | None, backfill_id: int | None, limit: int, before: int | None
) -> Select[tuple[int]]:
    """The ids of the newest runs that fit.

    An index gives the runs of one state in the order of their ids, so the newest of several states are the newest of
    the newest of each.
    """
    fits = [] if before is None else [run.c.run_id < before]
    if dag_no is not None:
        fits.append(run.c.dag_no == dag_no)
    if backfill_id is not None:
        fits.append(run.c.backfill_id == backfill_id)
    newest = select(run.c.run_id).where(*fits).order_by(run.c.run_id.desc()).limit(limit)
    if states is None and dag_no is None and backfill_id is None:
        return newest
    wanted = sorted(RunState if states is None else set(states))
    each = [select(newest.where(run.c.state == state).subquery().c.run_id) for state in wanted]
    found = union_all(*each).subquery()
    return select(found.c.run_id).order_by(found.c.run_id.desc()).limit(limit)


def runs(
    connection: Connection,
    dag_id: str | None,
    states: Collection[RunState] | None,
    backfill_id: int | None,
    limit: int,
    before: int | None,
) -> list[Run]:
    """The newest runs that fit, newest first."""
    dag_no = None if dag_id is None else dag_numbers(connection, [dag_id])[dag_id]
    if states is not None and not states:
        return []
    newest = run_list(dag_no, states, backfill_id, limit, before).subquery()
    query = RUNS.join(newest, newest.c.run_id == run.c.run_id).order_by(run.c.run_id.desc())
    return [to_run(row) for row in connection.execute(query)]


def get_run(connection: Connection, run_id: int) -> Run:
    """One run. Raises NotFound."""
    row = connection.execute(RUNS.where(run.c.run_id == run_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return to_run(row)


def find_run(connection: Connection, dag_id: str, key: str) -> Run | None:
    """The run of a dag that has this key, if there is one."""
    row = connection.execute(RUNS.where(dag.c.dag_id == dag_id, run.c.run_key == key)).one_or_none()
    return None if row is None else to_run(row)


def latest_by_interval(connection: Connection, dag_id: str, first: Instant, before: Instant) -> dict[Instant, Run]:
    """The newest run of each interval that starts in ``[first, before)``, by interval start."""
    dag_no = dag_numbers(connection, [dag_id])[dag_id]
    query = RUNS.where(run.c.dag_no == dag_no, run.c.interval_start >= first, run.c.interval_start < before)
    found = [to_run(row) for row in connection.execute(query.order_by(run.c.interval_start, run.c.run_id))]
    return {each.interval.start: each for each in found}


def runs_over(connection: Connection, dag_id: str, first: Instant, before: Instant) -> list[Run]:
    """The runs of a dag whose data interval has a part in ``[first, before)``, oldest run first.

    Runs for the time before are looked at too, in the index alone: one of them may be for a long time.
    """
    dag_no = dag_numbers(connection, [dag_id])[dag_id]
    query = RUNS.where(run.c.dag_no == dag_no, run.c.interval_start < before, run.c.interval_end > first)
    return [to_run(row) for row in connection.execute(query.order_by(run.c.run_id))]


def succeeded_over(connection: Connection, dag_id: str, first: Instant, before: Instant) -> list[DataInterval]:
    """The data intervals of a dag's runs that succeeded and have a part in ``[first, before)``; none of an unknown dag."""
    query = _successes(dag_id).where(run.c.interval_start < before, run.c.interval_end > first)
    return [DataInterval(*row) for row in connection.execute(query)]


def succeeded_between(connection: Connection, dag_id: str, after: Instant, until: Instant) -> list[DataInterval]:
    """The data intervals of a dag's runs that ended in ``(after, until]``, with success; none of an unknown dag."""
    query = _successes(dag_id).where(run.c.finished_at > after, run.c.finished_at <= until)
    return [DataInterval(*row) for row in connection.execute(query)]


def _successes(dag_id: str) -> Select[int, int]:
    intervals = select(run.c.interval_start, run.c.interval_end).join(dag, dag.c.dag_no == run.c.dag_no)
    return intervals.where(dag.c.dag_id == dag_id, run.c.state == RunState.SUCCESS)


def first_interval(connection: Connection, dag_id: str) -> Instant | None:
    """When the earliest interval of a dag's runs begins, if there are any."""
    dag_no = dag_numbers(connection, [dag_id])[dag_id]
    return connection.scalar(select(func.min(run.c.interval_start)).where(run.c.dag_no == dag_no))


# --- inside a run -----------------------------------------------------------------------------------------------


def tasks(connection: Connection, run_id: int) -> list[Task]:
    """The task instances of a run that have moved at least once, by number."""
    query = TASKS.where(task_instance.c.run_id == run_id).order_by(task_instance.c.task_no, task_instance.c.map_index)
    return [to_task(row) for row in connection.execute(query)]


def attempts(connection: Connection, run_id: int, task_no: int | None) -> list[Attempt]:
    """The attempts of a run or of one of its task instances, by task, oldest first."""

    def wanted(rows: FromClause) -> list[ColumnElement[bool]]:
        of_run = [rows.c.run_id == run_id]
        return of_run if task_no is None else [*of_run, rows.c.task_no == task_no]

    query = ATTEMPTS.where(attempt.c.attempt.in_(attempts_of(wanted)))
    return [
        to_attempt(row)
        for row in connection.execute(query.order_by(attempt.c.task_no, attempt.c.map_index, attempt.c.attempt))
    ]


def attempts_of(wanted: Callable[[FromClause], Sequence[ColumnElement[bool]]]) -> CompoundSelect[int]:
    """The ids of the attempts of some task instances: the newest of each, and those that fell short before.

    ``wanted`` makes the conditions on anything that has ``run_id``, ``task_no`` and ``map_index``. See `tables.fell_short`.
    """
    earlier = attempt.alias("earlier")
    newest = select(task_instance.c.attempt).where(*wanted(task_instance), task_instance.c.attempt.is_not(None))
    return newest.union(select(earlier.c.attempt).where(text(fell_short("earlier.state")), *wanted(earlier)))


def events(connection: Connection, run_id: int, after: int, limit: int) -> list[LoggedEvent]:
    """A run's history after a sequence number, oldest first."""
    found = packs.lines(connection, run_id, after, limit)
    query = EVENTS.where(event.c.run_id == run_id, event.c.seq > after).order_by(event.c.seq).limit(limit - len(found))
    return [*found, *(to_event(row) for row in connection.execute(query))]


def outputs(connection: Connection, wanted: Sequence[OutputKey]) -> dict[OutputKey, bytes]:
    """The outputs there are, of (run id, task number, map index) triples."""
    found: dict[OutputKey, bytes] = {}
    for key in wanted:
        for (value,) in database.query(connection, hot.GET_OUTPUT, key):
            found[key] = value
    return found


def outputs_of_all(connection: Connection, run_id: int, task_no: int) -> list[bytes | None]:
    """What those instances of a task in a scope returned that succeeded, in the order of their map index."""
    rows = database.query(connection, hot.GET_OUTPUTS, (run_id, task_no, STATES[TaskState.SUCCESS]))
    return [value for _, value in rows]


def item(connection: Connection, run_id: int, scope_no: int, map_index: int) -> bytes | None:
    """What an instance of a scope is for, in stored form."""
    rows = database.query(connection, hot.GET_ITEM, (run_id, scope_no, map_index))
    return next((value for (value,) in rows), None)


def totals(connection: Connection, backfill_id: int) -> Totals:
    """What a backfill has done so far; see `Totals`. One without runs has done nothing."""
    runs_of_it = run.c.backfill_id == backfill_id
    by_task = select(task_instance.c.state, func.count()).join(run, run.c.run_id == task_instance.c.run_id)
    tasks = connection.execute(by_task.where(runs_of_it).group_by(task_instance.c.state)).all()
    its_runs = select(run.c.run_id).where(runs_of_it)
    busy = func.sum(attempt.c.finished_after - attempt.c.started_after)
    by_attempt = select(attempt.c.state, attempt.c.error_class, func.count(), busy, func.sum(attempt.c.cpu_ms))
    by_attempt = by_attempt.where(attempt.c.attempt.in_(attempts_of(lambda rows: [rows.c.run_id.in_(its_runs)])))
    attempts = connection.execute(by_attempt.group_by(attempt.c.state, attempt.c.error_class)).all()
    letters = select(func.sum(rejected.c.count)).join(run, run.c.run_id == rejected.c.run_id).where(runs_of_it)
    span = connection.execute(select(func.min(run.c.started_at), func.max(run.c.finished_at)).where(runs_of_it)).one()
    by_state: dict[str, int] = {}
    by_class: dict[str, int] = {}
    for state, error_class, count, *_ in attempts:
        by_state[state.value] = by_state.get(state.value, 0) + count
        if error_class is not None:
            by_class[error_class.value] = by_class.get(error_class.value, 0) + count
    return Totals(
        tasks={state.value: count for state, count in tasks},
        attempts=by_state,
        failures=by_class,
        rejected=int(connection.scalar(letters) or 0),
        busy_ms=sum(int(row[3] or 0) for row in attempts),
        cpu_ms=sum(int(row[4] or 0) for row in attempts),
        started_at=span[0],
        finished_at=span[1],
    )


# --- the rest ---------------------------------------------------------------------------------------------------


def rejected_records(connection: Connection, dag_id: str | None, run_id: int | None, limit: int) -> list[Rejected]:
    """Dead letters, newest first."""
    query = REJECTED
    if dag_id is not None:
        dag_no = dag_numbers(connection, [dag_id])[dag_id]
        query = query.where(exists().where(run.c.run_id == rejected.c.run_id, run.c.dag_no == dag_no))
    if run_id is not None:
        query = query.where(rejected.c.run_id == run_id)
    return [to_rejected(row) for row in connection.execute(query.order_by(rejected.c.rejected_id.desc()).limit(limit))]


def open_expectations(connection: Connection) -> list[Expectation]:
    """Deadlines that are not met: still expected, or missed and not made good, by when they are or were due."""
    query = EXPECTATIONS.where(expectation.c.state.in_(["expected", "missed"]))
    in_order = query.order_by(expectation.c.due_at, expectation.c.dag_no, expectation.c.interval_start)
    return [to_expectation(row) for row in connection.execute(in_order)]


def pools(connection: Connection) -> list[Pool]:
    """All pools by name."""
    return [to_pool(row) for row in connection.execute(POOLS.order_by(pool.c.name))]


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """How many runs and task instances are in each state: keys ``runs`` and ``tasks``."""
    found: dict[str, dict[str, int]] = {}
    for name, column in (("runs", run.c.state), ("tasks", task_instance.c.state)):
        rows = connection.execute(select(column, func.count()).group_by(column))
        found[name] = {row[0].value: row[1] for row in rows}
    return found
