"""Tokens: 256 random bits for programs; only a SHA-256 digest is stored.

A secret is `churn_`, 64 hexadecimal digits, and a CRC-32 of both in 8 more. Scanners for leaked secrets
recognise the prefix, and the checksum catches a typo without asking the database. The functions that take an
engine raise DatabaseError where the database does not answer.
"""

import hashlib
import hmac
import secrets
import uuid
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from churn.access.roles import SCOPES
from churn.core.errors import IdentityError
from churn.core.ids import new_id
from churn.database.schema import explained
from churn.database.tables import tokens
from churn.schemas.caller import Caller

DEFAULT_SCOPES = ("predict", "history")
PREFIX = "churn_"
_LENGTH = len(PREFIX) + 64 + 8

# Last uses are stored to the minute: anything finer would be a write for every few calls.
USE_STEP = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token as an operator sees it."""

    name: str
    scopes: Sequence[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None

    @property
    def state(self) -> str:
        """Whether it lets anybody in: `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if _is_past(self.expires_at) else "active"


def new_secret() -> str:
    """Return a new random secret."""
    body = PREFIX + secrets.token_hex(32)
    return body + _checksum(body)


def is_mistyped(secret: str) -> bool:
    """Return whether a secret looks like one of ours and cannot be."""
    if not secret.startswith(PREFIX):
        return False  # API_TOKEN is whatever the operator chose
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
        raise IdentityError(
            "the token's name must have 1 to 64 printable characters",
            "un nom de jeton a de 1 à 64 caractères visibles",
        )
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
        raise IdentityError(
            f"there is already a token {name!r}: choose another name",
            f"il y a déjà un jeton {name!r} : choisir un autre nom",
        ) from error
    return secret


def revoke_token(connection: Connection, name: str) -> None:
    """Revoke a token; it stays in the list.

    Raises:
        IdentityError: there is none of that name, or it is revoked already.
    """
    valid = (tokens.c.name == name) & tokens.c.revoked_at.is_(None)
    if not connection.execute(update(tokens).where(valid).values(revoked_at=datetime.now(UTC))).rowcount:
        raise IdentityError(
            f"there is no token {name!r} to revoke: `churn token list` has them all",
            f"il n'y a pas de jeton {name!r} à révoquer",
        )


def list_tokens(engine: Engine) -> Sequence[IssuedToken]:
    """Return all tokens, the newest first."""
    query = select(*(tokens.c[field.name] for field in fields(IssuedToken)))
    with explained(engine), engine.connect() as connection:
        return [IssuedToken(*row) for row in connection.execute(query.order_by(tokens.c.id.desc()))]


def verify_token(engine: Engine, secret: str) -> Caller | None:
    """Return the caller whose token this is, unless it is mistyped, revoked or expired."""
    if is_mistyped(secret):
        return None
    query = select(tokens).where(tokens.c.digest == digest(secret))
    with explained(engine), engine.connect() as connection:
        row = connection.execute(query).one_or_none()
    # The time of a look-up by digest says nothing about the secret; the digests are compared in full.
    if row is None or not hmac.compare_digest(row.digest, digest(secret)):
        return None
    if row.revoked_at is not None or _is_past(row.expires_at):
        return None
    return Caller("token", row.id, row.name, frozenset(row.scopes))


def _is_past(expires_at: datetime | None) -> bool:
    return expires_at is not None and expires_at <= datetime.now(UTC)


def record_use(engine: Engine, token_id: uuid.UUID) -> None:
    """Store that a token was used just now, unless a use in the last minute is stored already."""
    now = datetime.now(UTC)
    is_old = or_(tokens.c.last_used_at.is_(None), tokens.c.last_used_at < now - USE_STEP)
    outdated = (tokens.c.id == token_id) & is_old
    with explained(engine):
        with engine.connect() as connection:  # a read first: it does not wait for writers
            is_needed = connection.execute(select(tokens.c.id).where(outdated)).first() is not None
        if is_needed:
            with engine.begin() as connection:
                connection.execute(update(tokens).where(outdated).values(last_used_at=now))


def count_tokens(engine: Engine) -> int:
    """Return how many tokens there are, revoked and expired ones included."""
    with explained(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(tokens)).scalar_one()


def digest(secret: str) -> bytes:
    """Return what is stored of a secret: 256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).digest()
