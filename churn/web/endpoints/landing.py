"""The landing page: what this is, what it answers to whom, and a first call to copy."""

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from churn.dictionary.domain import Language
from churn.schemas.employee import EXAMPLE
from churn.web.request_state import state_of

_TEMPLATES = Environment(
    loader=PackageLoader("churn.web"),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
LANGUAGES: tuple[Language, ...] = ("fr", "en")


def make_landing(frame_ancestors: Callable[[], Sequence[str]]) -> Route:
    """Return the route of the page, which says the same to all and needs no other file.

    `frame_ancestors` returns the origins, beside this one, whose pages may show it in a frame.
    """

    async def landing(request: Request) -> HTMLResponse:
        """Answer the page in the language of `?lang=`, or else of the browser."""
        asked = request.query_params.get("lang")
        language = next((choice for choice in LANGUAGES if choice == asked), state_of(request.scope).language)
        headers = {
            "Content-Security-Policy": _policy(_style(), frame_ancestors()),
            "Content-Language": language,
            "Vary": "Accept-Language",
        }
        return HTMLResponse(_page(language), headers=headers)

    return Route("/", landing)


@cache
def _page(language: Language) -> str:
    """Return the page, made when it is first asked for."""
    example = json.dumps(EXAMPLE, ensure_ascii=False, indent=2)
    page = _TEMPLATES.get_template("landing.html.j2")
    return page.render(language=language, style=_style(), example=example)


@cache
def _style() -> str:
    return _TEMPLATES.get_template("landing.css").render()


def _policy(style: str, frame_ancestors: Sequence[str]) -> str:
    """Return a policy under which the page's own style is all that a browser applies."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    ancestors = " ".join(("'self'", *frame_ancestors))
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors {ancestors}"
    )
