"""Tokens: 256 random bits for programs; only a SHA-256 digest is stored."""

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from churn.errors import IdentityError
from churn.storage.ids import new_id
from churn.storage.schema import explained
from churn.storage.tables import tokens

SCOPES = ("predict", "history", "metrics")
DEFAULT_SCOPES = ("predict", "history")


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the gate knows it."""

    id: uuid.UUID
    name: str
    scopes: frozenset[str]


def issue_token(
    engine: Engine,
    name: str,
    *,
    scopes: Sequence[str] = DEFAULT_SCOPES,
    lifetime: timedelta | None = None,
    secret: str | None = None,
) -> str:
    """Store a new token and return its secret, which cannot be read again.

    Raises:
        IdentityError: the name is taken or malformed, or a scope is unknown.
        DatabaseError: the database does not answer.
    """
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise IdentityError("the token's name must have 1 to 64 printable characters")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise IdentityError(f"unknown scope {unknown[0]!r}: expected some of {', '.join(SCOPES)}")
    secret = secret or secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    row = {
        "id": new_id(),
        "name": name,
        "digest": digest(secret),
        "scopes": list(scopes),
        "created_at": now,
        "expires_at": None if lifetime is None else now + lifetime,
    }
    with explained(engine), engine.begin() as connection:
        try:
            connection.execute(insert(tokens), row)
        except IntegrityError as error:
            raise IdentityError(f"there is already a token {name!r}: choose another name") from error
    return secret


def ensure_token(engine: Engine, name: str, secret: str) -> None:
    """Make this secret the one token of its name: another secret that had it is revoked.

    Raises:
        DatabaseError: the database does not answer.
    """
    mine = tokens.c.digest == digest(secret)
    older = tokens.c.name.like(f"{name}-%") & ~mine & tokens.c.revoked_at.is_(None)
    with explained(engine), engine.begin() as connection:
        connection.execute(update(tokens).where(older).values(revoked_at=datetime.now(UTC)))
        known = connection.execute(update(tokens).where(mine).values(revoked_at=None)).rowcount
    if not known:
        issue_token(engine, environment_name(name, secret), secret=secret)


def environment_name(name: str, secret: str) -> str:
    """Return a name with a bit of the digest: the log can tell a rotated secret from the one before."""
    return f"{name}-{digest(secret).hex()[:8]}"


def verify_token(engine: Engine, secret: str) -> Token | None:
    """Return the token whose secret this is, unless revoked or expired.

    The look-up is by digest, so its time tells nothing about the secret.

    Raises:
        DatabaseError: the database does not answer.
    """
    query = select(
        tokens.c.id, tokens.c.name, tokens.c.scopes, tokens.c.expires_at, tokens.c.revoked_at
    ).where(tokens.c.digest == digest(secret))
    with explained(engine), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    if row is None or row.revoked_at is not None:
        return None
    if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
        return None
    return Token(row.id, row.name, frozenset(row.scopes))


def count_tokens(engine: Engine) -> int:
    """Return how many tokens there are, revoked and expired ones included."""
    with explained(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(tokens)).scalar_one()


def digest(secret: str) -> bytes:
    """Return what is stored of a secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
