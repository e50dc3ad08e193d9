"""Passwords: bcrypt hashes that depend on every byte."""

import base64
import hmac
from collections.abc import Callable

import bcrypt

from churn.access.credentials import composed

Matches = Callable[[str, str], bool]  # whether a password is the one of a hash

ROUNDS = 12  # 2**12 iterations: about a quarter of a second on a laptop
_LONGEST = 72  # bytes that bcrypt reads
_DOMAIN = b"churn: a password of over 72 bytes"

# The hash of a random text that nobody kept. It is checked where the name is unknown, so that a wrong name
# takes as long as a wrong password.
NOBODY = "$2b$12$NqsZFtF0B0SawKOykoW11esycZXrzGn1FjbmXAUUS2.CGs7h1TwSG"


def hash_password(password: str) -> str:
    """Return the bcrypt hash of a password; takes about a quarter of a second."""
    return bcrypt.hashpw(_shortened(composed(password)), bcrypt.gensalt(ROUNDS)).decode()


def matches(password: str, stored: str) -> bool:
    """Return whether a password is the one that was hashed; takes about a quarter of a second.

    Twice that where its accents come decomposed: up to revision 0002 of the schema they were hashed like
    that.
    """
    candidates = [_shortened(composed(password))]
    if password != composed(password) and len(password.encode()) <= _LONGEST:
        candidates.append(password.encode())
    return any(bcrypt.checkpw(candidate, stored.encode()) for candidate in candidates)


def _shortened(password: str) -> bytes:
    """Return what bcrypt reads: the password, or a digest of one that is too long for it."""
    plain = password.encode()
    if len(plain) <= _LONGEST:
        return plain
    return base64.b64encode(hmac.digest(_DOMAIN, plain, "sha384"))  # 64 bytes, without NUL
