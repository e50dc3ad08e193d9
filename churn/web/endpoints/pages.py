"""The small pages beside the API."""

from collections.abc import Callable, Sequence

from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from churn import __version__
from churn.core.language import Language
from churn.schemas.service_answers import Health, ModelCard
from churn.web.request_state import state_of


def make_pages(card: Callable[[Language], ModelCard], others: Sequence[BaseRoute]) -> Starlette:
    """Return the app that BentoML mounts beside its own routes.

    `card` returns the served model's card in a language; `others` are routes made elsewhere.
    """

    async def health(_: Request) -> JSONResponse:
        """Answer that the process is up; `/readyz` says whether it can predict."""
        return _json(Health(status="OK", message="API opérationnelle", version=__version__))

    async def model(request: Request) -> JSONResponse:
        """Answer which model serves, how good it is, and what it must not be used for."""
        return _json(card(state_of(request.scope).language))

    return Starlette(routes=[Route("/health", health), Route("/model", model), *others])


def _json(answer: BaseModel) -> JSONResponse:
    """Return an answer as JSON, without the fields that were never set."""
    return JSONResponse(answer.model_dump(exclude_unset=True))
