"""Pages for people: their templates, their language, and the headers that all of them have."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from churn.core.language import LANGUAGES, Language, Pair
from churn.core.templates import templates_of
from churn.web.cookies import cookie, set_cookie
from churn.web.csrf import token_of
from churn.web.endpoints.assets import asset_address
from churn.web.request_state import state_of
from churn.web.routes import ROUTES

TEMPLATES = templates_of("churn.web")

LANGUAGE = "churn_lang"  # the cookie that keeps which language somebody chose
_YEAR = 365 * 24 * 3600  # seconds
# What pages of ours may load: nothing of any other host, and no style or script in the page itself.
_SOURCES = "script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"

# The pages that the menu has, for those who may open them.
MENU: Sequence[tuple[str, Pair]] = (
    ("/app/employee", ("Une personne", "One person")),
    ("/app/what-if", ("Et si…", "What if")),
    ("/app/file", ("Un fichier", "A file")),
    ("/app/history", ("Historique", "History")),
    ("/app/model", ("Le modèle", "The model")),
    ("/app/monitoring", ("Suivi", "Monitoring")),
    ("/ui", ("Gradio", "Gradio")),
    ("/app/admin", ("Administration", "Administration")),
)


def language_of(request: Request) -> Language:
    """Return the language of `?lang=`, or of the last one, or else of the browser."""
    chosen = (request.query_params.get("lang"), cookie(request.scope, LANGUAGE))
    default = state_of(request.scope).language
    return next((language for choice in chosen for language in LANGUAGES if language == choice), default)


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page in the menu; `address` is relative to the page that shows it."""

    address: str
    label: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class PageFrame:
    """What the frame around every page shows.

    `root` is the way from the page to the service's own root, which may be behind a prefix. `token` is that
    of the page's forms. `switch` leads to the page in the other language.
    """

    language: Language
    root: str
    username: str | None
    token: str
    links: Sequence[PageLink]
    switch: str

    @classmethod
    def of(cls, request: Request, left_out: Collection[str] = ()) -> "PageFrame":
        """Return the frame for one reader of one page; the menu has no page that is `left_out`."""
        state, path = state_of(request.scope), request.scope["path"]
        language, root = language_of(request), root_of(path)
        links = [
            PageLink(root + address[1:], labels[language == "en"], is_current=path.startswith(address))
            for address, labels in MENU
            if state.session and address not in left_out and ROUTES[address].opens_to(state.caller.scopes)
        ]
        token = token_of(state.session.secret) if state.session else ""
        # The same page in the other language, with what was asked of it; strangers are told nothing back.
        other = next(one for one in LANGUAGES if one != language)
        asked = request.query_params.multi_items() if state.caller.kind == "user" else ()
        kept = [(name, text) for name, text in asked if name != "lang"]
        switch = "?" + urlencode([*kept, ("lang", other)])
        return cls(language, root, state.caller.name, token, links, switch)

    def say(self, french: str, english: str) -> str:
        """Return the sentence of the reader's language."""
        return english if self.language == "en" else french

    def asset(self, name: str) -> str | None:
        """Return the address of an asset; None where it was never fetched."""
        address = asset_address(name)
        return address and self.root + address


def root_of(path: str) -> str:
    """Return the way from a page to the service's root: "../" for each folder in between."""
    return "../" * (path.count("/") - 1) or "./"


class PageRenderer:
    """Makes pages of templates.

    `frame_ancestors` returns the other origins that may show them in a frame, and `left_out` the paths of
    pages that this service does without.
    """

    def __init__(
        self,
        frame_ancestors: Callable[[], Sequence[str]],
        left_out: Callable[[], Collection[str]] = tuple,
        templates: Environment = TEMPLATES,
    ) -> None:
        self._frame_ancestors, self._left_out, self._templates = frame_ancestors, left_out, templates

    def render(self, request: Request, name: str, *, status: int = 200, **values: object) -> HTMLResponse:
        """Return the page of a template, in the reader's language.

        A language that was chosen by `?lang=` is remembered.
        """
        frame = PageFrame.of(request, self._left_out())
        page = self._templates.get_template(name).render(
            frame=frame, say=frame.say, root=frame.root, **values
        )
        policy = content_policy(_SOURCES, self._frame_ancestors(), form_action="'self'")
        response = html_response(page, frame.language, policy, status)
        if request.query_params.get("lang") == frame.language:
            self.set_cookie(request.scope, response, LANGUAGE, frame.language, max_age=_YEAR)
        return response

    def set_cookie(
        self, scope: Scope, response: Response, name: str, value: str, *, max_age: int | None = None
    ) -> None:
        """Have a browser keep a cookie."""
        header = set_cookie(scope, name, value, self._frame_ancestors(), max_age=max_age)
        response.headers.append("Set-Cookie", header)


def html_response(page: str, language: Language, policy: str, status: int = 200) -> HTMLResponse:
    """Return the answer that shows a page."""
    headers = {
        "Content-Security-Policy": policy,
        "Content-Language": language,
        "Vary": "Accept-Language",
    }
    return HTMLResponse(page, status, headers=headers)


def content_policy(sources: str, frame_ancestors: Sequence[str], form_action: str = "'none'") -> str:
    """Return a content security policy that allows some sources and nothing else.

    `frame_ancestors` are the other origins whose pages may show the page in a frame; `form_action` says where
    its forms may be sent.
    """
    ancestors = " ".join(("'self'", *frame_ancestors))
    rules = ("default-src 'none'", sources, "base-uri 'none'", f"form-action {form_action}")
    return "; ".join((*rules, f"frame-ancestors {ancestors}"))
