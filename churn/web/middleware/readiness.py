"""Readiness: the answer of `/readyz`."""

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

LIFETIME = 1.0  # seconds for which an answer is reused: anyone may ask, as often as they like

Check = Callable[[], JournalState]


class Readiness:
    """Answers `/readyz` instead of BentoML, which only says yes or no.

    `check` raises a `ChurnError` where no prediction could be made and journalled; the middleware around this
    one answers it. It may read files, so it runs in a thread of its own, once for all who ask at the same
    time or within `LIFETIME` seconds.
    """

    def __init__(self, app: ASGIApp, check: Check) -> None:
        self._app = app
        self._check = check
        self._thread = anyio.CapacityLimiter(1)
        self._task: asyncio.Task[JournalState] | None = None
        self._checked = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for `/readyz`, and pass others on."""
        if scope["type"] == "lifespan":
            self._task = None  # its result is from before this start
        if scope["type"] == "http" and scope["path"] == "/readyz" and scope["method"] in ("GET", "HEAD"):
            answer = _answer(await self._state()).model_dump(exclude_unset=True)
            await JSONResponse(answer)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _state(self) -> JournalState:
        task = self._task
        if task is None or (task.done() and time.monotonic() - self._checked >= LIFETIME):
            task = self._task = asyncio.create_task(self._run_check())
        # Shielded: a caller that goes away does not cancel the check for the others.
        return await asyncio.shield(task)

    async def _run_check(self) -> JournalState:
        try:
            return await anyio.to_thread.run_sync(self._check, limiter=self._thread)
        finally:
            self._checked = time.monotonic()


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
