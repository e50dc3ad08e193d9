"""Users, tokens and the five tables of the journal."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Spelled out, not imported from the tables: a revision stays what it was when it was written.
_DOCUMENT = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create everything."""
    _create_identities()
    create_journal()


def _create_identities() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("username", sa.String(64), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(72), nullable=False),
        sa.Column("scopes", _DOCUMENT, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("scopes", _DOCUMENT, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT),
        sa.Column("revoked_at", _MOMENT),
    )


def create_journal() -> None:
    """Create the journal's tables."""
    op.create_table(
        "requests",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("received_at", _MOMENT, nullable=False, index=True),
        sa.Column("method", sa.String(8), nullable=False),
        sa.Column("route", sa.String(64), nullable=False),
        sa.Column("caller_kind", sa.String(16), nullable=False),
        sa.Column("caller_id", sa.Uuid),
        sa.Column("caller_name", sa.String(64)),
    )
    op.create_table(
        "employee_inputs",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Uuid, sa.ForeignKey("requests.id"), nullable=False, index=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("employee_id", sa.String(64), index=True),
        sa.Column("record", _DOCUMENT, nullable=False),
    )
    op.create_table(
        "features",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("input_id", sa.Uuid, sa.ForeignKey("employee_inputs.id"), nullable=False, index=True),
        sa.Column("base_value", sa.Float, nullable=False),
        sa.Column("values", _DOCUMENT, nullable=False),
        sa.Column("contributions", _DOCUMENT, nullable=False),
    )
    op.create_table(
        "prediction_results",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Uuid, sa.ForeignKey("requests.id"), nullable=False, index=True),
        sa.Column("input_id", sa.Uuid, sa.ForeignKey("employee_inputs.id"), nullable=False, index=True),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("prediction", sa.SmallInteger, nullable=False),
        sa.Column("probability", sa.Float, nullable=False),
        sa.Column("threshold", sa.Float, nullable=False),
    )
    op.create_index("ix_prediction_results_model_id", "prediction_results", ["model", "id"])
    op.create_table(
        "api_responses",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("request_id", sa.Uuid, sa.ForeignKey("requests.id"), nullable=False, unique=True),
        sa.Column("answered_at", _MOMENT, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("duration_ms", sa.Float, nullable=False),
        sa.Column("body", _DOCUMENT, nullable=False),
    )


def downgrade() -> None:
    """Drop everything, children first."""
    for table in (
        "api_responses",
        "prediction_results",
        "features",
        "employee_inputs",
        "requests",
        "tokens",
        "users",
    ):
        op.drop_table(table)
