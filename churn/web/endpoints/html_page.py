"""Pages for people: their templates, their language, and the headers that all of them have."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import HTMLResponse

from churn.core.language import LANGUAGES, Language
from churn.core.templates import templates_of
from churn.web.request_state import state_of

TEMPLATES = templates_of("churn.web")


def language_of(request: Request) -> Language:
    """Return the language of `?lang=`, or else of the browser."""
    requested = request.query_params.get("lang")
    default = state_of(request.scope).language
    return next((language for language in LANGUAGES if language == requested), default)


def html_response(page: str, language: Language, policy: str) -> HTMLResponse:
    """Return the answer that shows a page."""
    headers = {
        "Content-Security-Policy": policy,
        "Content-Language": language,
        "Vary": "Accept-Language",
    }
    return HTMLResponse(page, headers=headers)


def content_policy(sources: str, frame_ancestors: Sequence[str]) -> str:
    """Return a content security policy that allows some sources and nothing else.

    `frame_ancestors` are the other origins whose pages may show the page in a frame.
    """
    ancestors = " ".join(("'self'", *frame_ancestors))
    return f"default-src 'none'; {sources}; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
