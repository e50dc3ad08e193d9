"""Credentials: what an `Authorization` header or the cookie of a session holds."""

import base64
import binascii
import unicodedata
from dataclasses import dataclass, field
from typing import Literal

MAX_LENGTH = 4096  # characters of the header
LONGEST_NAME = 64  # characters that a user's name may have


@dataclass(frozen=True, slots=True)
class Credentials:
    """A secret of a token or a session, or `user:password`, whatever its spelling in the header."""

    scheme: Literal["bearer", "basic", "session"]
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """Scheme and secret as one text, which no other credentials have."""
        return f"{self.scheme} {self.secret}"

    @property
    def username(self) -> str:
        """The user's name; empty for a token and a session."""
        return self.secret.partition(":")[0] if self.scheme == "basic" else ""

    @property
    def password(self) -> str:
        """The user's password; empty for a token and a session."""
        return self.secret.partition(":")[2] if self.scheme == "basic" else ""


def user_credentials(name: str, password: str) -> Credentials:
    """Return a user's credentials, with the name composed."""
    return Credentials("basic", f"{composed(name)}:{password}")


def form_credentials(name: str, password: str) -> Credentials | None:
    """Return what somebody typed into a form; None where nobody can have such a name or password."""
    # PostgreSQL refuses NUL in text and bcrypt in passwords; with a colon, the name would be another one.
    is_name = 0 < len(composed(name)) <= LONGEST_NAME and ":" not in name
    is_possible = is_name and "\x00" not in name + password
    return user_credentials(name, password) if is_possible else None


def composed(name: str) -> str:
    """Return a text in NFC (RFC 8265): keyboards send accented letters in two ways."""
    return unicodedata.normalize("NFC", name)


def parse(authorization: str) -> Credentials | None:
    """Return the credentials in a header; None where they could not be verified."""
    scheme, _, secret = authorization.strip().partition(" ")
    scheme, secret = scheme.lower(), secret.strip()
    if not secret or len(authorization) > MAX_LENGTH:
        return None
    if scheme == "bearer":
        return Credentials("bearer", secret)
    return _basic(secret) if scheme == "basic" else None


def _basic(encoded: str) -> Credentials | None:
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    # PostgreSQL refuses NUL in text and bcrypt in passwords, so nobody has one; nor is a name that long.
    name, colon, password = decoded.partition(":")
    is_possible = bool(colon) and len(composed(name)) <= LONGEST_NAME and "\x00" not in decoded
    return user_credentials(name, password) if is_possible else None
