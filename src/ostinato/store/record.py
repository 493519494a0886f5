"""From rows to values. Each select lists its columns in the order in which its function takes them apart."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from msgspec import json
from sqlalchemy import Select, select

from ostinato.model.message import DeadLetters, Failure, LogRange
from ostinato.model.record import (
    Attempt,
    Backfill,
    Dag,
    DagProblem,
    Expectation,
    Intervention,
    LoggedEvent,
    Outgoing,
    Pool,
    Rejected,
    Run,
    Task,
)
from ostinato.model.time import DataInterval

from .tables import (
    agent,
    attempt,
    backfill,
    dag,
    dag_problem,
    dag_version,
    event,
    expectation,
    intervention,
    log_segment,
    outbox,
    pool,
    rejected,
    run,
    task_instance,
)

_FAILURE: Final = json.Decoder(Failure)
_FACTS: Final = json.Decoder(dict[str, object])
_REASONS: Final = json.Decoder(dict[str, int])
_RANGES: Final = json.Decoder(list[tuple[int, int]])
_ENCODER: Final = json.Encoder()

AnyRow = Sequence[Any]
AnySelect: TypeAlias = "Select[*tuple[Any, ...]]"


def text_of(value: object) -> str:
    """A value as JSON text, the form in which the database keeps what it never looks into."""
    return _ENCODER.encode(value).decode()


RUNS: Final[AnySelect] = (
    select(
        run.c.run_id,
        dag.c.dag_id,
        dag_version.c.version,
        run.c.run_key,
        run.c.kind,
        run.c.state,
        run.c.interval_start,
        run.c.interval_end,
        run.c.params,
        run.c.created_at,
        run.c.started_at,
        run.c.finished_at,
        run.c.cancel_requested_at,
        run.c.backfill_id,
        run.c.created_by,
        run.c.parent_run,
        run.c.parent_task,
        run.c.parent_map_index,
        run.c.based_on,
    )
    .join(dag, dag.c.dag_no == run.c.dag_no)
    .join(dag_version, dag_version.c.version_no == run.c.version_no)
)


def to_run(row: AnyRow) -> Run:
    """A row of `RUNS`."""
    run_id, dag_id, version, key, kind, state, start, end, *rest, parent, task_no, map_index, based_on = row
    caller = None if parent is None else (parent, task_no, map_index)
    interval = DataInterval(start, end)
    return Run(run_id, dag_id, version, key, kind, state, interval, *rest, parent=caller, based_on=based_on)


TASKS: Final[AnySelect] = select(
    task_instance.c.run_id,
    task_instance.c.task_no,
    task_instance.c.state,
    task_instance.c.changed_at,
    task_instance.c.attempt,
    task_instance.c.due_at,
    task_instance.c.waiting_since,
    task_instance.c.map_index,
)


def to_task(row: AnyRow) -> Task:
    """A row of `TASKS`."""
    return Task(*row)


ATTEMPTS: Final[AnySelect] = (
    select(
        attempt.c.attempt,
        attempt.c.run_id,
        attempt.c.task_no,
        attempt.c.number,
        attempt.c.state,
        agent.c.name,
        attempt.c.queued_at,
        attempt.c.queued_at + attempt.c.started_after,
        attempt.c.queued_at + attempt.c.finished_after,
        attempt.c.error_class,
        attempt.c.failure,
        log_segment.c.name,
        attempt.c.log_offset,
        attempt.c.log_length,
        attempt.c.peak_kib,
        attempt.c.cpu_ms,
        attempt.c.map_index,
    )
    .join(agent, agent.c.number == attempt.c.agent)
    .outerjoin(log_segment, log_segment.c.number == attempt.c.log_segment)
)


def to_attempt(row: AnyRow) -> Attempt:
    """A row of `ATTEMPTS`."""
    failure, segment, offset, length, peak_kib, cpu_ms, map_index = row[10:]
    return Attempt(
        *row[:10],
        failure=None if failure is None else _FAILURE.decode(failure),
        log=None if segment is None else LogRange(segment, offset, length),
        peak_kib=peak_kib,
        cpu_ms=cpu_ms,
        map_index=map_index,
    )


EVENTS: Final[AnySelect] = select(
    event.c.run_id,
    event.c.seq,
    event.c.at,
    event.c.cause,
    event.c.was,
    event.c.becomes,
    event.c.task_no,
    event.c.attempt,
    event.c.facts,
    event.c.map_index,
)


def to_event(row: AnyRow) -> LoggedEvent:
    """A row of `EVENTS`."""
    *rest, facts, map_index = row
    return LoggedEvent(*rest, facts=None if facts is None else _FACTS.decode(facts), map_index=map_index)


DAGS: Final[AnySelect] = select(
    dag.c.dag_id, dag_version.c.version, dag.c.file, dag.c.paused_at, dag.c.scheduled_until, dag.c.retired_at
).join(dag_version, dag_version.c.version_no == dag.c.version_no)


def to_dag(row: AnyRow) -> Dag:
    """A row of `DAGS`."""
    dag_id, version, file, paused_at, scheduled_until, retired_at = row
    return Dag(dag_id, version, file, paused_at is not None, scheduled_until, retired_at)


PROBLEMS: Final[AnySelect] = select(
    dag_problem.c.file,
    dag_problem.c.code,
    dag_problem.c.what,
    dag_problem.c.line,
    dag_problem.c.column,
    dag_problem.c.help,
)


def to_problem(row: AnyRow) -> DagProblem:
    """A row of `PROBLEMS`."""
    return DagProblem(*row)


POOLS: Final[AnySelect] = select(pool.c.name, pool.c.slots)


def to_pool(row: AnyRow) -> Pool:
    """A row of `POOLS`."""
    return Pool(*row)


BACKFILLS: Final[AnySelect] = select(
    backfill.c.backfill_id,
    dag.c.dag_id,
    backfill.c.chosen,
    backfill.c.reprocess,
    backfill.c.newest_first,
    backfill.c.batch,
    backfill.c.cascade,
    backfill.c.params,
    backfill.c.max_active_runs,
    backfill.c.share,
    backfill.c.state,
    backfill.c.created_at,
    backfill.c.created_by,
).join(dag, dag.c.dag_no == backfill.c.dag_no)


def to_backfill(row: AnyRow, runs: dict[str, int] | None = None) -> Backfill:
    """A row of `BACKFILLS`, with its runs counted by state."""
    backfill_id, dag_id, chosen, reprocess, newest_first, batch, cascade, *rest = row
    ranges = tuple(DataInterval(start, end) for start, end in _RANGES.decode(chosen))
    return Backfill(backfill_id, dag_id, ranges, reprocess, bool(newest_first), batch, bool(cascade), *rest, runs=runs)


REJECTED: Final[AnySelect] = select(
    rejected.c.run_id,
    rejected.c.task_no,
    rejected.c.attempt,
    rejected.c.at,
    rejected.c.asset,
    rejected.c.partition,
    rejected.c.path,
    rejected.c.count,
    rejected.c.reasons,
    rejected.c.map_index,
)


def to_rejected(row: AnyRow) -> Rejected:
    """A row of `REJECTED`."""
    run_id, task_no, attempt_id, at, asset, partition, path, count, reasons, map_index = row
    letters = DeadLetters(asset, partition, path, count, _REASONS.decode(reasons))
    return Rejected(run_id, task_no, attempt_id, at, letters, map_index)


INTERVENTIONS: Final[AnySelect] = select(
    intervention.c.intervention_id,
    intervention.c.run_id,
    intervention.c.task_no,
    intervention.c.map_index,
    intervention.c.what,
    intervention.c.decided_by,
    intervention.c.at,
).order_by(intervention.c.intervention_id)


def to_intervention(row: AnyRow) -> Intervention:
    """A row of `INTERVENTIONS`."""
    return Intervention(*row)


EXPECTATIONS: Final[AnySelect] = select(
    dag.c.dag_id,
    expectation.c.interval_start,
    expectation.c.due_at,
    expectation.c.state,
    expectation.c.at,
).join(dag, dag.c.dag_no == expectation.c.dag_no)


def to_expectation(row: AnyRow) -> Expectation:
    """A row of `EXPECTATIONS`."""
    return Expectation(*row)


OUTGOING: Final[AnySelect] = select(
    outbox.c.outbox_id,
    outbox.c.dedup_key,
    outbox.c.action,
    outbox.c.severity,
    outbox.c.summary,
    outbox.c.at,
    outbox.c.details,
    outbox.c.tries,
    outbox.c.next_at,
    outbox.c.delivered_at,
    outbox.c.error,
)


def to_outgoing(row: AnyRow) -> Outgoing:
    """A row of `OUTGOING`."""
    outbox_id, dedup_key, action, severity, summary, at, details, *rest = row
    return Outgoing(outbox_id, dedup_key, action, severity, summary, at, _FACTS.decode(details), *rest)
