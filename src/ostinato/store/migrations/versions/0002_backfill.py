"""A backfill keeps all it was asked with, and can be paused; runs are found by the end of their interval too."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Rebuild the two tables, so that they are what a new database has, and the index."""
    _rebuild_meta()
    _rebuild_backfill()
    op.drop_index("ix_run_dag_interval", "run")
    op.create_index("ix_run_dag_interval", "run", ["dag_no", "interval_start", "interval_end"])


def _rebuild_meta() -> None:
    op.execute("CREATE TABLE earlier_meta AS SELECT * FROM meta")
    op.drop_table("meta")
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
        sa.Column("backfills_revision", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_meta")),
    )
    op.execute("INSERT INTO meta SELECT one, epoch, leader, led_since, dags_revision, 0 FROM earlier_meta")
    op.drop_table("earlier_meta")


def _rebuild_backfill() -> None:
    op.execute("PRAGMA defer_foreign_keys = ON")  # its runs refer to nothing until it is there again
    op.execute("CREATE TABLE earlier_backfill AS SELECT * FROM backfill")
    op.drop_table("backfill")
    op.create_table(
        "backfill",
        sa.Column("backfill_id", NUMBER, nullable=False),
        sa.Column("dag_no", NUMBER, nullable=False),
        sa.Column("chosen", sa.Text, nullable=False),
        sa.Column(
            "reprocess",
            sa.String(10),
            sa.CheckConstraint("reprocess IN ('missing', 'failed', 'all')", name=op.f("ck_backfill_reprocess")),
            nullable=False,
        ),
        sa.Column("newest_first", sa.SmallInteger, nullable=False),
        sa.Column("batch", sa.Integer, sa.CheckConstraint("batch > 0", name=op.f("ck_backfill_batch")), nullable=False),
        sa.Column("cascade", sa.SmallInteger, nullable=False),
        sa.Column("params", sa.LargeBinary, nullable=False),
        sa.Column(
            "max_active_runs",
            sa.Integer,
            sa.CheckConstraint("max_active_runs > 0", name=op.f("ck_backfill_max_active_runs")),
            nullable=False,
        ),
        sa.Column(
            "share",
            sa.Float,
            sa.CheckConstraint("share BETWEEN 0 AND 1", name=op.f("ck_backfill_share")),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.String(10),
            sa.CheckConstraint("state IN ('running', 'paused', 'cancelled')", name=op.f("ck_backfill_state")),
            nullable=False,
        ),
        sa.Column("created_at", NUMBER, nullable=False),
        sa.Column("created_by", sa.String(250), nullable=False),
        sa.ForeignKeyConstraint(["dag_no"], ["dag.dag_no"], name=op.f("fk_backfill_dag_no")),
        sa.PrimaryKeyConstraint("backfill_id", name=op.f("pk_backfill")),
    )
    # of an earlier backfill: the days it was for, up to the last instant; and what was then the only way to run it
    op.execute(
        "INSERT INTO backfill SELECT backfill_id, dag_no, json_array(json_array(first, last + 1)), reprocess, 0, 1, 0, "
        "x'80', 16, 0.1, 'running', created_at, created_by FROM earlier_backfill"
    )
    op.drop_table("earlier_backfill")
    op.create_index("ix_backfill_dag", "backfill", ["dag_no"])
