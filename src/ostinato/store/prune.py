"""History that is old enough is forgotten, in small portions, so that nobody waits for it.

Of a run that ended long ago the row stays: for which interval it was, and how it ended, is what gaps, backfills and dags
that follow go by. Its task instances, attempts, outputs and story go, and with them its entries of dead letters. Alerts
that are dealt with and deadlines that are met go too. What people did stays.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, exists, func, or_, select, text, tuple_, update

from ostinato.model.time import Instant

from .database import reading, writing
from .recovery import last_attempt
from .tables import (
    attempt,
    event,
    event_pack,
    expectation,
    fell_short,
    item,
    meta,
    outbox,
    output,
    rejected,
    run,
    task_instance,
)

_TASKS: Final = 200
_EVENTS: Final = 1_000
"""So much of a run in one transaction. A task instance has three to five events."""

_RUNS: Final = 1_000

_OF_RUN: Final = (event, event_pack, task_instance)
"""What is left of a run that is forgotten halfway; any of them may be gone first."""

_other: Final = outbox.alias()
_same: Final = _other.c.dedup_key == outbox.c.dedup_key
_DEALT_WITH: Final[tuple[tuple[Table, ColumnElement[bool]], ...]] = (
    # An alert that is open is needed to know that it is, and its end as long as its beginning is there, which a clock that
    # was set back can have made the later one. The newest stays, or its number would be given again.
    (
        outbox,
        outbox.c.next_at.is_(None)
        & (outbox.c.outbox_id < select(func.max(_other.c.outbox_id)).scalar_subquery())
        & or_(
            (outbox.c.action == "trigger") & exists().where(_same, _other.c.outbox_id > outbox.c.outbox_id),
            (outbox.c.action == "resolve") & ~exists().where(_same, _other.c.outbox_id < outbox.c.outbox_id),
        ),
    ),
    (expectation, expectation.c.state == "met"),
)


def prune(engine: Engine, before: Instant) -> Iterator[int]:
    """Forget what ended before an instant, some of it with each step; yields how many rows were removed.

    Raises what `writing` raises; what was done stays done, and who begins again goes on with the rest.
    """
    with writing(engine) as connection:  # numbers that are forgotten are not given again
        connection.execute(update(meta).values(last_attempt=last_attempt(connection)))
    seen = 0
    while ended := deque(_ended(engine, before, seen)):
        seen = ended[-1]
        while ended:
            yield _forget_some(engine, ended)
    for table, is_dealt_with in _DEALT_WITH:
        while removed := _remove_some(engine, table, is_dealt_with & (table.c.at < before)):
            yield removed


def prunable(connection: Connection, before: Instant) -> tuple[int, int]:
    """How many runs would be forgotten, and how many task instances of theirs."""
    runs = select(run.c.run_id).where(*_old(before)).subquery()
    tasks = select(func.count()).select_from(task_instance).where(task_instance.c.run_id.in_(select(runs.c.run_id)))
    count = connection.execute(select(func.count()).select_from(runs)).scalar_one()
    return count, connection.execute(tasks).scalar_one()


def is_pruned(connection: Connection, run_id: int) -> bool:
    """Whether a run was forgotten, or is being: every other one has the line of its birth."""
    born = select(event.c.seq).where(event.c.run_id == run_id, event.c.seq == 0)
    packed = select(event_pack.c.pack_no).where(event_pack.c.run_id == run_id, event_pack.c.pack_no == 0)
    return connection.execute(born.union_all(packed)).first() is None


def _old(before: Instant) -> tuple[ColumnElement[bool], ...]:
    """What is true of the runs that ended before an instant and are not forgotten."""
    of_run = (exists().where(each.c.run_id == run.c.run_id) for each in _OF_RUN)
    return run.c.finished_at < before, or_(*of_run)


def _ended(engine: Engine, before: Instant, after: int) -> list[int]:
    with reading(engine) as connection:
        firsts = [connection.execute(select(func.min(each.c.run_id))).scalar_one() for each in _OF_RUN]
        first = min((first for first in firsts if first is not None), default=0)
        query = select(run.c.run_id).where(run.c.run_id > max(after, first - 1), *_old(before))
        return list(connection.scalars(query.order_by(run.c.run_id).limit(_RUNS)))


def _forget_some(engine: Engine, ended: "deque[int]") -> int:
    """Take a portion off the runs that stand first, and those that are forgotten off the queue."""
    runs = list(islice(ended, _TASKS))
    instance = (task_instance.c.run_id, task_instance.c.task_no, task_instance.c.map_index)
    with writing(engine) as connection:
        found = connection.execute(
            select(*instance).where(task_instance.c.run_id.in_(runs)).order_by(*instance).limit(_TASKS)
        ).all()
        removed, whole = 0, runs
        if len(found) == _TASKS:  # of the last of them there may be more
            last = found[-1][0]
            whole = runs[: runs.index(last)]
            runs = [*whole, last]
            removed += _forget_lines(connection, last)
        if found:
            removed += _forget_tasks(connection, runs, tuple(found[-1]))
        removed += connection.execute(delete(item).where(item.c.run_id.in_(whole))).rowcount
        for story in (event_pack, event):
            removed += connection.execute(delete(story).where(story.c.run_id.in_(whole))).rowcount
    for _ in whole:
        ended.popleft()
    return removed


def _forget_lines(connection: Connection, run_id: int) -> int:
    """Remove the beginning of a run's story: what is packed, or so much of what is not."""
    packed = connection.execute(delete(event_pack).where(event_pack.c.run_id == run_id)).rowcount
    if packed:
        return packed
    first = connection.execute(select(func.min(event.c.seq)).where(event.c.run_id == run_id)).scalar_one() or 0
    return connection.execute(delete(event).where(event.c.run_id == run_id, event.c.seq < first + _EVENTS)).rowcount


def _forget_tasks(connection: Connection, runs: Sequence[int], last: tuple[Any, ...]) -> int:
    """Remove task instances of the runs, up to the ``last`` of them, with what refers to them first."""

    def of(table: Table) -> tuple[ColumnElement[bool], ...]:
        upto = tuple_(table.c.run_id, table.c.task_no, table.c.map_index) <= tuple_(*last)
        return table.c.run_id.in_(runs), upto

    newest = select(task_instance.c.attempt).where(*of(task_instance), task_instance.c.attempt.is_not(None))
    statements = (
        delete(rejected).where(*of(rejected)),
        delete(output).where(*of(output)),
        delete(attempt).where(*of(attempt), text(fell_short("attempt.state"))),
        delete(attempt).where(attempt.c.attempt.in_(newest)),
        delete(task_instance).where(*of(task_instance)),
    )
    return sum(connection.execute(statement).rowcount for statement in statements)


def _remove_some(engine: Engine, table: Table, condition: ColumnElement[bool]) -> int:
    key = tuple_(*table.primary_key)
    with writing(engine) as connection:
        found = connection.execute(
            select(*table.primary_key).where(condition).order_by(*table.primary_key).limit(_EVENTS)
        ).all()
        if not found:
            return 0
        return connection.execute(delete(table).where(key.in_([tuple(row) for row in found]))).rowcount
