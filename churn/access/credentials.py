"""Credentials: what an `Authorization` header holds."""

import base64
import binascii
import unicodedata
from dataclasses import dataclass, field
from typing import Literal

MAX_LENGTH = 4096  # characters of the header
LONGEST_NAME = 64  # characters that a user's name may have


@dataclass(frozen=True, slots=True)
class Credentials:
    """A token's secret, or `user:password`, however it was spelt in the header."""

    scheme: Literal["bearer", "basic"]
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """Return both as one text, which no other credentials have."""
        return f"{self.scheme} {self.secret}"

    @property
    def username(self) -> str:
        """Return the user's name; nothing of a token."""
        return self.secret.partition(":")[0] if self.scheme == "basic" else ""

    @property
    def password(self) -> str:
        """Return the user's password; nothing of a token."""
        return self.secret.partition(":")[2] if self.scheme == "basic" else ""


def of_user(name: str, password: str) -> Credentials:
    """Return what a user sends, with the name in its one form."""
    return Credentials("basic", f"{composed(name)}:{password}")


def composed(name: str) -> str:
    """Return the one form (NFC, as RFC 8265 has it) of letters that keyboards send in two ways."""
    return unicodedata.normalize("NFC", name)


def parse(authorization: str) -> Credentials | None:
    """Return what a header holds; None where it is nothing that could be verified."""
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
    # PostgreSQL refuses NUL in text, bcrypt in passwords: nobody has either, nor a name of such a length.
    name, colon, password = decoded.partition(":")
    is_possible = bool(colon) and len(composed(name)) <= LONGEST_NAME and "\x00" not in decoded
    return of_user(name, password) if is_possible else None
