"""The first schema. Frozen: what changes afterwards is a revision of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "agent",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("name", sa.String(250), nullable=False),
        sa.UniqueConstraint("name", name=op.f("uq_agent_name")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_agent")),
    )
    op.create_table(
        "attempt",
        sa.Column("attempt", NUMBER, autoincrement=False, nullable=False),
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("task_no", NUMBER, nullable=False),
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
        ["run_id", "task_no"],
        sqlite_where=sa.text("(state = 3 OR state BETWEEN 6 AND 7 OR state = 10)"),
    )
    op.create_table(
        "dag_problem",
        sa.Column("file", sa.String(250), nullable=False),
        sa.Column("position", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("code", sa.String(250), nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("line", sa.Integer, nullable=False),
        sa.Column("column", sa.Integer, nullable=False),
        sa.Column("help", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("file", "position", name=op.f("pk_dag_problem")),
    )
    op.create_table(
        "event",
        sa.Column("run_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("seq", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column(
            "cause",
            sa.SmallInteger,
            sa.CheckConstraint("cause BETWEEN 1 AND 26", name=op.f("ck_event_cause")),
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
        sa.Column("attempt", NUMBER),
        sa.Column("facts", sa.Text),
        sa.PrimaryKeyConstraint("run_id", "seq", name=op.f("pk_event")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "log_segment",
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("name", sa.String(250), nullable=False),
        sa.UniqueConstraint("name", name=op.f("uq_log_segment_name")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_log_segment")),
    )
    op.create_table(
        "meta",
        sa.Column(
            "one",
            sa.SmallInteger,
            sa.CheckConstraint("one = 1", name=op.f("ck_meta_one")),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("epoch", NUMBER, nullable=False),
        sa.Column("leader", sa.String(250), nullable=False),
        sa.Column("led_since", NUMBER),
        sa.Column("dags_revision", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_meta")),
    )
    op.create_table(
        "outbox",
        sa.Column("outbox_id", NUMBER, nullable=False),
        sa.Column("dedup_key", sa.String(250), nullable=False),
        sa.Column(
            "action",
            sa.String(10),
            sa.CheckConstraint("action IN ('trigger', 'resolve')", name=op.f("ck_outbox_action")),
            nullable=False,
        ),
        sa.Column(
            "severity",
            sa.String(10),
            sa.CheckConstraint("severity IN ('critical', 'error', 'warning', 'info')", name=op.f("ck_outbox_severity")),
            nullable=False,
        ),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("at", NUMBER, nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", NUMBER),
        sa.Column("delivered_at", NUMBER),
        sa.Column("error", sa.Text, nullable=False),
        sa.CheckConstraint("next_at IS NULL OR delivered_at IS NULL", name=op.f("ck_outbox_delivered")),
        sa.PrimaryKeyConstraint("outbox_id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_dedup_key", "outbox", ["dedup_key"])
    op.create_index(
        "ix_outbox_next_at",
        "outbox",
        ["next_at"],
        sqlite_where=sa.text("next_at IS NOT NULL"),
    )
    op.create_table(
        "output",
        sa.Column("run_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("task_no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "task_no", name=op.f("pk_output")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pool",
        sa.Column("name", sa.String(250), nullable=False),
        sa.Column("slots", sa.Integer, sa.CheckConstraint("slots >= 0", name=op.f("ck_pool_slots")), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pool")),
    )
    op.create_table(
        "source",
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("code", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_source")),
    )
    op.create_table(
        "task_instance",
        sa.Column("run_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("task_no", NUMBER, autoincrement=False, nullable=False),
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
        sa.PrimaryKeyConstraint("run_id", "task_no", name=op.f("pk_task_instance")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "dag_version",
        sa.Column("version_no", NUMBER, nullable=False),
        sa.Column("version", sa.String(32), nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("spec", sa.LargeBinary, nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.UniqueConstraint("version", name=op.f("uq_dag_version_version")),
        sa.PrimaryKeyConstraint("version_no", name=op.f("pk_dag_version")),
        sa.ForeignKeyConstraint(["source"], ["source.digest"], name=op.f("fk_dag_version_source")),
    )
    op.create_table(
        "dag",
        sa.Column("dag_no", NUMBER, nullable=False),
        sa.Column("dag_id", sa.String(250), nullable=False),
        sa.Column("version_no", NUMBER, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("paused_at", NUMBER),
        sa.Column("paused_by", sa.String(250)),
        sa.Column("scheduled_until", NUMBER),
        sa.Column("retired_at", NUMBER),
        sa.UniqueConstraint("dag_id", name=op.f("uq_dag_dag_id")),
        sa.PrimaryKeyConstraint("dag_no", name=op.f("pk_dag")),
        sa.ForeignKeyConstraint(["version_no"], ["dag_version.version_no"], name=op.f("fk_dag_version_no")),
    )
    op.create_table(
        "backfill",
        sa.Column("backfill_id", NUMBER, nullable=False),
        sa.Column("dag_no", NUMBER, nullable=False),
        sa.Column("first", NUMBER, nullable=False),
        sa.Column("last", NUMBER, nullable=False),
        sa.Column("reprocess", sa.String(250), nullable=False),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.Column("created_by", sa.String(250), nullable=False),
        sa.PrimaryKeyConstraint("backfill_id", name=op.f("pk_backfill")),
        sa.ForeignKeyConstraint(["dag_no"], ["dag.dag_no"], name=op.f("fk_backfill_dag_no")),
    )
    op.create_index("ix_backfill_dag", "backfill", ["dag_no"])
    op.create_table(
        "expectation",
        sa.Column("dag_no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("interval_start", NUMBER, autoincrement=False, nullable=False),
        sa.Column("due_at", NUMBER, nullable=False),
        sa.Column(
            "state",
            sa.String(10),
            sa.CheckConstraint("state IN ('expected', 'met', 'missed')", name=op.f("ck_expectation_state")),
            nullable=False,
        ),
        sa.Column("at", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("dag_no", "interval_start", name=op.f("pk_expectation")),
        sa.ForeignKeyConstraint(["dag_no"], ["dag.dag_no"], name=op.f("fk_expectation_dag_no")),
    )
    op.create_index("ix_expectation_state", "expectation", ["state"])
    op.create_table(
        "run",
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("dag_no", NUMBER, nullable=False),
        sa.Column("version_no", NUMBER, nullable=False),
        sa.Column("run_key", sa.String(250), nullable=False),
        sa.Column(
            "kind",
            sa.SmallInteger,
            sa.CheckConstraint("kind BETWEEN 1 AND 3", name=op.f("ck_run_kind")),
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
        sa.Column("cancel_requested_by", sa.String(250)),
        sa.Column("backfill_id", NUMBER),
        sa.Column("created_by", sa.String(250), nullable=False),
        sa.UniqueConstraint("dag_no", "run_key", name=op.f("uq_run_dag_no")),
        sa.CheckConstraint("interval_start < interval_end", name=op.f("ck_run_interval")),
        sa.CheckConstraint("(state BETWEEN 5 AND 7) = (finished_at IS NOT NULL)", name=op.f("ck_run_finished")),
        sa.PrimaryKeyConstraint("run_id", name=op.f("pk_run")),
        sa.ForeignKeyConstraint(["dag_no"], ["dag.dag_no"], name=op.f("fk_run_dag_no")),
        sa.ForeignKeyConstraint(["version_no"], ["dag_version.version_no"], name=op.f("fk_run_version_no")),
        sa.ForeignKeyConstraint(["backfill_id"], ["backfill.backfill_id"], name=op.f("fk_run_backfill_id")),
    )
    op.create_index(
        "ix_run_backfill",
        "run",
        ["backfill_id", "state"],
        sqlite_where=sa.text("backfill_id IS NOT NULL"),
    )
    op.create_index(
        "ix_run_cancel_requested",
        "run",
        ["state"],
        sqlite_where=sa.text("cancel_requested_at IS NOT NULL"),
    )
    op.create_index("ix_run_dag_interval", "run", ["dag_no", "interval_start"])
    op.create_index("ix_run_dag_state", "run", ["dag_no", "state"])
    op.create_index("ix_run_state", "run", ["state"])
    op.create_table(
        "rejected",
        sa.Column("rejected_id", NUMBER, nullable=False),
        sa.Column("run_id", NUMBER, nullable=False),
        sa.Column("task_no", NUMBER, nullable=False),
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
