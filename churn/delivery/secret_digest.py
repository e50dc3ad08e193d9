"""Digests of secrets, which tell whether a secret that is never shown again is still the same."""

import hashlib
import hmac
import secrets

_PREFIX = "set by churn"
_COST = {"n": 2**14, "r": 8, "p": 1}  # as RFC 7914 has it for sign-ins: guesses take their time


def digest(value: str) -> str:
    """Return a description of a secret: a salt and a slow digest."""
    salt = secrets.token_hex(16)
    return f"{_PREFIX} {salt} {_derived(value, salt)}"


def is_of(description: str | None, value: str) -> bool:
    """Return whether `digest` made a description of this secret."""
    prefix, _, rest = (description or "").rpartition(_PREFIX)
    salt, _, found = rest.strip().partition(" ")
    return not prefix and bool(found) and hmac.compare_digest(found, _derived(value, salt))


def _derived(value: str, salt: str) -> str:
    return hashlib.scrypt(value.encode(), salt=salt.encode(), **_COST).hex()
