"""The gate: plain-ASGI middleware that lets nobody in without credentials, open paths aside."""

import base64
import binascii
import os
from collections.abc import Callable, Mapping

import anyio
import anyio.to_thread
from sqlalchemy import Engine
from starlette.types import ASGIApp, Receive, Scope, Send

from churn.access.remembered import Remembered
from churn.access.tokens import digest, verify_token
from churn.access.users import verify_user
from churn.errors import DatabaseError, ForbiddenError, UnauthorizedError
from churn.storage.exchanges import Caller

# Everything else is closed. Folders end with a slash.
OPEN_PATHS = frozenset({"/", "/health", "/healthz", "/livez", "/readyz", "/docs.json"})
OPEN_FOLDERS = ("/static_content/",)
# What a caller's scopes must hold; where nothing is named, any caller may.
SCOPES = {
    "/predict": "predict",
    "/predict_batch": "predict",
    "/what_if": "predict",
    "/model": "predict",
    "/history": "history",
}
MAX_CREDENTIALS = 4096  # characters of an Authorization header

Verify = Callable[[str], Caller | None]


def verifier(engine: Engine, offline: Mapping[bytes, Caller] | None = None) -> Verify:
    """Return the function that finds the caller behind an `Authorization` header, or None.

    It reads the database and hashes passwords: call it off the event loop. `offline` has the callers who
    are known without a database, while it is away, by the digest of their token or `user:password`.
    """

    def verify(authorization: str) -> Caller | None:
        scheme, secret = _credentials(authorization)
        if secret is None:
            return None
        try:
            return _verify_token(engine, secret) if scheme == "bearer" else _verify_user(engine, secret)
        except DatabaseError:
            if offline and (caller := offline.get(digest(secret))):
                return caller
            raise

    return verify


def _credentials(authorization: str) -> tuple[str, str | None]:
    """Return the scheme and the token or `user:password`; None where there is nothing to verify."""
    scheme, _, credentials = authorization.strip().partition(" ")
    scheme, credentials = scheme.lower(), credentials.strip()
    if not credentials or len(credentials) > MAX_CREDENTIALS:
        return scheme, None
    if scheme == "bearer":
        return scheme, credentials
    if scheme != "basic":
        return scheme, None
    try:
        decoded = base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return scheme, None
    # PostgreSQL refuses NUL in text, bcrypt in passwords: nobody has either.
    return scheme, None if ":" not in decoded or "\x00" in decoded else decoded


def _verify_token(engine: Engine, secret: str) -> Caller | None:
    token = verify_token(engine, secret)
    return None if token is None else Caller("token", token.id, token.name, token.scopes)


def _verify_user(engine: Engine, secret: str) -> Caller | None:
    username, _, password = secret.partition(":")
    user = verify_user(engine, username, password)
    return None if user is None else Caller("user", user.id, user.name, user.scopes)


def is_open(path: str) -> bool:
    """Return whether anyone may call a path."""
    return path in OPEN_PATHS or path.startswith(OPEN_FOLDERS)


class Gate:
    """Lets a request pass where its path is open or its credentials are good and reach far enough.

    `verify` is what `verifier` returns. The caller is left in the request's state. Raises
    `UnauthorizedError` and `ForbiddenError` for the envelope around it to answer. WebSockets are closed:
    none is served.
    """

    def __init__(self, app: ASGIApp, verify: Verify) -> None:
        self._app = app
        self._verify = verify
        self._hashing = anyio.CapacityLimiter(os.cpu_count() or 1)
        self._remembered = Remembered(self._ask)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, and hand it on."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http" and not is_open(scope["path"]):
            await self._check(scope)
        await self._app(scope, receive, send)

    async def _check(self, scope: Scope) -> None:
        found = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(found) != 1:  # two would leave it open which one was checked
            raise UnauthorizedError
        caller = await self._remembered.caller(found[0].decode("latin-1"))
        if caller is None:
            raise UnauthorizedError
        scope.setdefault("state", {})["caller"] = caller
        if SCOPES.get(scope["path"], "") not in {"", *caller.scopes}:
            raise ForbiddenError

    async def _ask(self, authorization: str) -> Caller | None:
        # Hashing a password keeps a core busy: a few at a time, so that tokens need not queue behind.
        limiter = self._hashing if authorization[:5].lower() == "basic" else None
        return await anyio.to_thread.run_sync(self._verify, authorization, limiter=limiter)
