"""The landing page: what this service is, what it answers to whom, and a first call to copy."""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from churn.core.language import Language
from churn.web.endpoints.html_page import TEMPLATES, content_policy, html_response, language_of


def make_landing(record: Mapping[str, object], frame_ancestors: Callable[[], Sequence[str]]) -> Route:
    """Return the route of the page, which is the same for everybody and needs no other file.

    `record` is the employee of its example. `frame_ancestors` returns the other origins whose pages may show
    it in a frame.
    """

    @cache
    def page(language: Language) -> str:
        """Return the page, made when it is first asked for."""
        example = json.dumps(record, ensure_ascii=False, indent=2)
        template = TEMPLATES.get_template("landing.html.j2")
        return template.render(language=language, style=_style(), example=example)

    async def landing(request: Request) -> HTMLResponse:
        """Answer the page in the reader's language."""
        language = language_of(request)
        policy = content_policy(f"img-src data:; style-src 'sha256-{_style_digest()}'", frame_ancestors())
        return html_response(page(language), language, policy)

    return Route("/", landing)


@cache
def _style() -> str:
    return TEMPLATES.get_template("landing.css").render()


@cache
def _style_digest() -> str:
    """Return the digest by which the policy allows the page's own style."""
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
