"""All pages for people, as routes."""

from collections.abc import Callable, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from churn.core.errors import ForbiddenError
from churn.core.templates import templates_of
from churn.dictionary.dictionary import Dictionary
from churn.model.registry import ServedModel
from churn.ui.employee_page import EmployeePage
from churn.ui.history_page import HistoryPage
from churn.ui.model_page import ModelPage
from churn.ui.prediction_page import PredictionPage
from churn.ui.sign_in_page import Sessions, SignInPage
from churn.ui.what_if_page import WhatIfPage
from churn.web.endpoints.history import HistoryReader
from churn.web.endpoints.html_page import MENU, PageRenderer
from churn.web.endpoints.predictions import Endpoint
from churn.web.parsing import Parser
from churn.web.request_state import state_of
from churn.web.routes import ROUTES

TEMPLATES = templates_of("churn.ui", "churn.web")


def make_ui(
    dictionary: Dictionary,
    parser: Parser,
    endpoints: Mapping[str, Endpoint],
    history: HistoryReader,
    served: Callable[[], ServedModel],
    sessions: Callable[[], Sessions],
    frame_ancestors: Callable[[], Sequence[str]],
) -> list[Route]:
    """Return the routes of all pages.

    `endpoints` are the service's, by path; `history` reads what was predicted. Once the service has started,
    `served` returns the model, and `sessions` begins and ends sessions. `frame_ancestors` returns the other
    origins that may show the pages in a frame.
    """
    renderer = PageRenderer(frame_ancestors, TEMPLATES)
    return [
        Route("/app", _start, methods=["GET"]),
        *SignInPage(renderer, sessions).routes,
        *EmployeePage(renderer, parser, endpoints, dictionary).routes,
        *WhatIfPage(renderer, parser, endpoints, dictionary).routes,
        *HistoryPage(renderer, history).routes,
        *PredictionPage(renderer, history, dictionary).routes,
        *ModelPage(renderer, served).routes,
    ]


async def _start(request: Request) -> RedirectResponse:
    """Lead to the first page that somebody may open; raise ForbiddenError where there is none."""
    scopes = state_of(request.scope).caller.scopes
    for path, _ in MENU:
        if path in ROUTES and ROUTES[path].opens_to(scopes):
            return RedirectResponse(path[1:], 303)
    raise ForbiddenError
