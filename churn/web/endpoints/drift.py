"""GET /drift: what has moved since the model was trained."""

from collections.abc import Callable
from functools import partial

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.language import Language
from churn.schemas.drift_query import DriftQuery
from churn.schemas.drift_report import DriftReport
from churn.web.endpoints import drift_gauges
from churn.web.endpoints.query import read_query
from churn.web.request_state import state_of

Look = Callable[[DriftQuery, Language], DriftReport]


class DriftReader:
    """Has the journal looked at, off the event loop and one look at a time: it reads thousands of rows.

    `look` is the worker's, once the service has started.
    """

    def __init__(self, look: Look) -> None:
        self._look, self._one = look, anyio.CapacityLimiter(1)

    async def read(self, query: DriftQuery, language: Language) -> DriftReport:
        """Return what a look shows."""
        report = await anyio.to_thread.run_sync(partial(self._look, query, language), limiter=self._one)
        drift_gauges.tell(query, report)
        return report


def make_drift(reader: DriftReader) -> Route:
    """Return the route."""

    async def drift(request: Request) -> Response:
        """Answer what a look shows."""
        query = read_query(DriftQuery, request.query_params)
        report = await reader.read(query, state_of(request.scope).language)
        return Response(report.model_dump_json(), media_type="application/json")

    return Route("/drift", drift, methods=["GET"])
