"""The recorder: holds the answer of a prediction route back until the journal has it."""

import json
import time
from datetime import UTC, datetime
from typing import Protocol

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churn.errors import ChurnError, DatabaseError, TookTooLongError
from churn.storage.journal import Caller, Exchange
from churn.web.envelope import anonymous_traceback, logger, refusal
from churn.web.intake import ROUTES

# Shorter than the server's own time-out, whose answer would be neither journalled nor in our shape.
MAX_SECONDS = 30


class Recording(Protocol):
    """What the recorder needs of a journal."""

    async def record(self, exchange: Exchange) -> None:
        """Log one exchange; durable on return."""


class Recorder:
    """Journals every call to a prediction route, refused or not, before its answer leaves.

    Outermost, so that what it logs is what the caller receives. Where the journal cannot write,
    the answer is 503 and no prediction leaves.
    """

    def __init__(self, app: ASGIApp, journal: Recording) -> None:
        self._app = app
        self._journal = journal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; what is no prediction passes."""
        if scope["type"] != "http" or scope["path"] not in ROUTES:
            await self._app(scope, receive, send)
            return
        held: list[Message] = []
        received_at, started = datetime.now(UTC), time.perf_counter()
        try:
            await self._answer(scope, receive, held)
            exchange = _exchange(scope, held, received_at, (time.perf_counter() - started) * 1000)
            await self._journal.record(exchange)
        except Exception as error:  # noqa: BLE001 - whatever it is: not journalled, so not answered
            logger.error(
                "request %s is not journalled, so not answered: %s",
                scope["state"]["request_id"],
                error if isinstance(error, ChurnError) else anonymous_traceback(error),
            )
            refused = error if isinstance(error, ChurnError) else DatabaseError()
            await refusal(refused, scope)(scope, receive, send)
        else:
            for message in held:
                await send(message)

    async def _answer(self, scope: Scope, receive: Receive, held: list[Message]) -> None:
        """Let the request be answered in time, and hold the answer back."""

        async def hold(message: Message) -> None:
            held.append(message)

        with anyio.move_on_after(MAX_SECONDS) as patience:
            await self._app(scope, receive, hold)
        if patience.cancelled_caught:
            held.clear()
            await refusal(TookTooLongError(), scope)(scope, receive, hold)


def _exchange(scope: Scope, held: list[Message], received_at: datetime, duration_ms: float) -> Exchange:
    state = scope["state"]
    body = b"".join(m.get("body", b"") for m in held if m["type"] == "http.response.body")
    status = next(m["status"] for m in held if m["type"] == "http.response.start")
    return Exchange(
        id=state["request_id"],
        received_at=received_at,
        method=scope["method"][:8],
        route=scope["path"],
        caller=state.get("caller", Caller()),
        answered_at=datetime.now(UTC),
        status=status,
        duration_ms=duration_ms,
        body=json.loads(body) if body else None,
        scored=state.get("scored", ()) if status == 200 else (),
    )
