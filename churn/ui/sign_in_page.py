"""The pages that begin and end a session."""

import secrets
from collections.abc import Callable
from typing import Protocol
from urllib.parse import urlsplit

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from churn.access.credentials import Credentials, form_credentials
from churn.core.errors import TooManyRequestsError
from churn.jobs.jobs import Jobs
from churn.schemas.caller import Caller
from churn.web.cookies import SESSION, cookie, session_of
from churn.web.csrf import token_of
from churn.web.endpoints.forms import read_form
from churn.web.endpoints.html_page import PageRenderer
from churn.web.request_state import state_of
from churn.web.routes import ROUTES

# A secret for the form, while there is no session.
_FORM = "churn_form"


class Sessions(Protocol):
    """Begins and ends sessions."""

    async def sign_in(self, credentials: Credentials | None, address: str) -> Credentials | None:
        """Begin a session where the password is right."""

    async def sign_out(self, session: Credentials) -> None:
        """End a session."""

    async def authenticate(self, credentials: Credentials | None, address: str) -> Caller:
        """Return whose session it is."""


class SignInPage:
    """Begins and ends sessions; `sessions` and `jobs` are there once the service has started."""

    def __init__(
        self, renderer: PageRenderer, sessions: Callable[[], Sessions], jobs: Callable[[], Jobs]
    ) -> None:
        self._renderer, self._sessions, self._jobs = renderer, sessions, jobs

    @property
    def routes(self) -> list[Route]:
        """The routes of both pages."""
        return [
            Route("/sign-in", self.show, methods=["GET"]),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-out", self.sign_out, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Answer the form."""
        return self._form(request, request.query_params.get("next", ""))

    async def sign_in(self, request: Request) -> Response:
        """Begin a session and lead to the page that was asked for; or answer the form with what is wrong."""
        form = await read_form(request, cookie(request.scope, _FORM))
        name, target = form.fields.get("username", "").strip(), form.fields.get("next", "")
        language = state_of(request.scope).language
        if not form.is_ours:
            text = (
                "Ce formulaire a expiré : envoyez-le de nouveau.",
                "This form has expired: send it again.",
            )
            return self._form(request, target, name, text[language == "en"], 403)
        try:
            session = await self._sessions().sign_in(
                form_credentials(name, form.fields.get("password", "")), state_of(request.scope).address or ""
            )
        except TooManyRequestsError as error:
            wait = int(error.wait) + 1
            text = (
                f"Trop d'essais : attendez {wait} s avant le prochain.",
                f"Too many attempts: wait {wait} s before the next one.",
            )
            return self._form(request, target, name, text[language == "en"], 429)
        if session is None:
            text = ("Identifiant ou mot de passe incorrect.", "Incorrect username or password.")
            return self._form(request, target, name, text[language == "en"], 401)
        if (former := session_of(request.scope)) is not None:
            await self._sessions().sign_out(former)
        response = RedirectResponse(_safe(target), 303)
        self._renderer.set_cookie(request.scope, response, SESSION, session.secret)
        return response

    async def sign_out(self, request: Request) -> Response:
        """End the session, remove the files that were sent in it, and lead to the form."""
        session = session_of(request.scope)
        response = RedirectResponse("sign-in", 303)
        if session is not None:
            form = await read_form(request, session.secret)
            if form.is_ours:
                address = state_of(request.scope).address or ""
                caller = await self._sessions().authenticate(session, address)
                await anyio.to_thread.run_sync(self._jobs().forget, caller)
                await self._sessions().sign_out(session)
                self._renderer.set_cookie(request.scope, response, SESSION, "")
        return response

    def _form(
        self, request: Request, target: str, name: str = "", error: str = "", status: int = 200
    ) -> Response:
        secret = cookie(request.scope, _FORM) or secrets.token_urlsafe(32)
        response = self._renderer.render(
            request,
            "sign_in.html.j2",
            status=status,
            token=token_of(secret),
            next=target,
            username=name,
            error=error,
        )
        self._renderer.set_cookie(request.scope, response, _FORM, secret)
        return response


def _safe(target: str) -> str:
    """Return where to go after the sign-in: a page of ours, and no other address."""
    parts, route = urlsplit(target), ROUTES["/" + urlsplit(target).path]
    is_ours = route.is_page and not route.is_open and "GET" in route.methods
    return target if is_ours and not parts.netloc and not parts.scheme and target.isprintable() else "app"
