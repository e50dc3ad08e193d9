"""The page of past predictions: filters, and the newest first, a page at a time."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.access.roles import allows
from churn.core.errors import InvalidInputError
from churn.i18n.moments import moment
from churn.schemas.history_query import HistoryQuery
from churn.schemas.logged_prediction import HistoryPage as Page
from churn.ui.filters import filter_errors, typed_filters, with_last_day
from churn.web.endpoints.history import HistoryReader
from churn.web.endpoints.html_page import PageRenderer
from churn.web.endpoints.query import read_query
from churn.web.middleware.error_responses import note_refusal
from churn.web.request_state import state_of

FILTERS = ("employee_id", "user", "model", "prediction", "since", "until")
MINE = "mine"  # only what the reader asked for


class HistoryPage:
    """Lists predictions: everybody's for those who may read the history, and one's own for others."""

    def __init__(self, renderer: PageRenderer, history: HistoryReader, forgets: Callable[[], bool]) -> None:
        self._renderer, self._history, self._forgets = renderer, history, forgets

    @property
    def routes(self) -> list[Route]:
        """The routes of the page."""
        return [Route("/app/history", self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """Answer a page of predictions, or the filters again with what is wrong with them."""
        state = state_of(request.scope)
        typed = typed_filters(request, (*FILTERS, MINE, "before"))
        asked = {name: text for name, text in typed.items() if name != MINE}
        try:
            query = read_query(HistoryQuery, QueryParams(with_last_day(asked)))
        except InvalidInputError as error:
            note_refusal(error, state)
            return self._render(
                request, typed, filter_errors(error, FILTERS, state.language), status=error.status
            )
        is_own = MINE in typed or not allows(state.caller.scopes, "history")
        page = await self._history.page(query, state.caller if is_own else None, reviewed=True)
        return self._render(request, typed, page=page)

    def _render(
        self,
        request: Request,
        typed: Mapping[str, str],
        errors: Mapping[str, str] | None = None,
        *,
        status: int = 200,
        page: Page | None = None,
    ) -> Response:
        state = state_of(request.scope)
        return self._renderer.render(
            request,
            "history.html.j2",
            status=status,
            typed=typed,
            errors=errors or {},
            page=page,
            older=page and page.next and urlencode({**typed, "before": str(page.next)}),
            newest=urlencode({name: text for name, text in typed.items() if name != "before"}),
            is_filtered=bool(typed.keys() - {"before"}),
            sees_all=allows(state.caller.scopes, "history"),
            forgets=self._forgets(),
            has_own=allows(state.caller.scopes, "predict"),
            moment=lambda at: moment(at, state.language),
        )
