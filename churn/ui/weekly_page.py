"""The weekly report as a page to be printed: what the command writes, in the reader's language."""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.schemas.weekly_query import WeeklyQuery
from churn.ui.filters import typed_filters, with_last_day
from churn.web.endpoints.html_page import content_policy, html_response, language_of
from churn.web.endpoints.monitor_reader import MonitorReader
from churn.web.endpoints.query import read_query

FILTERS = ("since", "until", "model")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)


class WeeklyPage:
    """Shows the report of a period; by default, of the last seven days."""

    def __init__(self, monitors: MonitorReader, frame_ancestors: Callable[[], Sequence[str]]) -> None:
        self._monitors, self._frame_ancestors = monitors, frame_ancestors

    @property
    def routes(self) -> list[Route]:
        """The route of the page."""
        return [Route("/app/monitoring/report", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Answer the report as it is printed; its own style is all that it may load."""
        typed = typed_filters(request, FILTERS)
        language = language_of(request)
        query = read_query(WeeklyQuery, QueryParams(with_last_day(typed)))
        page = await self._monitors.weekly(query, language)
        digests = [hashlib.sha256(style.encode()).digest() for style in _STYLE.findall(page)]
        styles = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
        policy = content_policy(f"style-src {styles}", self._frame_ancestors())
        return html_response(page, language, policy)
