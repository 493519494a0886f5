"""The statements that run for every task, by hand: they are executed for whole batches on the driver's own cursor.

Going through SQLAlchemy's execution would cost two to four times the processor time (measured). Each takes rows of plain
tuples, in the order in which its ``:names`` stand. An UPDATE names the state it moves from; its row count is the verdict.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

_NAME: Final = re.compile(r":(\w+)")


class Batch:
    """A statement that is executed for many rows at once.

    ``text`` names each part of a row once, as ``:name``. ``key`` are the names that say which row of the table is meant:
    rows with the same key are written one after the other. Without a key every row is a new one.
    """

    def __init__(self, text: str, key: tuple[str, ...] = ()) -> None:
        self.text = text
        self.names: tuple[str, ...] = tuple(_NAME.findall(text))
        self.key = tuple(map(self.names.index, key))


@lru_cache(maxsize=64)
def positional(text: str, mark: str) -> str:
    """A statement with each ``:name`` replaced by the driver's mark for the next value."""
    return _NAME.sub(mark, text)


def waves(batch: Batch, rows: Sequence[tuple[object, ...]]) -> Iterator[Sequence[tuple[object, ...]]]:
    """The rows in parts, in each of which no row of the table is meant twice: a statement would change it only once."""
    if not batch.key:
        yield rows
        return
    parts: list[list[tuple[object, ...]]] = []
    seen: defaultdict[tuple[object, ...], int] = defaultdict(int)
    for row in rows:
        key = tuple(row[part] for part in batch.key)
        nth = seen[key]
        seen[key] += 1
        if nth == len(parts):
            parts.append([])
        parts[nth].append(row)
    yield from parts


GET_EPOCH: Final = "SELECT epoch, leader FROM meta"

GET_LEAD: Final = "SELECT epoch, leader, beat FROM meta"

BEAT: Final = "UPDATE meta SET beat = beat + 1 WHERE epoch = :epoch"

INSERT_TASK: Final = Batch("""\
INSERT INTO task_instance (run_id, task_no, map_index, state, changed_at, attempt, due_at, waiting_since)
VALUES (:run_id, :task_no, :map_index, :state, :changed_at, :attempt, :due_at, :waiting_since)""")

MOVE_TASK: Final = Batch(
    """\
UPDATE task_instance SET state = :becomes, changed_at = :changed_at, attempt = coalesce(:attempt, attempt), due_at = :due_at,
 waiting_since = coalesce(:waiting_since, waiting_since)
WHERE run_id = :run_id AND task_no = :task_no AND map_index = :map_index AND state = :was""",
    key=("run_id", "task_no", "map_index"),
)

INSERT_ATTEMPT: Final = Batch("""\
INSERT INTO attempt (attempt, run_id, task_no, map_index, number, state, agent, queued_at, peak_kib, cpu_ms)
VALUES (:attempt, :run_id, :task_no, :map_index, :number, :state, :agent, :queued_at, 0, 0)""")

MOVE_ATTEMPT: Final = Batch(
    """\
UPDATE attempt SET state = :becomes, started_after = coalesce(:started_at - queued_at, started_after),
 finished_after = :finished_at - queued_at, error_class = :error_class, failure = :failure,
 log_segment = coalesce(:log_segment, log_segment), log_offset = coalesce(:log_offset, log_offset),
 log_length = coalesce(:log_length, log_length), peak_kib = :peak_kib, cpu_ms = :cpu_ms
WHERE attempt = :attempt AND state = :was""",
    key=("attempt",),
)

INSERT_EVENT: Final = Batch("""\
INSERT INTO event (run_id, seq, at, cause, was, becomes, task_no, map_index, attempt, facts)
VALUES (:run_id, :seq, :at, :cause, :was, :becomes, :task_no, :map_index, :attempt, :facts)""")

INSERT_OUTPUT: Final = Batch(
    "INSERT INTO output (run_id, task_no, map_index, value) VALUES (:run_id, :task_no, :map_index, :value)"
)

INSERT_ITEM: Final = Batch(
    "INSERT INTO item (run_id, scope_no, map_index, value) VALUES (:run_id, :scope_no, :map_index, :value)"
)

CARRY_OUTPUT: Final = Batch("""\
INSERT INTO output (run_id, task_no, map_index, value)
SELECT :run_id, :task_no, map_index, value FROM output WHERE run_id = :old AND task_no = :of AND map_index = :index""")

CARRY_ITEMS: Final = Batch("""\
INSERT INTO item (run_id, scope_no, map_index, value)
SELECT :run_id, :scope_no, map_index, value FROM item WHERE run_id = :old AND scope_no = :of""")

INSERT_RUN: Final = Batch("""\
INSERT INTO run (run_id, dag_no, version_no, run_key, kind, state, interval_start, interval_end, params, created_at,
 backfill_id, created_by, parent_run, parent_task, parent_map_index, based_on)
VALUES (:run_id, :dag_no, :version_no, :run_key, :kind, :state, :interval_start, :interval_end, :params, :created_at,
 :backfill_id, :created_by, :parent_run, :parent_task, :parent_map_index, :based_on)""")

MOVE_RUN: Final = Batch(
    """\
UPDATE run SET state = :becomes, started_at = coalesce(:started_at, started_at), finished_at = :finished_at
WHERE run_id = :run_id AND state = :was""",
    key=("run_id",),
)

GET_OUTPUT: Final = "SELECT value FROM output WHERE run_id = :run_id AND task_no = :task_no AND map_index = :map_index"

GET_OUTPUTS: Final = """\
SELECT t.map_index, o.value FROM task_instance t
LEFT JOIN output o ON o.run_id = t.run_id AND o.task_no = t.task_no AND o.map_index = t.map_index
WHERE t.run_id = :run_id AND t.task_no = :task_no AND t.map_index >= 0 AND t.state = :state ORDER BY t.map_index"""

GET_ITEM: Final = "SELECT value FROM item WHERE run_id = :run_id AND scope_no = :scope_no AND map_index = :map_index"

# --- what a scheduler reads to begin: every row of every open run, in a handful of statements ------------------

OPEN_TASKS: Final = """\
SELECT t.run_id, t.task_no, t.map_index, t.state, t.changed_at, t.attempt, t.due_at, t.waiting_since, a.number
FROM run r JOIN task_instance t ON t.run_id = r.run_id LEFT JOIN attempt a ON a.attempt = t.attempt
WHERE {open} ORDER BY t.run_id, t.task_no, t.map_index"""

OPEN_FAILURES: Final = """\
SELECT a.run_id, a.task_no, a.map_index, a.error_class, count(*)
FROM run r JOIN attempt a ON a.run_id = r.run_id AND {fell_short}
WHERE {open} AND a.error_class IS NOT NULL GROUP BY a.run_id, a.task_no, a.map_index, a.error_class"""

OPEN_ITEMS: Final = """\
SELECT i.run_id, i.scope_no, count(*)
FROM run r JOIN item i ON i.run_id = r.run_id WHERE {open} GROUP BY i.run_id, i.scope_no"""

OPEN_LAST_EVENTS: Final = """\
SELECT r.run_id, (SELECT max(e.seq) FROM event e WHERE e.run_id = r.run_id) FROM run r WHERE {open}"""
