"""Readiness: `/readyz` says what it found."""

import asyncio
import time
from collections.abc import Callable

import anyio
import anyio.to_thread
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from churn.journal.journal import JournalState
from churn.schemas.service import Readiness as ReadinessAnswer
from churn.schemas.service import Spool

KEPT = 1.0  # seconds for which nobody looks again: anyone may ask, as often as they like

Check = Callable[[], JournalState]


class Readiness:
    """Answers `/readyz` in BentoML's place, which says nothing but yes or no.

    `check` raises a `ChurnError` where no prediction could be made and journalled, for the middleware
    around it to answer; it may read files, and runs off the event loop, in a thread that nothing else
    needs: once for all who ask meanwhile, and within `KEPT` seconds.
    """

    def __init__(self, app: ASGIApp, check: Check) -> None:
        self._app = app
        self._check = check
        self._thread = anyio.CapacityLimiter(1)
        self._asked: asyncio.Task[JournalState] | None = None
        self._answered = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what asks for something else passes."""
        if scope["type"] == "lifespan":
            self._asked = None  # what was found before this start says nothing
        if scope["type"] == "http" and scope["path"] == "/readyz" and scope["method"] in ("GET", "HEAD"):
            answer = _answer(await self._state()).model_dump(exclude_unset=True)
            await JSONResponse(answer)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _state(self) -> JournalState:
        asked = self._asked
        if asked is None or (asked.done() and time.monotonic() - self._answered >= KEPT):
            asked = self._asked = asyncio.create_task(self._ask())
        # Shielded: one of them going away does not end the question of the others.
        return await asyncio.shield(asked)

    async def _ask(self) -> JournalState:
        try:
            return await anyio.to_thread.run_sync(self._check, limiter=self._thread)
        finally:
            self._answered = time.monotonic()


def _answer(state: JournalState) -> ReadinessAnswer:
    answer = ReadinessAnswer(
        status="ready", database="away" if state.database_away else "ready", waiting=state.waiting
    )
    if state.spool is not None:
        answer.spool = Spool(
            records=state.spool.records,
            bytes=state.spool.bytes,
            max_bytes=state.spool.max_bytes,
            set_aside=state.spool.set_aside,
            oldest_seconds=round(state.spool.oldest),
        )
    return answer
