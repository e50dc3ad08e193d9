"""What people say about predictions: a table of its own, small and so without partitions.

One short transaction. On PostgreSQL every role may do with it what it may with the predictions' results. On
the way back the reviews are lost, and `churn data verify` then misses them: they are sealed in the batches.
"""

import sqlalchemy as sa
from alembic import op

from churn.database.migrations.carry0002 import copy_grants

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "reviews",
        sa.Column("request_id", sa.Uuid, primary_key=True),
        sa.Column("prediction_id", sa.Uuid, nullable=False, index=True),
        sa.Column("verdict", sa.String(16)),
        sa.Column("action", sa.String(32)),
        sa.Column("comment", sa.Text),
        sa.Column("salt", sa.String(32)),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        copy_grants(connection, "prediction_results", "reviews")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("reviews")
