"""A task may have several instances in a run; runs call for runs and take over results; people decide about tasks."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.String(250)


def upgrade() -> None:
    """Rebuild what has a column more, so that it is what a new database has, and make what is new."""
    op.execute("PRAGMA defer_foreign_keys = ON")  # what is rebuilt is referred to, and is there again in the end
    _rebuild("run", _make_run, "*, NULL, NULL, NULL, NULL")
    _rebuild(
        "task_instance", _make_task_instance, "run_id, task_no, -1, state, changed_at, attempt, due_at, waiting_since"
    )
    _rebuild(
        "attempt",
        _make_attempt,
        "attempt, run_id, task_no, -1, number, state, agent, queued_at, started_after, finished_after, error_class, "
        "failure, log_segment, log_offset, log_length, peak_kib, cpu_ms",
    )
    _rebuild("event", _make_event, "run_id, seq, at, cause, was, becomes, task_no, -1, attempt, facts")
    _rebuild("output", _make_output, "run_id, task_no, -1, value")
    _rebuild(
        "rejected",
        _make_rejected,
        'rejected_id, run_id, task_no, -1, attempt, at, asset, "partition", path, count, reasons',
    )
    _make_item()
    _make_intervention()
    _make_switched_off()


def _rebuild(name: str, make: Callable[[], None], columns: str) -> None:
    op.execute(f"CREATE TABLE earlier_{name} AS SELECT * FROM {name}")  # noqa: S608 - names of our own
    op.drop_table(name)
    make()
    op.execute(f"INSERT INTO {name} SELECT {columns} FROM earlier_{name}")  # noqa: S608 - names of our own
    op.drop_table(f"earlier_{name}")


def _make_run() -> None:
    op.create_table(
        "run",
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("dag_no", NUMBER, nullable=False),
        sa.Column("version_no", NUMBER, nullable=False),
        sa.Column("run_key", NAME, nullable=False),
        sa.Column(
            "kind",
            sa.SmallInteger,
            sa.CheckConstraint("kind BETWEEN 1 AND 4", name=op.f("ck_run_kind")),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.SmallInteger,
            sa.CheckConstraint("state BETWEEN 1 AND 2 OR state BETWEEN 5 AND 7", name=op.f("ck_run_state")),
            nullable=False,
        ),
        sa.Column("interval_start", NUMBER, nullable=False),
        sa.Column("interval_end", NUMBER, nullable=False),
        sa.Column("params", sa.LargeBinary, nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.Column("started_at", NUMBER),
        sa.Column("finished_at", NUMBER),
        sa.Column("cancel_requested_at", NUMBER),
        sa.Column("cancel_requested_by", NAME),
        sa.Column("backfill_id", NUMBER),
        sa.Column("created_by", NAME, nullable=False),
        sa.Column("parent_run", NUMBER),
        sa.Column("parent_task", NUMBER),
        sa.Column("parent_map_index", NUMBER),
        sa.Column("based_on", NUMBER),
        sa.UniqueConstraint("dag_no", "run_key", name=op.f("uq_run_dag_no")),
        sa.CheckConstraint("interval_start < interval_end", name=op.f("ck_run_interval")),
        sa.CheckConstraint("(state BETWEEN 5 AND 7) = (finished_at IS NOT NULL)", name=op.f("ck_run_finished")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
        sa.ForeignKeyConstraint(["dag_no"], ["dag.dag_no"], name=op.f("fk_run_dag_no")),
        sa.ForeignKeyConstraint(["version_no"], ["dag_version.version_no"], name=op.f("fk_run_version_no")),
        sa.ForeignKeyConstraint(["backfill_id"], ["backfill.backfill_id"], name=op.f("fk_run_backfill_id")),
    )
    op.create_index("ix_run_backfill", "run", ["backfill_id", "state"], sqlite_where=sa.text("backfill_id IS NOT NULL"))
    op.create_index(
        "ix_run_cancel_requested", "run", ["state"], sqlite_where=sa.text("cancel_requested_at IS NOT NULL")
    )
    op.create_index("ix_run_dag_interval", "run", ["dag_no", "interval_start", "interval_end"])
    op.create_index("ix_run_dag_state", "run", ["dag_no", "state"])
    op.create_index("ix_run_state", "run", ["state"])


def _make_task_instance() -> None:
    op.create_table(
        "task_instance",
        sa.Column("run_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("task_no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("map_index", NUMBER, autoincrement=False, nullable=False),
        sa.Column(
            "state",
            sa.SmallInteger,
            sa.CheckConstraint("state BETWEEN 1 AND 9", name=op.f("ck_task_instance_state")),
            nullable=False,
        ),
        sa.Column("changed_at", NUMBER, nullable=False),
        sa.Column("attempt", NUMBER),
        sa.Column("due_at", NUMBER),
        sa.Column("waiting_since", NUMBER),
        sa.PrimaryKeyConstraint("run_id", "task_no", "map_index", name=op.f("pk_task_instance")),
        sqlite_with_rowid=False,
    )


def _make_attempt() -> None:
    op.create_table(
        "attempt",
        sa.Column("attempt", NUMBER, autoincrement=False, nullable=False),
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("task_no", NUMBER, nullable=False),
        sa.Column("map_index", NUMBER, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column(
            "state",
            sa.SmallInteger,
            sa.CheckConstraint(
                "state BETWEEN 1 AND 3 OR state BETWEEN 5 AND 7 OR state = 10", name=op.f("ck_attempt_state")
            ),
            nullable=False,
        ),
        sa.Column("agent", NUMBER, nullable=False),
        sa.Column("queued_at", NUMBER, nullable=False),
        sa.Column("started_after", NUMBER),
        sa.Column("finished_after", NUMBER),
        sa.Column(
            "error_class",
            sa.SmallInteger,
            sa.CheckConstraint("error_class BETWEEN 1 AND 3", name=op.f("ck_attempt_error_class")),
        ),
        sa.Column("failure", sa.Text),
        sa.Column("log_segment", NUMBER),
        sa.Column("log_offset", NUMBER),
        sa.Column("log_length", NUMBER),
        sa.Column("peak_kib", NUMBER, nullable=False),
        sa.Column("cpu_ms", NUMBER, nullable=False),
        sa.CheckConstraint(
            "finished_after IS NULL OR state = 3 OR state BETWEEN 5 AND 7 OR state = 10",
            name=op.f("ck_attempt_finished"),
        ),
        sa.PrimaryKeyConstraint("attempt", name=op.f("pk_attempt")),
    )
    op.create_index(
        "ix_attempt_fell_short",
        "attempt",
        ["run_id", "task_no", "map_index"],
        sqlite_where=sa.text("(state = 3 OR state BETWEEN 6 AND 7 OR state = 10)"),
    )


def _make_event() -> None:
    op.create_table(
        "event",
        sa.Column("run_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column(
            "cause",
            sa.SmallInteger,
            sa.CheckConstraint("cause BETWEEN 1 AND 58", name=op.f("ck_event_cause")),
            nullable=False,
        ),
        sa.Column(
            "was",
            sa.SmallInteger,
            sa.CheckConstraint("was BETWEEN 0 AND 10", name=op.f("ck_event_was")),
            nullable=False,
        ),
        sa.Column(
            "becomes",
            sa.SmallInteger,
            sa.CheckConstraint("becomes BETWEEN 0 AND 10", name=op.f("ck_event_becomes")),
            nullable=False,
        ),
        sa.Column("task_no", NUMBER),
        sa.Column("map_index", NUMBER, nullable=False),
        sa.Column("attempt", NUMBER),
        sa.Column("facts", sa.Text),
        sa.PrimaryKeyConstraint("run_id", "seq", name=op.f("pk_event")),
        sqlite_with_rowid=False,
    )


def _make_output() -> None:
    op.create_table(
        "output",
        sa.Column("run_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("task_no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("map_index", NUMBER, autoincrement=False, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "task_no", "map_index", name=op.f("pk_output")),
        sqlite_with_rowid=False,
    )


def _make_rejected() -> None:
    op.create_table(
        "rejected",
        sa.Column("rejected_id", NUMBER, nullable=False),
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("task_no", NUMBER, nullable=False),
        sa.Column("map_index", NUMBER, nullable=False),
        sa.Column("attempt", NUMBER, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("asset", sa.Text, nullable=False),
        sa.Column("partition", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("count", NUMBER, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("rejected_id", name=op.f("pk_rejected")),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_rejected_run_id")),
        sa.ForeignKeyConstraint(["attempt"], ["attempt.attempt"], name=op.f("fk_rejected_attempt")),
    )
    op.create_index("ix_rejected_run", "rejected", ["run_id"])


def _make_item() -> None:
    op.create_table(
        "item",
        sa.Column("run_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("scope_no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("map_index", NUMBER, autoincrement=False, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "scope_no", "map_index", name=op.f("pk_item")),
        sqlite_with_rowid=False,
    )


def _make_intervention() -> None:
    op.create_table(
        "intervention",
        sa.Column("intervention_id", NUMBER, nullable=False),
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("task_no", NUMBER, nullable=False),
        sa.Column("map_index", NUMBER, nullable=False),
        sa.Column(
            "what",
            sa.String(20),
            sa.CheckConstraint(
                "what IN ('approve', 'decline', 'mark_success', 'mark_failed', 'mark_skipped')",
                name=op.f("ck_intervention_what"),
            ),
            nullable=False,
        ),
        sa.Column("decided_by", NAME, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("intervention_id", name=op.f("pk_intervention")),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"], name=op.f("fk_intervention_run_id")),
    )


def _make_switched_off() -> None:
    op.create_table(
        "switched_off",
        sa.Column("dag_no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("task_id", NAME, nullable=False),
        sa.Column(
            "becomes",
            sa.String(10),
            sa.CheckConstraint("becomes IN ('success', 'skipped')", name=op.f("ck_switched_off_becomes")),
            nullable=False,
        ),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("switched_by", NAME, nullable=False),
        sa.PrimaryKeyConstraint("dag_no", "task_id", name=op.f("pk_switched_off")),
        sa.ForeignKeyConstraint(["dag_no"], ["dag.dag_no"], name=op.f("fk_switched_off_dag_no")),
    )
