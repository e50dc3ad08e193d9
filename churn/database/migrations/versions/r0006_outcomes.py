"""What has become of employees: a table of its own, small beside the predictions and so without partitions.

One short transaction. On PostgreSQL every role may do with it what it may with the predictions' results. On
the way back the outcomes are lost, and `churn data verify` then misses them: they are sealed in the batches.
"""

import sqlalchemy as sa
from alembic import op

from churn.database.migrations.carry0002 import copy_grants

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Uuid, nullable=False, index=True),
        sa.Column("employee_id", sa.String(64), index=True),
        sa.Column("left_on", sa.Date),
        sa.Column("known_until", sa.Date),
        sa.Column("salt", sa.String(32)),
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        copy_grants(connection, "prediction_results", "outcomes")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("outcomes")
