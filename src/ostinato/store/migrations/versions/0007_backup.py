"""Attempts are never numbered twice, even after a backup was restored; a backup says when it was taken."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the columns; on SQLite by making the table anew, so that it is what a new database has."""
    if op.get_context().dialect.name != "sqlite":
        op.add_column("meta", sa.Column("last_attempt", NUMBER, nullable=False, server_default="0"))
        op.alter_column("meta", "last_attempt", server_default=None)
        op.add_column("meta", sa.Column("taken_at", NUMBER))
        return
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
        sa.PrimaryKeyConstraint("one", name=op.f("pk_meta")),
    )
    op.execute("INSERT INTO meta SELECT *, 0, NULL FROM earlier_meta")
    op.drop_table("earlier_meta")
