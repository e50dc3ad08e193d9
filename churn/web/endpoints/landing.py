"""The landing page: what this service is, what it answers to whom, and a first call to copy."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from churn.core.language import LANGUAGES, Language
from churn.web.request_state import state_of

_TEMPLATES = Environment(
    loader=PackageLoader("churn.web"),
    autoescape=select_autoescape(["html.j2"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def make_landing(record: Mapping[str, object], frame_ancestors: Callable[[], Sequence[str]]) -> Route:
    """Return the route of the page, which is the same for everybody and needs no other file.

    `record` is the employee of its example. `frame_ancestors` returns the other origins whose pages may show
    it in a frame.
    """

    @cache
    def page(language: Language) -> str:
        """Return the page, made when it is first asked for."""
        example = json.dumps(record, ensure_ascii=False, indent=2)
        template = _TEMPLATES.get_template("landing.html.j2")
        return template.render(language=language, style=_style(), example=example)

    async def landing(request: Request) -> HTMLResponse:
        """Answer the page in the language of `?lang=`, or else of the browser."""
        requested = request.query_params.get("lang")
        default = state_of(request.scope).language
        language = next((language for language in LANGUAGES if language == requested), default)
        headers = {
            "Content-Security-Policy": _policy(_style(), frame_ancestors()),
            "Content-Language": language,
            "Vary": "Accept-Language",
        }
        return HTMLResponse(page(language), headers=headers)

    return Route("/", landing)


@cache
def _style() -> str:
    return _TEMPLATES.get_template("landing.css").render()


def _policy(style: str, frame_ancestors: Sequence[str]) -> str:
    """Return a policy that allows nothing but the page's own style."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    ancestors = " ".join(("'self'", *frame_ancestors))
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; "
        f"form-action 'none'; frame-ancestors {ancestors}"
    )
