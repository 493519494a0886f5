"""The story of a run that is over may be kept in little room."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary().with_variant(sa.LargeBinary(1 << 30), "mysql")


def upgrade() -> None:
    """Make the table. It fills while work goes on."""
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
