"""GET /openapi.json: every route, what it takes, and every answer that it may give."""

from functools import cache

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.schemas.employee import RequestModels
from churn.web.openapi.document import make_document


def make_openapi(models: RequestModels) -> Route:
    """Return the route; the document is the same for everybody."""

    @cache
    def body() -> bytes:
        """Return the document, made when it is first asked for: a start need not wait for it."""
        return orjson.dumps(make_document(models))

    async def openapi(_: Request) -> Response:
        """Answer the OpenAPI document."""
        return Response(body(), media_type="application/json")

    return Route("/openapi.json", openapi)
