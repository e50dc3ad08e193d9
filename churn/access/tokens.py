"""Tokens: 256 random bits for programs; only a SHA-256 digest is stored.

A secret is `churn_`, 64 hexadecimal digits, and 8 more: their CRC-32. Scanners of leaked secrets know it
by its beginning, and a typo is told apart without asking the database.
"""

import hashlib
import hmac
import secrets
import uuid
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from churn.access.roles import SCOPES
from churn.core.errors import IdentityError
from churn.core.ids import new_id
from churn.database.schema import explained
from churn.database.tables import tokens

DEFAULT_SCOPES = ("predict", "history")
PREFIX = "churn_"
_LENGTH = len(PREFIX) + 64 + 8

# Last uses are stored to the minute: more would be a write for every few calls.
USE_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Token:
    """A token as the gate knows it."""

    id: uuid.UUID
    name: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as an operator sees it."""

    name: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def state(self) -> str:
        """Return whether it lets anybody in: `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        is_over = self.expires_at is not None and self.expires_at <= datetime.now(UTC)
        return "expired" if is_over else "active"


def new_secret() -> str:
    """Return a new secret, never given before."""
    body = PREFIX + secrets.token_hex(32)
    return body + _checksum(body)


def is_mistyped(secret: str) -> bool:
    """Return whether a secret claims to be of ours and cannot be."""
    if not secret.startswith(PREFIX):
        return False  # API_TOKEN is whatever its operator chose
    return len(secret) != _LENGTH or not hmac.compare_digest(
        _checksum(secret[:-8]).encode(), secret[-8:].encode()
    )


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"


def issue_token(
    connection: Connection,
    name: str,
    *,
    scopes: Collection[str] = DEFAULT_SCOPES,
    lifetime: timedelta | None = None,
    secret: str | None = None,
) -> str:
    """Store a new token and return its secret, which cannot be read again.

    Raises:
        IdentityError: the name is taken or malformed, or a scope is unknown.
    """
    if not 0 < len(name) <= 64 or not name.isprintable():
        raise IdentityError("the token's name must have 1 to 64 printable characters")
    if unknown := sorted(set(scopes) - set(SCOPES)):
        raise IdentityError(f"unknown scope {unknown[0]!r}: expected some of {', '.join(SCOPES)}")
    secret = secret or new_secret()
    now = datetime.now(UTC)
    row = {
        "id": new_id(),
        "name": name,
        "digest": digest(secret),
        "scopes": sorted(set(scopes)),
        "created_at": now,
        "expires_at": None if lifetime is None else now + lifetime,
    }
    try:
        connection.execute(insert(tokens), row)
    except IntegrityError as error:
        raise IdentityError(f"there is already a token {name!r}: choose another name") from error
    return secret


def revoke_token(connection: Connection, name: str) -> None:
    """Let a token open nothing from now on; it stays in the list.

    Raises:
        IdentityError: there is none of that name, or it is revoked already.
    """
    standing = (tokens.c.name == name) & tokens.c.revoked_at.is_(None)
    if not connection.execute(update(tokens).where(standing).values(revoked_at=datetime.now(UTC))).rowcount:
        raise IdentityError(f"there is no token {name!r} to revoke: `churn token list` has them all")


def list_tokens(engine: Engine) -> Sequence[Issued]:
    """Return all tokens, the newest first.

    Raises:
        DatabaseError: the database does not answer.
    """
    query = select(
        tokens.c.name,
        tokens.c.scopes,
        tokens.c.created_at,
        tokens.c.expires_at,
        tokens.c.last_used_at,
        tokens.c.revoked_at,
    )
    with explained(engine), engine.connect() as connection:
        return [Issued(*row) for row in connection.execute(query.order_by(tokens.c.id.desc()))]


def verify_token(engine: Engine, secret: str) -> Token | None:
    """Return the token whose secret this is, unless mistyped, revoked or expired.

    Raises:
        DatabaseError: the database does not answer.
    """
    if is_mistyped(secret):
        return None
    wanted = digest(secret)
    query = select(tokens).where(tokens.c.digest == wanted)
    with explained(engine), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    # A look-up by digest tells nothing about the secret by its time; that it is the one is compared in full.
    if row is None or not hmac.compare_digest(row.digest, wanted) or row.revoked_at is not None:
        return None
    if row.expires_at is not None and row.expires_at <= datetime.now(UTC):
        return None
    return Token(row.id, row.name, frozenset(row.scopes))


def note_use(engine: Engine, token_id: uuid.UUID) -> None:
    """Store that a token was used just now, unless one of the last minute is stored.

    Raises:
        DatabaseError: the database does not answer, or takes no rows.
    """
    now = datetime.now(UTC)
    is_old = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < now - USE_STEP)
    mine = (tokens.c.id == token_id) & is_old
    with explained(engine):
        with engine.connect() as connection:  # a read first: it waits for nobody who writes
            needed = connection.execute(select(tokens.c.id).where(mine)).first() is not None
        if needed:
            with engine.begin() as connection:
                connection.execute(update(tokens).where(mine).values(last_used_at=now))


def count_tokens(engine: Engine) -> int:
    """Return how many tokens there are, revoked and expired ones included."""
    with explained(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(tokens)).scalar_one()


def digest(secret: str) -> bytes:
    """Return what is stored of a secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
