"""The small pages beside the API."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


async def health(_: Request) -> JSONResponse:
    """Answer that the process serves; whether it is ready to predict is `/readyz`'s to say."""
    return JSONResponse({"status": "OK", "message": "API opérationnelle"})


def make_pages() -> Starlette:
    """Return the app that BentoML mounts beside its own routes."""
    return Starlette(routes=[Route("/health", health)])
