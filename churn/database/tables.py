"""The tables: who may call, the five that log a prediction, what is said later, and the batches that seal it.

Keys are UUIDv7s that the application makes: they sort by time, and the rows of one transaction need no round
trip between them. PostgreSQL keeps the rows in monthly partitions, except reviews and outcomes, which are
few. The input, the features and the result of a prediction share its id; a request, its response and
its review share theirs. The journal's tables have no foreign keys: one writer commits a call's rows together,
`churn data verify` finds rows that somebody removed, and a month can be dropped at once. Alembic owns the
schema (`churn.database.migrations`); a test compares them.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# PostgreSQL's `json`, not `jsonb`: the digests need every byte as it was written.
Document = JSON(none_as_null=True)


class Scopes(TypeDecorator[list[str]]):
    """A list of names; PostgreSQL's `jsonb`, whose dialect takes long to import and is not, elsewhere."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that a database has for it."""
        kinds: dict[str, type[TypeEngine[Any]]] = getattr(dialect, "ischema_names", {})
        return dialect.type_descriptor(kinds.get("jsonb", JSON)())


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, in SQLite too, which stores no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return the moment in UTC; one without a time zone is refused."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return an aware moment in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


users = Table(
    "users",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("username", String(64), nullable=False, unique=True),
    Column("password_hash", String(72), nullable=False),
    Column("is_active", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("role", String(16), nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("scopes", Scopes, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
)

# People who are signed in to the pages. A user's sessions go with the user's password.
sessions = Table(
    "sessions",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("digest", LargeBinary(32), nullable=False, unique=True),
    Column("user_id", Uuid, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_used_at", UtcDateTime, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("method", String(8), nullable=False),
    Column("route", String(64), nullable=False),
    # The caller's key without a foreign key: the log outlives the account.
    Column("caller_kind", String(16), nullable=False),
    Column("caller_id", Uuid),
    Column("caller_name", String(64)),
    Column("model", String(128)),  # the one that served at the time
    Column("times", Integer, nullable=False, server_default="1"),  # more than 1: refused calls, only counted
    Column("salt", String(32)),
    Column("batch_id", Uuid, index=True),
)

api_responses = Table(
    "api_responses",
    metadata,
    Column("request_id", Uuid, primary_key=True),
    Column("answered_at", UtcDateTime, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("duration_ms", Float, nullable=False),
    Column("body", Document),
    Column("salt", String(32)),
)

# Personal data may be null: `churn data erase` removes it and its salt, and leaves the rows.
employee_inputs = Table(
    "employee_inputs",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", Uuid, nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("employee_id", String(64)),
    Column("record", Document),
    Column("salt", String(32)),
)

features = Table(
    "features",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("base_value", Float, nullable=False),
    Column("values", Document),
    Column("contributions", Document),
)

prediction_results = Table(
    "prediction_results",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", Uuid, nullable=False),
    Column("caller_name", String(64)),  # as in its request: the history is filtered by it
    Column("model", String(128), nullable=False),
    Column("prediction", SmallInteger),
    Column("probability", Float),
    Column("threshold", Float, nullable=False),
)

# Who of many processes does what one is to do. Migrations make its rows.
leases = Table(
    "leases",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", Uuid),  # null where nobody does
    Column("held_until", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
)

# What people say about predictions. Who and when is in the request; `salt` is null where it was erased.
reviews = Table(
    "reviews",
    metadata,
    Column("request_id", Uuid, primary_key=True),
    Column("prediction_id", Uuid, nullable=False, index=True),
    Column("verdict", String(16)),
    Column("action", String(32)),
    Column("comment", Text),
    Column("salt", String(32)),
)

# What has become of employees. `salt` is null where it was erased. The newest row of an employee counts.
outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("request_id", Uuid, nullable=False, index=True),
    Column("employee_id", String(64), index=True),
    Column("left_on", Date),  # null where they were still there
    Column("known_until", Date),
    Column("salt", String(32)),
)

# One row per transaction of the journal; `churn.journal.hash_chain` says how the digests are made.
journal_batches = Table(
    "journal_batches",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("chain", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("committed_at", UtcDateTime, nullable=False),
    Column("previous", LargeBinary(32), nullable=False),
    Column("leaves", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
)

Index("ix_employee_inputs_employee_id_id", employee_inputs.c.employee_id, employee_inputs.c.id)
Index("ix_prediction_results_model_id", prediction_results.c.model, prediction_results.c.id)
Index("ix_prediction_results_caller_name_id", prediction_results.c.caller_name, prediction_results.c.id)
Index("ix_journal_batches_chain_sequence", journal_batches.c.chain, journal_batches.c.sequence)

# The five tables of a prediction, parents first.
JOURNAL = (requests, employee_inputs, features, prediction_results, api_responses)
# The tables in which one call may have rows.
CALL_TABLES = (*JOURNAL, reviews, outcomes)
