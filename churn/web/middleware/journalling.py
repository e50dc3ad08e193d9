"""Journalling: holds an answer back until the journal has it."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churn.core.errors import ChurnError, DatabaseError, UnauthorizedError
from churn.journal.call import REFUSED, Call, Recording
from churn.schemas.caller import Caller
from churn.web.endpoints.predictions import ROUTES
from churn.web.headers import header
from churn.web.middleware.deadlines import Deadlines
from churn.web.middleware.error_responses import logger, refusal
from churn.web.tracebacks import anonymous_traceback

# Every call to these is journalled; of the others, those that are refused.
API = frozenset({*ROUTES, "/model", "/history"})
PART = 64 * 1024  # bytes of an answer that are sent at once
MAX_SECONDS = 30  # until an answer is journalled; past them, it is perhaps, but not sent
ELSEWHERE = "(elsewhere)"  # the route of other addresses: what people type there is not ours to keep


class Journalling:
    """Journals every call to the API, refused or not, and every refusal elsewhere, before the answer leaves.

    Outermost, so that what it logs is what the caller receives. Where the journal cannot write,
    the answer is 503 or 504 and no prediction leaves. `is_open` tells the paths that anyone may call; of
    those nothing is journalled.
    """

    def __init__(self, app: ASGIApp, journal: Recording, is_open: Callable[[str], bool]) -> None:
        self._app = app
        self._journal = journal
        self._is_open = is_open
        self._deadlines = Deadlines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or self._is_open(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = _Request(scope, send)
        try:
            await self._app(scope, receive, request.hold)
            if request.held:
                await self._answer(request, scope, receive, send)
        finally:
            request.close()

    async def _answer(self, request: "_Request", scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._deadlines.keep(self._journal.record(request.call()), MAX_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is: not journalled, so not answered
            logger.error(
                "request %s is not journalled, so not answered: %s",
                scope["state"]["request_id"],
                error if isinstance(error, ChurnError) else anonymous_traceback(error),
            )
            refused = error if isinstance(error, ChurnError) else DatabaseError()
            await refusal(refused, scope)(scope, receive, send)
        else:
            for message in request.held:
                await _send(message, send)


class _Request:
    """One request on its way: its answer is held, unless it is none of the API's and a success."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self._is_api = scope["path"] in API
        self._passes = False
        self._received_at, self._started = datetime.now(UTC), time.perf_counter()
        self.held: list[Message] = []

    async def hold(self, message: Message) -> None:
        """Hold a part of the answer, or let it pass."""
        if message["type"] == "http.response.start":
            self._passes = not self._is_api and message["status"] < 400
        if self._passes:
            await self._send(message)
        else:
            self.held.append(message)

    def close(self) -> None:
        """Let go of what another process has of it."""
        if batch := self._scope["state"].get("batch"):
            batch.close()

    def call(self) -> Call:
        """Return what is logged of it, once it is answered."""
        scope, state = self._scope, self._scope["state"]
        status = self.held[0]["status"]
        batch = state.get("batch") if status == 200 else None
        # What other routes tell is in the journal already, or in the model store.
        kept = batch is None and (scope["path"] in ROUTES or status >= 400)
        body = b"".join([m.get("body", b"") for m in self.held[1:]]) if kept else b""
        return Call(
            id=state["request_id"],
            received_at=self._received_at,
            method=scope["method"][:8],
            route=scope["path"] if self._is_api else ELSEWHERE,
            caller=state.get("caller") or Caller(),
            answered_at=datetime.now(UTC),
            status=status,
            duration_ms=(time.perf_counter() - self._started) * 1000,
            # Of those whom the gate refused, it is kept from where they came.
            body=_with_address(body, scope) if status in REFUSED else body or None,
            scored=state.get("scored", ()) if status == 200 else (),
            is_bare=status == UnauthorizedError.status and not header(scope, b"authorization"),
            batch=batch,
        )


async def _send(message: Message, send: Send) -> None:
    """Send a message; a long body in parts, between which others get their turns."""
    body = message.get("body", b"")
    while len(body) > PART:
        await send({**message, "body": body[:PART], "more_body": True})
        await asyncio.sleep(0)
        body = body[PART:]
        message = {**message, "body": body}
    await send(message)


def _with_address(body: bytes, scope: Scope) -> bytes:
    """Return an answer as it is kept for those who ask later who was refused."""
    return orjson.dumps({**orjson.loads(body), "address": scope["state"].get("address")})
