"""Cookies: what a browser sends back to us, and how it is told to."""

from collections.abc import Sequence

from starlette.types import Scope

from churn.access.credentials import MAX_LENGTH, Credentials

SESSION = "churn_session"


def cookie(scope: Scope, name: str) -> str:
    """Return a cookie of a request; empty where there is none. Of several, that of the nearest folder."""
    for key, value in scope["headers"]:
        if key == b"cookie":
            for part in value.decode("latin-1").split(";"):
                named, _, content = part.strip().partition("=")
                if named == name:
                    return str(content)
    return ""


def session_of(scope: Scope) -> Credentials | None:
    """Return the session that a request belongs to; it may be over."""
    secret = cookie(scope, SESSION)
    return Credentials("session", secret) if 0 < len(secret) <= MAX_LENGTH else None


def set_cookie(
    scope: Scope, name: str, value: str, frame_ancestors: Sequence[str], *, max_age: int | None = None
) -> str:
    """Return a `Set-Cookie` header; without `max_age`, the cookie goes when the browser is closed.

    Scripts do not see it. Other sites' frames get it only where they may show our pages; they are never sent
    it without TLS. Without a path it is sent to the folder of the page that sets it, behind any prefix, and
    to what is below. An empty value takes it away.
    """
    parts = [f"{name}={value}", "HttpOnly"]
    if frame_ancestors:
        parts += ["SameSite=None", "Secure", "Partitioned"]
    else:
        parts += ["SameSite=Lax", *["Secure"] * (scope["scheme"] == "https")]
    if not value:
        max_age = 0
    return "; ".join(parts + ([] if max_age is None else [f"Max-Age={max_age}"]))
