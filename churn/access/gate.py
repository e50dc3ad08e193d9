"""The gate: plain-ASGI middleware that lets nobody in without credentials, open paths aside."""

import base64
import binascii
import os
from collections.abc import Callable

import anyio
import anyio.to_thread
from sqlalchemy import Engine
from starlette.types import ASGIApp, Receive, Scope, Send

from churn.access.tokens import verify_token
from churn.access.users import verify_user
from churn.errors import UnauthorizedError
from churn.storage.journal import Caller

# Everything else is closed. Folders end with a slash.
OPEN_PATHS = frozenset({"/", "/health", "/healthz", "/livez", "/readyz", "/docs.json"})
OPEN_FOLDERS = ("/static_content/",)
MAX_CREDENTIALS = 4096  # characters of an Authorization header

Verify = Callable[[str], Caller | None]


def verifier(engine: Engine) -> Verify:
    """Return the function that finds the caller behind an `Authorization` header, or None.

    It reads the database and hashes passwords: call it off the event loop.
    """

    def verify(authorization: str) -> Caller | None:
        scheme, _, credentials = authorization.strip().partition(" ")
        credentials = credentials.strip()
        if not credentials or len(credentials) > MAX_CREDENTIALS:
            return None
        if scheme.lower() == "bearer":
            token = verify_token(engine, credentials)
            return None if token is None else Caller("token", token.id, token.name)
        if scheme.lower() == "basic":
            return _verify_basic(engine, credentials)
        return None

    return verify


def _verify_basic(engine: Engine, credentials: str) -> Caller | None:
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    username, colon, password = decoded.partition(":")
    # PostgreSQL refuses NUL in text, bcrypt in passwords: nobody has either.
    if not colon or "\x00" in decoded:
        return None
    user_id = verify_user(engine, username, password)
    return None if user_id is None else Caller("user", user_id, username)


def is_open(path: str) -> bool:
    """Return whether anyone may call a path."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


class Gate:
    """Lets a request pass where its path is open or its credentials are good.

    `verify` is what `verifier` returns. The caller is left in the request's state. Raises
    `UnauthorizedError` for the envelope around it to answer. WebSockets are closed: none is served.
    """

    def __init__(self, app: ASGIApp, verify: Verify) -> None:
        self._app = app
        self._verify = verify
        self._hashing = anyio.CapacityLimiter(os.cpu_count() or 1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one connection; the lifespan passes."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and not is_open(scope["path"]):
            scope.setdefault("state", {})["caller"] = await self._caller(scope)
        await self._app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        found = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(found) != 1:  # two would leave it open which one was checked
            raise UnauthorizedError
        authorization = found[0].decode("latin-1")
        # Hashing a password keeps a core busy: a few at a time, so that tokens need not queue behind.
        limiter = self._hashing if authorization[:5].lower() == "basic" else None
        caller = await anyio.to_thread.run_sync(self._verify, authorization, limiter=limiter)
        if caller is None:
            raise UnauthorizedError
        return caller
