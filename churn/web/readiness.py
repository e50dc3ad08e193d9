"""Readiness: `/readyz` says what it found."""

from collections.abc import Callable
from typing import Any

import anyio.to_thread
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from churn.storage.journal import JournalState

Check = Callable[[], JournalState]


class Readiness:
    """Answers `/readyz` in BentoML's place, which says nothing but yes or no.

    `check` raises a `ChurnError` where no prediction could be made and journalled, for the envelope
    around it to answer; it may read files, and runs off the event loop.
    """

    def __init__(self, app: ASGIApp, check: Check) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what asks for something else passes."""
        if scope["type"] == "http" and scope["path"] == "/readyz" and scope["method"] in ("GET", "HEAD"):
            state = await anyio.to_thread.run_sync(self._check)
            await JSONResponse(_detail(state))(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _detail(state: JournalState) -> dict[str, Any]:
    found: dict[str, Any] = {
        "status": "ready",
        "database": "away" if state.database_away else "ready",
        "waiting": state.waiting,
    }
    if state.spool is not None:
        found["spool"] = {
            "records": state.spool.records,
            "bytes": state.spool.bytes,
            "max_bytes": state.spool.max_bytes,
            "set_aside": state.spool.set_aside,
        }
    return found
