"""The schema. Rows are small: integer keys, states and causes as codes, instants as integer milliseconds.

What is written for every task (`task_instance`, `attempt`, `event`, `event_pack`, `output`, `item`) is clustered by its run and carries no
foreign key; `Store.check` looks for orphans instead. Everything else is guarded by the database as it is written.
The schema here and the one the migrations arrive at are the same; a test compares them.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ostinato.model.cause import Cause
from ostinato.model.errors import ErrorClass
from ostinato.model.state import FINAL_ATTEMPT, FINAL_RUN, AttemptState, RunState, TaskState

from .codes import CAUSES, ERROR_CLASSES, KINDS, STATES, Coded

metadata: Final = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

NUMBER: Final = BigInteger().with_variant(Integer(), "sqlite")
"""Keys and instants. SQLite wants the plain word for its row ids and stores every integer in the bytes it needs."""

NAME: Final = String(250).with_variant(String(250, collation="C"), "postgresql")
"""Names are ordered by their characters' codes, whatever the language of a server."""

TEXT: Final = Text().with_variant(Text(1 << 30), "mysql")
BYTES: Final = LargeBinary().with_variant(LargeBinary(1 << 30), "mysql")
"""MySQL's plain kinds end at 64 KiB."""

DIGEST: Final = String(32)

RUN_STATE: Final = Coded(RunState, STATES)
TASK_STATE: Final = Coded(TaskState, STATES)
ATTEMPT_STATE: Final = Coded(AttemptState, STATES)
ANY_STATE: Final = Coded(None, STATES)
CAUSE: Final = Coded(Cause, CAUSES)
ERROR_CLASS: Final = Coded(ErrorClass, ERROR_CLASSES)
KIND: Final = Coded(None, KINDS)


def _among(column: str, codes: Iterable[int]) -> str:
    """A condition for a column to hold one of the codes, by ranges: SQLite takes 2 µs for an IN, 0.1 for a range."""
    ranges: list[list[int]] = []
    for code in sorted(codes):
        if ranges and code == ranges[-1][-1] + 1:
            ranges[-1].append(code)
        else:
            ranges.append([code])
    return " OR ".join(f"{column} BETWEEN {of[0]} AND {of[-1]}" if of[1:] else f"{column} = {of[0]}" for of in ranges)


def _one_of(column: str, codes: Iterable[int]) -> CheckConstraint:
    return CheckConstraint(_among(column, codes), name=column)


def _one_word_of(column: str, *words: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(map(repr, words))})", name=column)


def _among_states(states: Iterable[str]) -> str:
    return _among("state", [STATES[state] for state in states])


def fell_short(state: str) -> str:
    """The condition for an attempt to have ended without success, ``state`` being what its column is called.

    Only such attempts can have a successor, and only they are indexed by task instance. The newest attempt of each
    is named by its task instance, so what goes well pays for no index.
    """
    return f"({_among(state, [STATES[each] for each in FINAL_ATTEMPT - {AttemptState.SUCCESS}])})"


def only_where(condition: str) -> dict[str, Any]:
    """An index of only the rows for which a condition holds."""
    return {f"{dialect}_where": text(condition) for dialect in ("sqlite", "postgresql")}


revision: Final = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

meta: Final = Table(
    "meta",
    metadata,
    Column("one", SmallInteger, CheckConstraint("one = 1", name="one"), primary_key=True, autoincrement=False),
    Column("epoch", NUMBER, nullable=False),
    Column("leader", NAME, nullable=False),
    Column("led_since", NUMBER),
    Column("dags_revision", NUMBER, nullable=False),
    Column("backfills_revision", NUMBER, nullable=False),
    Column("beat", NUMBER, nullable=False),
    # attempts that are made from now on have higher numbers, whether or not this one is known here
    Column("last_attempt", NUMBER, nullable=False),
    # when this was copied from the state: then it is a backup of it
    Column("taken_at", NUMBER),
    # as for attempts
    Column("last_run", NUMBER, nullable=False),
    # up to this one attempts are of a time before the state was set back
    Column("attempt_set_back", NUMBER, nullable=False),
)

# --- definitions ------------------------------------------------------------------------------------------------

source: Final = Table(
    "source",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("code", BYTES, nullable=False),
)

dag_version: Final = Table(
    "dag_version",
    metadata,
    Column("version_no", NUMBER, primary_key=True),
    Column("version", DIGEST, nullable=False),
    Column("file", TEXT, nullable=False),
    Column("source", DIGEST, ForeignKey(source.c.digest), nullable=False),
    Column("spec", BYTES, nullable=False),
    Column("created_at", NUMBER, nullable=False),
    UniqueConstraint("version"),
)

dag: Final = Table(
    "dag",
    metadata,
    Column("dag_no", NUMBER, primary_key=True),
    Column("dag_id", NAME, nullable=False),
    Column("version_no", NUMBER, ForeignKey(dag_version.c.version_no), nullable=False),
    Column("file", TEXT, nullable=False),
    Column("paused_at", NUMBER),
    Column("paused_by", NAME),
    Column("scheduled_until", NUMBER),
    Column("retired_at", NUMBER),
    UniqueConstraint("dag_id"),
)

dag_problem: Final = Table(
    "dag_problem",
    metadata,
    Column("file", NAME, primary_key=True),
    Column("position", SmallInteger, primary_key=True, autoincrement=False),
    Column("code", NAME, nullable=False),
    Column("what", TEXT, nullable=False),
    Column("line", Integer, nullable=False),
    Column("column", Integer, nullable=False),
    Column("help", TEXT, nullable=False),
)

pool: Final = Table(
    "pool",
    metadata,
    Column("name", NAME, primary_key=True),
    Column("slots", Integer, CheckConstraint("slots >= 0", name="slots"), nullable=False),
)

# --- runs -------------------------------------------------------------------------------------------------------

backfill: Final = Table(
    "backfill",
    metadata,
    Column("backfill_id", NUMBER, primary_key=True),
    Column("dag_no", NUMBER, ForeignKey(dag.c.dag_no), nullable=False),
    # ranges of time, each a pair of instants, as JSON
    Column("chosen", TEXT, nullable=False),
    Column("reprocess", String(10), _one_word_of("reprocess", "missing", "failed", "all"), nullable=False),
    Column("newest_first", SmallInteger, nullable=False),
    Column("batch", Integer, CheckConstraint("batch > 0", name="batch"), nullable=False),
    Column("cascade", SmallInteger, nullable=False),
    Column("params", BYTES, nullable=False),
    Column("max_active_runs", Integer, CheckConstraint("max_active_runs > 0", name="max_active_runs"), nullable=False),
    Column("share", Float, CheckConstraint("share BETWEEN 0 AND 1", name="share"), nullable=False),
    Column("state", String(10), _one_word_of("state", "running", "paused", "cancelled"), nullable=False),
    Column("created_at", NUMBER, nullable=False),
    Column("created_by", NAME, nullable=False),
    Index("ix_backfill_dag", "dag_no"),
)

run: Final = Table(
    "run",
    metadata,
    Column("run_id", NUMBER, primary_key=True),
    Column("dag_no", NUMBER, ForeignKey(dag.c.dag_no), nullable=False),
    Column("version_no", NUMBER, ForeignKey(dag_version.c.version_no), nullable=False),
    Column("run_key", NAME, nullable=False),
    Column("kind", KIND, _one_of("kind", KIND.codes), nullable=False),
    Column("state", RUN_STATE, _one_of("state", RUN_STATE.codes), nullable=False),
    Column("interval_start", NUMBER, nullable=False),
    Column("interval_end", NUMBER, nullable=False),
    Column("params", BYTES, nullable=False),
    Column("created_at", NUMBER, nullable=False),
    Column("started_at", NUMBER),
    Column("finished_at", NUMBER),
    Column("cancel_requested_at", NUMBER),
    Column("cancel_requested_by", NAME),
    Column("backfill_id", NUMBER, ForeignKey(backfill.c.backfill_id)),
    Column("created_by", NAME, nullable=False),
    # the task instance that called for it, and the run whose results it took over
    Column("parent_run", NUMBER),
    Column("parent_task", NUMBER),
    Column("parent_map_index", NUMBER),
    Column("based_on", NUMBER),
    UniqueConstraint("dag_no", "run_key"),
    CheckConstraint("interval_start < interval_end", name="interval"),
    CheckConstraint(f"({_among_states(FINAL_RUN)}) = (finished_at IS NOT NULL)", name="finished"),
    Index("ix_run_state", "state"),
    Index("ix_run_dag_state", "dag_no", "state"),
    Index("ix_run_dag_interval", "dag_no", "interval_start", "interval_end"),
)
Index(
    "ix_run_dag_finished",
    run.c.dag_no,
    run.c.finished_at,
    **only_where("finished_at IS NOT NULL"),
)
Index(
    "ix_run_cancel_requested",
    run.c.state,
    **only_where("cancel_requested_at IS NOT NULL"),
)
Index(
    "ix_run_backfill",
    run.c.backfill_id,
    run.c.state,
    **only_where("backfill_id IS NOT NULL"),
)

task_instance: Final = Table(
    "task_instance",
    metadata,
    Column("run_id", NUMBER, primary_key=True, autoincrement=False),
    Column("task_no", NUMBER, primary_key=True, autoincrement=False),
    Column("map_index", NUMBER, primary_key=True, autoincrement=False),
    Column("state", TASK_STATE, _one_of("state", [c for c in TASK_STATE.codes if c != STATES["none"]]), nullable=False),
    Column("changed_at", NUMBER, nullable=False),
    Column("attempt", NUMBER),
    Column("due_at", NUMBER),
    Column("waiting_since", NUMBER),
    sqlite_with_rowid=False,
)

agent: Final = Table(
    "agent",
    metadata,
    Column("number", NUMBER, primary_key=True),
    Column("name", NAME, nullable=False),
    UniqueConstraint("name"),
)

log_segment: Final = Table(
    "log_segment",
    metadata,
    Column("number", NUMBER, primary_key=True),
    Column("name", NAME, nullable=False),
    UniqueConstraint("name"),
)

attempt: Final = Table(
    "attempt",
    metadata,
    Column("attempt", NUMBER, primary_key=True, autoincrement=False),
    Column("run_id", NUMBER, nullable=False),
    Column("task_no", NUMBER, nullable=False),
    Column("map_index", NUMBER, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", ATTEMPT_STATE, _one_of("state", ATTEMPT_STATE.codes), nullable=False),
    Column("agent", NUMBER, nullable=False),
    Column("queued_at", NUMBER, nullable=False),
    # milliseconds after it was queued: small numbers are small on disk
    Column("started_after", NUMBER),
    Column("finished_after", NUMBER),
    Column("error_class", ERROR_CLASS, _one_of("error_class", ERROR_CLASS.codes)),
    Column("failure", TEXT),
    Column("log_segment", NUMBER),
    Column("log_offset", NUMBER),
    Column("log_length", NUMBER),
    Column("peak_kib", NUMBER, nullable=False),
    Column("cpu_ms", NUMBER, nullable=False),
    # a lost attempt ended nobody knows when
    CheckConstraint(f"finished_after IS NULL OR {_among_states(FINAL_ATTEMPT)}", name="finished"),
)
Index(
    "ix_attempt_fell_short",
    attempt.c.run_id,
    attempt.c.task_no,
    attempt.c.map_index,
    **only_where(fell_short("state")),
)

event: Final = Table(
    "event",
    metadata,
    Column("run_id", NUMBER, primary_key=True, autoincrement=False),
    Column("seq", NUMBER, primary_key=True, autoincrement=False),
    Column("at", NUMBER, nullable=False),
    Column("cause", CAUSE, _one_of("cause", CAUSE.codes), nullable=False),
    Column("was", ANY_STATE, _one_of("was", ANY_STATE.codes), nullable=False),
    Column("becomes", ANY_STATE, _one_of("becomes", ANY_STATE.codes), nullable=False),
    Column("task_no", NUMBER),
    Column("map_index", NUMBER, nullable=False),
    Column("attempt", NUMBER),
    Column("facts", TEXT),
    sqlite_with_rowid=False,
)

event_pack: Final = Table(
    "event_pack",
    metadata,
    Column("run_id", NUMBER, primary_key=True, autoincrement=False),
    Column("pack_no", NUMBER, primary_key=True, autoincrement=False),
    # see `packs`
    Column("packed", BYTES, nullable=False),
    sqlite_with_rowid=False,
)

output: Final = Table(
    "output",
    metadata,
    Column("run_id", NUMBER, primary_key=True, autoincrement=False),
    Column("task_no", NUMBER, primary_key=True, autoincrement=False),
    Column("map_index", NUMBER, primary_key=True, autoincrement=False),
    Column("value", BYTES, nullable=False),
    sqlite_with_rowid=False,
)

item: Final = Table(
    "item",
    metadata,
    Column("run_id", NUMBER, primary_key=True, autoincrement=False),
    Column("scope_no", NUMBER, primary_key=True, autoincrement=False),
    Column("map_index", NUMBER, primary_key=True, autoincrement=False),
    Column("value", BYTES, nullable=False),
    sqlite_with_rowid=False,
)

rejected: Final = Table(
    "rejected",
    metadata,
    Column("rejected_id", NUMBER, primary_key=True),
    Column("run_id", NUMBER, ForeignKey(run.c.run_id), nullable=False),
    Column("task_no", NUMBER, nullable=False),
    Column("map_index", NUMBER, nullable=False),
    Column("attempt", NUMBER, ForeignKey(attempt.c.attempt), nullable=False),
    Column("at", NUMBER, nullable=False),
    Column("asset", TEXT, nullable=False),
    Column("partition", TEXT, nullable=False),
    Column("path", TEXT, nullable=False),
    Column("count", NUMBER, nullable=False),
    Column("reasons", TEXT, nullable=False),
    Index("ix_rejected_run", "run_id"),
)

# --- people -----------------------------------------------------------------------------------------------------

intervention: Final = Table(
    "intervention",
    metadata,
    Column("intervention_id", NUMBER, primary_key=True),
    Column("run_id", NUMBER, ForeignKey(run.c.run_id), nullable=False),
    Column("task_no", NUMBER, nullable=False),
    Column("map_index", NUMBER, nullable=False),
    Column(
        "what",
        String(20),
        _one_word_of("what", "approve", "decline", "mark_success", "mark_failed", "mark_skipped"),
        nullable=False,
    ),
    Column("decided_by", NAME, nullable=False),
    Column("at", NUMBER, nullable=False),
)

switched_off: Final = Table(
    "switched_off",
    metadata,
    Column("dag_no", NUMBER, ForeignKey(dag.c.dag_no), primary_key=True, autoincrement=False),
    Column("task_id", NAME, primary_key=True),
    Column("becomes", String(10), _one_word_of("becomes", "success", "skipped"), nullable=False),
    Column("at", NUMBER, nullable=False),
    Column("switched_by", NAME, nullable=False),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("seq", NUMBER, primary_key=True, autoincrement=False),
    Column("at", NUMBER, nullable=False),
    Column("who", NAME, nullable=False),
    Column("via", NAME, nullable=False),
    Column("action", NAME, nullable=False),
    Column("subject", TEXT, nullable=False),
    Column("facts", TEXT, nullable=False),
    Column("digest", String(64), nullable=False),
)

expectation: Final = Table(
    "expectation",
    metadata,
    Column("dag_no", NUMBER, ForeignKey(dag.c.dag_no), primary_key=True, autoincrement=False),
    Column("interval_start", NUMBER, primary_key=True, autoincrement=False),
    Column("due_at", NUMBER, nullable=False),
    Column("state", String(10), _one_word_of("state", "expected", "met", "missed"), nullable=False),
    Column("at", NUMBER, nullable=False),
    Index("ix_expectation_state", "state"),
)

outbox: Final = Table(
    "outbox",
    metadata,
    Column("outbox_id", NUMBER, primary_key=True),
    Column("dedup_key", NAME, nullable=False),
    Column("action", String(10), _one_word_of("action", "trigger", "resolve"), nullable=False),
    Column("severity", String(10), _one_word_of("severity", "critical", "error", "warning", "info"), nullable=False),
    Column("summary", TEXT, nullable=False),
    Column("at", NUMBER, nullable=False),
    Column("details", TEXT, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", NUMBER),
    Column("delivered_at", NUMBER),
    Column("error", TEXT, nullable=False),
    CheckConstraint("next_at IS NULL OR delivered_at IS NULL", name="delivered"),
    Index("ix_outbox_dedup_key", "dedup_key"),
    Index(
        "ix_outbox_next_at",
        "next_at",
        **only_where("next_at IS NOT NULL"),
    ),
)

for each in metadata.tables.values():  # names differ by every character, as everywhere else
    each.dialect_options["mysql"].update({"default charset": "utf8mb4", "collate": "utf8mb4_bin", "engine": "InnoDB"})
