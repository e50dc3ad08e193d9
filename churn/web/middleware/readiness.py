"""Readiness: the answer of `/readyz`."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from churn.journal.journal import JournalState
from churn.schemas.service_answers import Readiness as ReadinessAnswer
from churn.schemas.service_answers import Spool
from churn.web.readiness_check import ReadinessCheck
from churn.web.worker_marks import serving_workers


class Readiness:
    """Answers `/readyz` instead of BentoML, which only says yes or no.

    Where `check` raises a `ChurnError`, the middleware around this one answers it.
    """

    def __init__(self, app: ASGIApp, check: ReadinessCheck) -> None:
        self._app = app
        self._check = check

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for `/readyz`, and pass others on."""
        if scope["type"] == "lifespan":
            self._check.forget()
        if scope["type"] == "http" and scope["path"] == "/readyz" and scope["method"] in ("GET", "HEAD"):
            answer = _answer(await self._check.state()).model_dump(exclude_unset=True)
            await JSONResponse(answer)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _answer(state: JournalState) -> ReadinessAnswer:
    answer = ReadinessAnswer(
        status="ready", database="away" if state.database_away else "ready", waiting=state.waiting
    )
    if (workers := serving_workers()) is not None:
        answer.workers = workers
    if state.spool is not None:
        answer.spool = Spool(
            records=state.spool.records,
            bytes=state.spool.bytes,
            max_bytes=state.spool.max_bytes,
            set_aside=state.spool.set_aside,
            oldest_seconds=round(state.spool.oldest),
        )
    return answer
