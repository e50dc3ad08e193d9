"""Tokens against forged forms (CSRF): a form is ours where it knows what only our pages could be told.

The token is a digest of a secret in one of the browser's cookies: nothing is stored, and another session has
another token.
"""

import base64
import hashlib
import hmac

FIELD = "csrf"  # its name in a form


def token_of(secret: str) -> str:
    """Return the token of the forms of a session."""
    digest = hmac.digest(secret.encode(), b"a form of churn", hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_token(token: str, secret: str) -> bool:
    """Return whether a token is that of a session; an empty secret has none."""
    return bool(secret) and hmac.compare_digest(token.encode(), token_of(secret).encode())
