"""Users have a role in place of scopes; tokens know when they were used last.

Both are small tables: one short transaction. On the way back everybody may predict and read the history,
as everybody might before.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_BEFORE = '["predict", "history"]'
_SAME_REACH = "analyst"


def upgrade() -> None:
    """Give everybody the role that reaches as far as before."""
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("role", sa.String(16), nullable=False, server_default=_SAME_REACH))
        users.drop_column("scopes")
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(sa.Column("last_used_at", sa.DateTime(timezone=True)))
    with op.batch_alter_table("users") as users:
        users.alter_column("role", server_default=None)


def downgrade() -> None:
    """Give everybody the scopes of before."""
    with op.batch_alter_table("tokens") as tokens:
        tokens.drop_column("last_used_at")
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("scopes", _DOCUMENT, nullable=False, server_default=_BEFORE))
        users.drop_column("role")
    with op.batch_alter_table("users") as users:
        users.alter_column("scopes", server_default=None)
