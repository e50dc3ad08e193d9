"""Users have a role in place of scopes; tokens know when they were used last.

Both are small tables: one short transaction. Everybody gets the role whose reach is nearest to before:
whoever might predict is an analyst, who reads the history too; only admins become admins. Who might do
nothing is disabled: every role may do something. On the way back a role becomes the scopes that it reaches,
so that going there and up again gives nobody more; when tokens were used is lost.
"""

from collections.abc import Collection

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_USERS = sa.table(
    "users",
    sa.column("id", sa.Uuid()),
    sa.column("scopes", _DOCUMENT),
    sa.column("role", sa.String()),
    sa.column("is_active", sa.Boolean()),
)
# The scope that makes somebody have a role, and the scopes of a role on the way back; the widest first.
_ROLES = {
    "admin": ("admin", ["admin", "history", "metrics", "predict"]),
    "analyst": ("predict", ["history", "predict"]),
    "auditor": ("history", ["history"]),
    "operator": ("metrics", ["metrics"]),
}
_LEAST = "operator"


def upgrade() -> None:
    """Give everybody the role that reaches nearest to before."""
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("role", sa.String(16), nullable=False, server_default=_LEAST))
    connection = op.get_bind()
    for user, scopes in connection.execute(sa.select(_USERS.c.id, _USERS.c.scopes)).all():
        change = sa.update(_USERS).where(_USERS.c.id == user)
        role = _role(scopes)
        connection.execute(change.values(role=role) if role else change.values(is_active=False))
    with op.batch_alter_table("users") as users:
        users.drop_column("scopes")
        users.alter_column("role", server_default=None)
    with op.batch_alter_table("tokens") as tokens:
        tokens.add_column(sa.Column("last_used_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Give everybody the scopes of their role."""
    with op.batch_alter_table("tokens") as tokens:
        tokens.drop_column("last_used_at")
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("scopes", _DOCUMENT, nullable=False, server_default="[]"))
    for role, (_, scopes) in _ROLES.items():
        op.execute(sa.update(_USERS).where(_USERS.c.role == role).values(scopes=scopes))
    with op.batch_alter_table("users") as users:
        users.drop_column("role")
        users.alter_column("scopes", server_default=None)


def _role(scopes: Collection[str]) -> str | None:
    return next((role for role, (needed, _) in _ROLES.items() if needed in scopes), None)
