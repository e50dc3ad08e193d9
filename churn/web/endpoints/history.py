"""GET /history and /predictions/{id}: a page of predictions, and one of them."""

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.access.roles import allows
from churn.core.errors import NotFoundError
from churn.schemas.caller import Caller
from churn.schemas.history_query import HistoryQuery
from churn.schemas.logged_prediction import HistoryPage, LoggedPrediction, OnePrediction
from churn.web.endpoints.query import read_query
from churn.web.request_state import state_of

READERS = 3  # pages that are read at once, so that sign-ins still find a connection


class History(Protocol):
    """The predictions in the journal; both methods wait for the database."""

    def page(self, query: HistoryQuery, of: Caller | None = None, *, reviewed: bool = False) -> HistoryPage:
        """Return a page of all predictions, or of those that one caller asked for."""

    def prediction(self, key: uuid.UUID) -> LoggedPrediction | None:
        """Return one prediction."""


class HistoryReader:
    """Reads logged predictions off the event loop, for those who may see them.

    `history` returns the journal's, once the service has started.
    """

    def __init__(self, history: Callable[[], History]) -> None:
        self._history = history
        self._readers = anyio.CapacityLimiter(READERS)

    async def page(
        self, query: HistoryQuery, of: Caller | None = None, *, reviewed: bool = False
    ) -> HistoryPage:
        """Return a page of all predictions, or of those that one caller asked for.

        They have their reviews if `reviewed`, or with details.
        """
        read = partial(self._history().page, query, of, reviewed=reviewed)
        return await anyio.to_thread.run_sync(read, limiter=self._readers)

    async def prediction(self, key: uuid.UUID, caller: Caller) -> LoggedPrediction:
        """Return a prediction that a caller may see: their own, or any with the scope `history`.

        Raises:
            NotFoundError: there is none, or it is somebody else's; the answer does not say which.
        """
        found = await anyio.to_thread.run_sync(self._history().prediction, key, limiter=self._readers)
        if found is None or not (allows(caller.scopes, "history") or found.is_of(caller)):
            raise NotFoundError
        return found


def make_history(reader: HistoryReader) -> Sequence[Route]:
    """Return the routes of pages and of single predictions."""

    async def history(request: Request) -> Response:
        """Answer a page, and the id before which the next one begins."""
        query = read_query(HistoryQuery, request.query_params)
        page = await reader.page(query)
        return Response(page.json_bytes(details=query.details), media_type="application/json")

    async def prediction(request: Request) -> Response:
        """Answer one prediction with its details."""
        found = await reader.prediction(request.path_params["id"], state_of(request.scope).caller)
        return Response(OnePrediction(found).json_bytes(), media_type="application/json")

    return (
        Route("/history", history, methods=["GET"]),
        Route("/predictions/{id:uuid}", prediction, methods=["GET"]),
    )
