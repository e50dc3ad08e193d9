"""GET /history: reads the query, and answers a page of predictions."""

from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.schemas.history_query import HistoryQuery
from churn.schemas.logged_prediction import HistoryPage
from churn.web.endpoints.query import read_query

READERS = 3  # pages that are read at once, so that sign-ins still find a connection

Read = Callable[[HistoryQuery], HistoryPage]


def make_history(read: Read) -> Route:
    """Return the route; `read` returns the requested page, and is called off the event loop."""
    readers = anyio.CapacityLimiter(READERS)

    async def history(request: Request) -> Response:
        """Answer a page, and the id before which the next one begins."""
        query = read_query(HistoryQuery, request.query_params)
        page = await anyio.to_thread.run_sync(partial(read, query), limiter=readers)
        return Response(page.json_bytes(details=query.details), media_type="application/json")

    return Route("/history", history, methods=["GET"])
