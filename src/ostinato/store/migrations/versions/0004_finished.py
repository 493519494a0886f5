"""Dags run after others: the runs that ended since are found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the index."""
    op.create_index(
        "ix_run_dag_finished", "run", ["dag_no", "finished_at"], sqlite_where=sa.text("finished_at IS NOT NULL")
    )
