"""Sessions: 256 random bits in the cookie of somebody who signed in; only a SHA-256 digest is stored.

A session ends when its user signs out, is disabled or gets another password, after `IDLE` without a request,
and `LONGEST` after it began. The functions that take an engine raise DatabaseError where the database does
not answer.
"""

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, delete, insert, or_, select, update

from churn.access.roles import scopes_of
from churn.access.tokens import digest
from churn.core.ids import new_id
from churn.database.schema import explained
from churn.database.tables import sessions, users
from churn.schemas.caller import Caller

IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)
# Last uses are stored to the minute: anything finer would be a write for every page.
USE_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A session as an operator sees it."""

    id: uuid.UUID
    username: str
    created_at: datetime
    last_used_at: datetime


def open_session(engine: Engine, user_id: uuid.UUID) -> str:
    """Begin a session of a user and return its secret, which cannot be read again."""
    secret, now = secrets.token_urlsafe(32), datetime.now(UTC)
    row = {
        "id": new_id(),
        "digest": digest(secret),
        "user_id": user_id,
        "created_at": now,
        "last_used_at": now,
    }
    with explained(engine), engine.begin() as connection:
        connection.execute(delete(sessions).where(_is_over()))
        connection.execute(insert(sessions), row)
    return secret


def verify_session(engine: Engine, secret: str) -> Caller | None:
    """Return the user whose session this is, and store that it was used; None where it is over."""
    query = (
        select(sessions.c.id, sessions.c.last_used_at, users.c.id, users.c.username, users.c.role)
        .join(users, users.c.id == sessions.c.user_id)
        .where(sessions.c.digest == digest(secret), users.c.is_active, ~_is_over())
    )
    with explained(engine), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        return None
    session_id, last_used_at, user_id, username, role = row
    if last_used_at < datetime.now(UTC) - USE_STEP:
        _store_use(engine, session_id)
    return Caller("user", user_id, username, scopes_of(role))


def close_session(engine: Engine, secret: str) -> None:
    """End a session, if it is not over already."""
    with explained(engine), engine.begin() as connection:
        connection.execute(delete(sessions).where(sessions.c.digest == digest(secret)))


def close_sessions_of(connection: Connection, user_id: uuid.UUID) -> None:
    """End all sessions of a user."""
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))


def end_session(connection: Connection, session_id: uuid.UUID) -> None:
    """End somebody's session, if it is not over already."""
    connection.execute(delete(sessions).where(sessions.c.id == session_id))


def list_sessions(engine: Engine) -> Sequence[Session]:
    """Return the sessions that are not over, the newest first."""
    query = (
        select(sessions.c.id, users.c.username, sessions.c.created_at, sessions.c.last_used_at)
        .join(users, users.c.id == sessions.c.user_id)
        .where(users.c.is_active, ~_is_over())
        .order_by(sessions.c.id.desc())
    )
    with explained(engine), engine.connect() as connection:
        return [Session(*row) for row in connection.execute(query)]


def _store_use(engine: Engine, session_id: uuid.UUID) -> None:
    used = update(sessions).where(sessions.c.id == session_id).values(last_used_at=datetime.now(UTC))
    with explained(engine), engine.begin() as connection:
        connection.execute(used)


def _is_over() -> ColumnElement[bool]:
    now = datetime.now(UTC)
    return or_(sessions.c.last_used_at < now - IDLE, sessions.c.created_at < now - LONGEST)
