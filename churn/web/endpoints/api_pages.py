"""The pages of the API's documentation: Swagger UI to try calls, ReDoc to read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.language import Language
from churn.web.endpoints.assets import asset_address
from churn.web.endpoints.html_page import TEMPLATES, content_policy, html_response, language_of


@dataclass(frozen=True, slots=True)
class ApiPage:
    """One page: its path without the slash, the assets that it loads, and the sources that it may use."""

    name: str
    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    sources: str


SWAGGER = ApiPage(
    "docs",
    styles=("swagger-ui.css", "api-page.css"),
    scripts=("swagger-ui.js", "swagger-start.js"),
    sources="script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'",
)
# ReDoc makes two style elements by script, one empty and one for its scroll bars. It also sets style
# attributes, and searches in a worker that it makes itself.
REDOC = ApiPage(
    "redoc",
    styles=("api-page.css",),
    scripts=("redoc.js", "redoc-start.js"),
    sources=(
        "script-src 'self'; style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
        "'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; style-src-attr 'unsafe-inline'; "
        "img-src data:; connect-src 'self'; worker-src blob:"
    ),
)


def make_api_pages(frame_ancestors: Callable[[], Sequence[str]]) -> list[Route]:
    """Return the routes of the pages, which are the same for everybody.

    `frame_ancestors` returns the other origins whose pages may show them in a frame.
    """
    return [_route(page, frame_ancestors) for page in (SWAGGER, REDOC)]


def _route(page: ApiPage, frame_ancestors: Callable[[], Sequence[str]]) -> Route:
    # Not `async`: the first one reads files.
    def api_page(request: Request) -> Response:
        """Answer the page in the reader's language."""
        language = language_of(request)
        return html_response(_html(page, language), language, content_policy(page.sources, frame_ancestors()))

    return Route(f"/{page.name}", api_page)


@cache
def _html(page: ApiPage, language: Language) -> str:
    styles, scripts = map(asset_address, page.styles), map(asset_address, page.scripts)
    template = TEMPLATES.get_template("api_page.html.j2")
    return template.render(language=language, name=page.name, styles=[*styles], scripts=[*scripts])
