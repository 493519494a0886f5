"""The story of a run that is over may be kept in little room; after a restore runs have higher numbers too."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary().with_variant(sa.LargeBinary(1 << 30), "mysql")


def upgrade() -> None:
    """Make the table, which fills while work goes on, and add the columns."""
    op.create_table(
        "event_pack",
        sa.Column("run_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("pack_no", NUMBER, autoincrement=False, nullable=False),
        sa.Column("packed", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "pack_no", name=op.f("pk_event_pack")),
        sqlite_with_rowid=False,
        mysql_default_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
    )
    if op.get_context().dialect.name == "sqlite":
        _make_meta_anew()
        return
    for name in ("last_run", "attempt_set_back"):
        op.add_column("meta", sa.Column(name, NUMBER, nullable=False, server_default="0"))
        op.alter_column("meta", name, existing_type=NUMBER, existing_nullable=False, server_default=None)


def _make_meta_anew() -> None:
    """So that it is what a new database has."""
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
        sa.Column("beat", NUMBER, nullable=False),
        sa.Column("last_attempt", NUMBER, nullable=False),
        sa.Column("taken_at", NUMBER),
        sa.Column("last_run", NUMBER, nullable=False),
        sa.Column("attempt_set_back", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_meta")),
    )
    op.execute("INSERT INTO meta SELECT *, 0, 0 FROM earlier_meta")
    op.drop_table("earlier_meta")
