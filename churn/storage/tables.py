"""The tables: who may call, and the five that log a prediction.

Keys are UUIDv7 made by the application, so that the rows of one transaction need no round trip
between them and sort by time. Alembic owns the schema (`churn.migrations`); a test compares the two.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

Document = JSON().with_variant(JSONB(), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, also in SQLite, which stores none of the zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Store UTC; a moment without a zone is refused rather than guessed."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware moment."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", String(64), nullable=False, unique=True),
    Column("password_hash", String(72), nullable=False),
    Column("scopes", Document, nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", Document, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Column("method", String(8), nullable=False),
    Column("route", String(64), nullable=False),
    # The caller's key without a foreign key: the log outlives the account.
    Column("caller_kind", String(16), nullable=False),
    Column("caller_id", Uuid),
    Column("caller_name", String(64)),
)

employee_inputs = Table(
    "employee_inputs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", Uuid, ForeignKey("requests.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("employee_id", String(64), index=True),
    Column("record", Document, nullable=False),
)

features = Table(
    "features",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("input_id", Uuid, ForeignKey("employee_inputs.id"), nullable=False, index=True),
    Column("base_value", Float, nullable=False),
    Column("values", Document, nullable=False),
    Column("contributions", Document, nullable=False),
)

prediction_results = Table(
    "prediction_results",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", Uuid, ForeignKey("requests.id"), nullable=False, index=True),
    Column("input_id", Uuid, ForeignKey("employee_inputs.id"), nullable=False, index=True),
    Column("model", String(128), nullable=False),
    Column("prediction", SmallInteger, nullable=False),
    Column("probability", Float, nullable=False),
    Column("threshold", Float, nullable=False),
)

api_responses = Table(
    "api_responses",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", Uuid, ForeignKey("requests.id"), nullable=False, unique=True),
    Column("answered_at", UtcDateTime, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("body", Document, nullable=False),
)

Index("ix_prediction_results_model_id", prediction_results.c.model, prediction_results.c.id)

# The five tables of a prediction, parents first.
JOURNAL = (requests, employee_inputs, features, prediction_results, api_responses)
