"""Users and tokens of revision 0002, as the service of that time stored them."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import bcrypt
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from churn.access.tokens import digest

_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")
_MOMENT = sa.DateTime(timezone=True)
users = sa.table(
    "users",
    sa.column("id", sa.Uuid()),
    sa.column("username"),
    sa.column("password_hash"),
    sa.column("scopes", _DOCUMENT),
    sa.column("is_active", sa.Boolean()),
    sa.column("created_at", _MOMENT),
)
tokens = sa.table(
    "tokens",
    sa.column("id", sa.Uuid()),
    sa.column("name"),
    sa.column("digest", sa.LargeBinary()),
    sa.column("scopes", _DOCUMENT),
    sa.column("created_at", _MOMENT),
    sa.column("expires_at", _MOMENT),
    sa.column("revoked_at", _MOMENT),
)

# The default, and the scopes of every user that `churn user add` made.
SCOPES = ("predict", "history")
_WHEN = datetime(2025, 11, 30, tzinfo=UTC)


def store_user(
    connection: Connection,
    name: str,
    password: str,
    scopes: Sequence[str] = SCOPES,
    *,
    is_active: bool = True,
) -> None:
    """Store a user; the password was hashed as it was typed (here in fewer rounds, which is faster)."""
    stored = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    row = {"id": uuid.uuid4(), "username": name, "password_hash": stored, "scopes": list(scopes)}
    connection.execute(insert(users), row | {"is_active": is_active, "created_at": _WHEN})


def store_token(
    connection: Connection,
    name: str,
    secret: str,
    scopes: Sequence[str] = SCOPES,
    *,
    expires_at: datetime | None = None,
    revoked_at: datetime | None = None,
) -> None:
    """Store a token."""
    row = {"id": uuid.uuid4(), "name": name, "digest": digest(secret), "scopes": list(scopes)}
    ends = {"expires_at": expires_at, "revoked_at": revoked_at}
    connection.execute(insert(tokens), row | {"created_at": _WHEN} | ends)


def contents(engine: Engine) -> list[dict[str, Any]]:
    """Return all users and tokens in the order of their keys, with sorted scopes."""
    with engine.connect() as connection:
        rows = [
            dict(row)
            for table in (users, tokens)
            for row in connection.execute(select(table).order_by(table.c.id)).mappings()
        ]
    return [{**row, "scopes": sorted(row["scopes"])} for row in rows]
