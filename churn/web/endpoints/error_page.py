"""Errors as people see them: a page that says what happened, and where to go from there."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from churn.i18n import refusal_sentences
from churn.web.endpoints.html_page import PageRenderer, language_of, root_of
from churn.web.request_state import state_of

Detail = str | list[dict[str, object]]


def error_page(renderer: PageRenderer, request: Request, status: int, detail: Detail) -> Response:
    """Return the page for an error; of a list of errors, none of which has its place, the common sentence."""
    language = language_of(request)
    text = detail if isinstance(detail, str) else refusal_sentences.status(status, language)
    request_id = str(state_of(request.scope).request_id)
    address = _address_of_sign_in(request) if status == 401 else None
    return renderer.render(
        request,
        "error.html.j2",
        status=status,
        code=status,
        text=text,
        request_id=request_id,
        sign_in=address,
        kept=state_of(request.scope).kept,
        action=request.scope["path"].rpartition("/")[2],
    )


def to_sign_in(request: Request) -> Response:
    """Send somebody who is not signed in to the page that does that, and leads back."""
    address = _address_of_sign_in(request)
    if "HX-Request" in request.headers:  # a part of a page cannot show another page
        return Response(headers={"HX-Redirect": address})
    return RedirectResponse(address, 303)


def _address_of_sign_in(request: Request) -> str:
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    page = path[1:] + f"?{query}" * bool(query)
    return f"{root_of(path)}sign-in?next={quote(page, safe='')}"
