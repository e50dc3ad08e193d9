"""The landing page: what this service is, whether it is up, what it answers to whom, a first call to copy."""

import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import ChurnError
from churn.web.endpoints.html_page import PageRenderer
from churn.web.readiness_check import ReadinessCheck


def make_landing(record: Mapping[str, object], renderer: PageRenderer, check: ReadinessCheck) -> Route:
    """Return the route of the page, which is the same for everybody; `record` is its example's employee."""
    example = json.dumps(record, ensure_ascii=False, indent=2)

    async def landing(request: Request) -> Response:
        """Answer the page in the reader's language."""
        try:
            await check.state()
            is_ready = True
        except ChurnError:
            is_ready = False
        return renderer.render(request, "landing.html.j2", example=example, is_ready=is_ready)

    return Route("/", landing)
