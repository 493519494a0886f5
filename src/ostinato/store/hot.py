"""The statements that run for every task, by hand: they are executed for whole batches on the driver's own cursor.

Going through SQLAlchemy's execution would cost two to four times the processor time (measured). Each takes rows of plain
tuples, in the order of its placeholders. An UPDATE names the state it moves from; its row count is the verdict.
"""

from typing import Final

GET_EPOCH: Final = "SELECT epoch, leader FROM meta"

INSERT_TASK: Final = """\
INSERT INTO task_instance (run_id, task_no, map_index, state, changed_at, attempt, due_at, waiting_since)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)"""

MOVE_TASK: Final = """\
UPDATE task_instance SET state = ?, changed_at = ?, attempt = coalesce(?, attempt), due_at = ?,
 waiting_since = coalesce(?, waiting_since)
WHERE run_id = ? AND task_no = ? AND map_index = ? AND state = ?"""

INSERT_ATTEMPT: Final = """\
INSERT INTO attempt (attempt, run_id, task_no, map_index, number, state, agent, queued_at, peak_kib, cpu_ms)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0)"""

MOVE_ATTEMPT: Final = """\
UPDATE attempt SET state = ?, started_after = coalesce(? - queued_at, started_after), finished_after = ? - queued_at,
 error_class = ?, failure = ?, log_segment = coalesce(?, log_segment), log_offset = coalesce(?, log_offset),
 log_length = coalesce(?, log_length), peak_kib = ?, cpu_ms = ?
WHERE attempt = ? AND state = ?"""

INSERT_EVENT: Final = """\
INSERT INTO event (run_id, seq, at, cause, was, becomes, task_no, map_index, attempt, facts)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""

INSERT_OUTPUT: Final = "INSERT INTO output (run_id, task_no, map_index, value) VALUES (?, ?, ?, ?)"

INSERT_ITEM: Final = "INSERT INTO item (run_id, scope_no, map_index, value) VALUES (?, ?, ?, ?)"

CARRY_OUTPUT: Final = """\
INSERT INTO output (run_id, task_no, map_index, value)
SELECT ?, ?, map_index, value FROM output WHERE run_id = ? AND task_no = ? AND map_index = ?"""

CARRY_ITEMS: Final = """\
INSERT INTO item (run_id, scope_no, map_index, value)
SELECT ?, ?, map_index, value FROM item WHERE run_id = ? AND scope_no = ?"""

INSERT_RUN: Final = """\
INSERT INTO run (dag_no, version_no, run_key, kind, state, interval_start, interval_end, params, created_at, backfill_id,
 created_by, parent_run, parent_task, parent_map_index, based_on)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (dag_no, run_key) DO NOTHING RETURNING run_id"""

MOVE_RUN: Final = """\
UPDATE run SET state = ?, started_at = coalesce(?, started_at), finished_at = ? WHERE run_id = ? AND state = ?"""

GET_OUTPUT: Final = "SELECT value FROM output WHERE run_id = ? AND task_no = ? AND map_index = ?"

GET_OUTPUTS: Final = """\
SELECT t.map_index, o.value FROM task_instance t
LEFT JOIN output o ON o.run_id = t.run_id AND o.task_no = t.task_no AND o.map_index = t.map_index
WHERE t.run_id = ? AND t.task_no = ? AND t.map_index >= 0 AND t.state = ? ORDER BY t.map_index"""

GET_ITEM: Final = "SELECT value FROM item WHERE run_id = ? AND scope_no = ? AND map_index = ?"

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
