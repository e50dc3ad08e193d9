"""GET /history: reads the query, and answers a page of predictions."""

from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import FieldError, InvalidInputError
from churn.schemas.history_query import HistoryQuery
from churn.schemas.logged_prediction import HistoryPage
from churn.web.parsing import MAX_ERRORS, readable

READERS = 3  # pages that are read at once, so that sign-ins still find a connection

Read = Callable[[HistoryQuery], HistoryPage]


def make_history(read: Read) -> Route:
    """Return the route; `read` returns the requested page, and is called off the event loop."""
    readers = anyio.CapacityLimiter(READERS)

    async def history(request: Request) -> Response:
        """Answer a page, and the id before which the next one begins."""
        query = read_query(request.query_params)
        page = await anyio.to_thread.run_sync(partial(read, query), limiter=readers)
        return Response(page.json_bytes(details=query.details), media_type="application/json")

    return Route("/history", history, methods=["GET"])


def read_query(parameters: QueryParams) -> HistoryQuery:
    """Return the query of a request.

    Raises:
        InvalidInputError: a parameter is unknown, given twice or malformed; one entry for each.
    """
    kinds = {
        name: "repeated_parameter" for name in HistoryQuery.model_fields if len(parameters.getlist(name)) > 1
    }
    try:
        query = HistoryQuery.model_validate(dict(parameters))
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        kinds = {str(detail["loc"][0]): detail["type"] for detail in details} | kinds
    if kinds:
        errors = [_error(name, kinds[name]) for name in parameters if name in kinds]
        raise InvalidInputError(errors[:MAX_ERRORS]) from None
    return query


def _error(name: str, kind: str) -> FieldError:
    """Return the error for a parameter; never its value."""
    if kind == "extra_forbidden":
        return FieldError(("query", readable(name)), "unknown_parameter")
    return FieldError(("query", name), kind)
