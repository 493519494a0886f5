"""From rows to documents: what a run, its tasks and its story look like to whoever reads them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ostinato.model import value
from ostinato.model.record import UNMAPPED, Attempt, DagProblem, Instance, LoggedEvent, Outgoing, Rejected, Run, Task
from ostinato.model.spec import After, Calendar, Continuous, Cron, DagSpec, Every, Moments, Schedule
from ostinato.model.time import Instant, moment

from .documents.dags import ProblemDocument
from .documents.runs import AlertDocument, AttemptDocument, EventDocument, RejectedDocument, RunDocument, TaskDocument
from .when import duration, logical_date

if TYPE_CHECKING:
    from ostinato.store import Store


class Specs:
    """The specs that a listing needs, each read once."""

    def __init__(self, store: "Store") -> None:
        self._store = store
        self._known: dict[str, DagSpec] = {}

    def of(self, version: str) -> DagSpec:
        """The spec of a dag version."""
        if version not in self._known:
            self._known[version] = self._store.compiled(version).spec
        return self._known[version]


def run_document(run: Run, spec: DagSpec) -> RunDocument:
    """A run as the world sees it."""
    return RunDocument(
        run_id=run.run_id,
        dag_id=run.dag_id,
        logical_date=logical_date(run.interval, spec.schedule),
        state=run.state,
        kind=run.kind,
        run_key=run.run_key,
        interval_start=moment(run.interval.start),
        interval_end=moment(run.interval.end),
        version=run.version,
        params=plain_params(run.params),
        by=run.by,
        backfill_id=run.backfill_id,
        based_on=run.based_on,
        created_at=moment(run.created_at),
        started_at=when(run.started_at),
        finished_at=when(run.finished_at),
        duration_ms=between(run.started_at, run.finished_at),
        cancel_requested_at=when(run.cancel_requested_at),
    )


def task_documents(spec: DagSpec, tasks: Iterable[Task], attempts: Iterable[Attempt]) -> list[TaskDocument]:
    """Every task of a run, those that have not moved yet included, and every instance of one in a scope, with its tries."""
    rows: dict[Instance, Task | None] = {(task_no, UNMAPPED): None for task_no in range(len(spec.tasks))}
    rows |= {(task.task_no, task.map_index): task for task in tasks}
    tries: defaultdict[Instance, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        tries[attempt.task_no, attempt.map_index].append(attempt)
    ids = [task.task_id for task in spec.tasks]
    documents: list[TaskDocument] = []
    for (task_no, map_index), row in sorted(rows.items(), key=lambda each: each[0]):
        task = spec.tasks[task_no]
        documents.append(
            TaskDocument(
                task_no=task_no,
                map_index=mapped(map_index),
                task_id=task.task_id,
                kind=task.kind,
                state=row.state if row else "none",
                upstream=[ids[n] for n in task.upstream],
                changed_at=moment(row.changed_at) if row else None,
                due_at=when(row.due_at) if row else None,
                waiting_since=when(row.waiting_since) if row else None,
                attempts=[attempt_document(attempt) for attempt in tries[task_no, map_index]],
            )
        )
    return documents


def mapped(map_index: int) -> int | None:
    """A map index, if it is one."""
    return None if map_index == UNMAPPED else map_index


def name_of(document: TaskDocument | EventDocument) -> str:
    """What people call what a document is about: ``load``, ``load[3]``, or ``run``."""
    task_id = document.task_id or "run"
    return task_id if document.map_index is None else f"{task_id}[{document.map_index}]"


def attempt_document(attempt: Attempt) -> AttemptDocument:
    """One try, with the class of its failure and the rule that gave it."""
    failure = attempt.failure
    return AttemptDocument(
        attempt=attempt.attempt,
        number=attempt.number,
        state=attempt.state,
        queued_at=moment(attempt.queued_at),
        started_at=when(attempt.started_at),
        finished_at=when(attempt.finished_at),
        duration_ms=between(attempt.started_at, attempt.finished_at),
        peak_kib=attempt.peak_kib,
        cpu_ms=attempt.cpu_ms,
        error_class=attempt.error_class,
        rule=_rule(attempt),
        how=failure.how if failure else None,
        message=failure.message if failure else None,
        traceback=failure.traceback if failure else None,
        exit_code=failure.exit_code if failure else None,
    )


def _rule(attempt: Attempt) -> str | None:
    if attempt.failure is None:
        return None
    from ostinato.decide.classify import classify  # noqa: PLC0415 - only failures need it

    return classify(attempt.failure).rule


def rejected_document(rejected: Rejected, task_id: str) -> RejectedDocument:
    """Rejected rows of one task instance."""
    letters = rejected.letters
    return RejectedDocument(
        run_id=rejected.run_id,
        task_id=task_id,
        map_index=mapped(rejected.map_index),
        asset=letters.asset,
        partition=letters.partition,
        path=letters.path,
        count=letters.count,
        reasons=dict(sorted(letters.reasons.items(), key=lambda reason: -reason[1])),
        at=moment(rejected.at),
    )


def alert_document(alert: Outgoing) -> AlertDocument:
    """An alert and what became of its delivery."""
    return AlertDocument(
        dedup_key=alert.dedup_key,
        action=alert.action,
        severity=alert.severity,
        summary=alert.summary,
        at=moment(alert.at),
        delivered_at=when(alert.delivered_at),
        tries=alert.tries,
        error=alert.error,
        details=alert.details,
    )


def event_document(event: LoggedEvent, spec: DagSpec) -> EventDocument:
    """One line of a run's story."""
    return EventDocument(
        seq=event.seq,
        at=moment(event.at),
        task_id=spec.tasks[event.task_no].task_id if event.task_no is not None else None,
        map_index=mapped(event.map_index),
        attempt=event.attempt,
        cause=event.cause,
        was=event.was,
        becomes=event.becomes,
        facts=event.facts,
    )


def problem_document(problem: DagProblem) -> ProblemDocument:
    """A problem of a dag file."""
    return ProblemDocument(
        file=problem.file,
        code=problem.code,
        what=problem.what,
        line=problem.line,
        column=problem.column,
        help=problem.help,
    )


def schedule_text(schedule: Schedule | None) -> str | None:
    """A schedule in a few characters: ``0 6 * * * America/New_York``, ``every 1 h 00 min``."""
    match schedule:
        case None:
            return None
        case Cron(expression, tz, also):
            return f"{'; '.join((expression, *also))} {tz}"
        case Calendar(base):
            return f"{schedule_text(base)}, some days left out"
        case Every(seconds, offset):
            return f"every {duration(seconds * 1_000)}" + (f" from {duration(offset * 1_000)} on" if offset else "")
        case Moments(instants):
            return f"{len(instants) - 1:,} given intervals"
        case After(dags, each):
            return f"after {', '.join(dags)}: {schedule_text(each)}"
        case Continuous(at_least):
            return f"continuous, at least {duration(at_least * 1_000)}"


def plain_params(stored: bytes) -> dict[str, Any]:
    """A run's parameters from their stored form."""
    params: dict[str, Any] | None = value.decode(stored)
    return params or {}


def when(at: Instant | None) -> datetime | None:
    """The moment of an instant, if there is one."""
    return moment(at) if at is not None else None


def between(start: Instant | None, end: Instant | None) -> int | None:
    """The milliseconds from one instant to another, once both are known."""
    return end - start if start is not None and end is not None else None


def pool_use(store: "Store") -> list[tuple[str, int, int]]:
    """Every pool with its slots, and how many of them live attempts occupy: counted from the rows."""
    specs = Specs(store)
    used: dict[str, int] = {}
    for found in store.open_work():
        for attempt in found.live:
            task = specs.of(found.run.version).tasks[attempt.task_no]
            used[task.pool] = used.get(task.pool, 0) + task.slots
    return [(pool.name, pool.slots, used.get(pool.name, 0)) for pool in store.pools()]
