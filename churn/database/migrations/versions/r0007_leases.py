"""Leases: which process of many does what one is to do, such as the scheduled look of the monitors.

One short transaction. On PostgreSQL every role may do with it what it may with the sessions.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from churn.database.migrations.carry0002 import copy_grants

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    """Create the table, with the one lease that there is."""
    leases = op.create_table(
        "leases",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("holder", sa.Uuid),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
    )
    op.bulk_insert(leases, [{"name": "monitor", "holder": None, "held_until": _NEVER, "done_at": None}])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        copy_grants(connection, "sessions", "leases")


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("leases")
