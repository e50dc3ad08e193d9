"""The small pages beside the API."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from churn.core.language import Language
from churn.web.request_state import state_of


def make_pages(card: Callable[[Language], dict[str, Any]], others: Sequence[Route]) -> Starlette:
    """Return the app that BentoML mounts beside its own routes.

    `card` returns the served model's card in a language; `others` are routes made elsewhere.
    """

    async def health(_: Request) -> JSONResponse:
        """Answer that the process serves; whether it is ready to predict is `/readyz`'s to say."""
        return JSONResponse({"status": "OK", "message": "API opérationnelle"})

    async def model(request: Request) -> JSONResponse:
        """Answer which model serves, how good it is, and what it must not be taken for."""
        return JSONResponse(card(state_of(request.scope).language))

    return Starlette(routes=[Route("/health", health), Route("/model", model), *others])
