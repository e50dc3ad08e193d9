"""Journalling: holds an answer back until the journal has it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churn.core.errors import ChurnError, DatabaseError, UnauthorizedError
from churn.journal.call import REFUSED, Call, Recording
from churn.web.headers import header
from churn.web.middleware.error_responses import Refusals, cause, logger
from churn.web.request_state import STATE, RequestState
from churn.web.routes import ELSEWHERE
from churn.web.tracebacks import anonymous_traceback

PART = 64 * 1024  # bytes of an answer that are sent at once
MAX_SECONDS = 30  # until an answer is journalled; past that it may be, but it is not sent


class Journalling:
    """Journals every call to the API, refused or not, and every refusal elsewhere, before the answer leaves.

    It stands around everything that answers, so that it logs what the caller receives. Where the journal
    cannot write, the answer is 503 or 504 and no prediction leaves. Calls of routes that anyone may call are
    not journalled.
    """

    def __init__(self, app: ASGIApp, journal: Recording, refusals: Refusals) -> None:
        self._app, self._journal, self._refusals = app, journal, refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["state"][STATE].route.is_open:
            await self._app(scope, receive, send)
            return
        request = _Request(scope, send, self._record)
        try:
            await self._app(scope, receive, request.hold)
            if request.held:
                await self._answer(request, scope, receive, send)
        finally:
            request.close()

    async def _answer(self, request: "_Request", scope: Scope, receive: Receive, send: Send) -> None:
        failure = request.failure or await self._record(request)
        if failure is not None:
            await self._refusals.refuse(failure, scope)(scope, receive, send)
        else:
            for message in request.held:
                await _send(message, send)

    async def _record(self, request: "_Request") -> ChurnError | None:
        """Journal a call, durable on return; or return why that failed."""
        deadline = asyncio.timeout(MAX_SECONDS)
        try:
            async with deadline:
                await self._journal.record(request.call())
        except Exception as error:  # noqa: BLE001 - whatever it is: not journalled, so not answered
            failure = cause(error, deadline)
            logger.error(
                "request %s is not journalled, so not answered: %s",
                request.state.request_id,
                failure if isinstance(failure, ChurnError) else anonymous_traceback(failure),
            )
            return failure if isinstance(failure, ChurnError) else DatabaseError()
        return None


class _Request:
    """One request: its answer is held, unless it is a success outside of the API.

    A stream is too large to be held: it is journalled when it begins.
    """

    def __init__(
        self, scope: Scope, send: Send, record: Callable[["_Request"], Awaitable[ChurnError | None]]
    ) -> None:
        self._scope, self._send, self._record = scope, send, record
        self.state: RequestState = scope["state"][STATE]
        self._passes = False
        self.held: list[Message] = []
        self.failure: ChurnError | None = None  # why a stream may not be sent

    async def hold(self, message: Message) -> None:
        """Hold a part of the answer, or pass it on."""
        if message["type"] == "http.response.start":
            await self._begin(message)
        if self._passes:
            await self._send(message)
        elif self.failure is None:
            self.held.append(message)

    async def _begin(self, start: Message) -> None:
        """Decide by the beginning of an answer whether it is passed on."""
        is_recorded, is_success = self.state.route.is_recorded(self._scope["method"]), start["status"] < 400
        self._passes = is_success and not is_recorded
        if is_success and is_recorded and self.state.route.deadline is None:
            self.held.append(start)
            self.failure = await self._record(self)
            self._passes = self.failure is None
            if self._passes:
                self.held.clear()

    def close(self) -> None:
        """Have another process forget the request's batch."""
        if self.state.batch is not None:
            self.state.batch.close()

    def call(self) -> Call:
        """Return the call to log, once it is answered."""
        scope, state, status = self._scope, self.state, self.held[0]["status"]
        batch = state.batch if status == 200 else None
        # Other answers tell what is in the journal anyway, or in the model store.
        is_kept = batch is None and (bool(state.scored) or status >= 400)
        body = state.document or b""
        if is_kept and not body and not state.route.is_page:
            body = b"".join([m.get("body", b"") for m in self.held[1:]])
        return Call(
            id=state.request_id,
            received_at=state.received_at,
            method=scope["method"][:8],
            route=(state.route if state.route.is_journalled else ELSEWHERE).path,
            caller=state.caller,
            answered_at=datetime.now(UTC),
            status=status,
            duration_ms=(time.perf_counter() - state.started) * 1000,
            # For calls that the gate refused, the address is kept too.
            body=_with_address(body, state.address) if status in REFUSED else body or None,
            scored=state.scored if status == 200 else (),
            review=state.review if status < 400 else None,
            outcomes=state.outcomes if status < 400 else (),
            is_bare=status == UnauthorizedError.status and not header(scope, b"authorization"),
            batch=batch,
        )


async def _send(message: Message, send: Send) -> None:
    """Send a message; a long body in parts, with turns for other requests in between."""
    body = message.get("body", b"")
    while len(body) > PART:
        await send({**message, "body": body[:PART], "more_body": True})
        await asyncio.sleep(0)
        body = body[PART:]
        message = {**message, "body": body}
    await send(message)


def _with_address(body: bytes, address: str | None) -> bytes:
    """Return an answer with the caller's address, as it is kept for later questions about refusals."""
    return orjson.dumps({**orjson.loads(body or b"{}"), "address": address})
