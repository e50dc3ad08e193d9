"""The pages for administrators: users, tokens, sessions, the state of the journal, and the audit log."""

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.access.administration import Administration
from churn.access.roles import ROLES, SCOPES
from churn.core.errors import ChurnError, IdentityError
from churn.core.language import Language, Pair
from churn.journal.journal import JournalState
from churn.records.audit_log import EVENT_KINDS, Event
from churn.schemas.caller import Caller
from churn.web.endpoints.forms import STALE, Form, read_form
from churn.web.endpoints.html_page import PageRenderer
from churn.web.readiness_check import ReadinessCheck
from churn.web.request_state import state_of
from churn.web.routes import PARTS

# How long a new token lasts, by the days that are chosen.
LIFETIMES: Mapping[str, timedelta | None] = {"90": timedelta(90), "365": timedelta(365), "": None}
DAYS = 90  # for which it looks back

_ID = re.compile(PARTS["id"])

ReadEvents = Callable[[datetime, Sequence[str]], Sequence[Event]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a form: a sentence, and the secret of a new token, which is shown this once."""

    text: str
    is_refused: bool = False
    secret: str = ""


class AdminPage:
    """Shows and changes who may call; `administration` is there once the service has started."""

    def __init__(
        self,
        renderer: PageRenderer,
        administration: Callable[[], Administration],
        check: ReadinessCheck,
        read_events: ReadEvents,
    ) -> None:
        self._renderer, self._administration, self._check = renderer, administration, check
        self._read_events = read_events

    @property
    def routes(self) -> list[Route]:
        """The routes of the pages."""
        return [
            Route("/app/admin", self.show, methods=["GET"]),
            Route("/app/admin", self.change, methods=["POST"]),
            Route("/app/admin/audit", self.audit, methods=["GET"]),
        ]

    async def show(self, request: Request) -> Response:
        """Answer the lists."""
        return await self._render(request)

    async def change(self, request: Request) -> Response:
        """Do what a form asks, and answer the lists as they are then."""
        form, language = await read_form(request), state_of(request.scope).language
        if not form.is_ours:
            return await self._render(request, Outcome(STALE[language == "en"], is_refused=True), 403)
        work = partial(_change, self._administration(), state_of(request.scope).caller, form, language)
        try:
            outcome, status = await anyio.to_thread.run_sync(work), 200
        except IdentityError as error:
            text = str(error) if language == "en" else error.french
            outcome, status = Outcome(text, is_refused=True), error.status
        return await self._render(request, outcome, status)

    async def audit(self, request: Request) -> Response:
        """Answer the latest events of the audit log."""
        kind = request.query_params.get("kind", "")
        kinds = [known for known in EVENT_KINDS if known == kind] or EVENT_KINDS
        since = datetime.now(UTC) - timedelta(days=DAYS)
        events = await anyio.to_thread.run_sync(self._read_events, since, kinds)
        return self._renderer.render(
            request, "audit.html.j2", events=events, kinds=EVENT_KINDS, kind=kind, days=DAYS
        )

    async def _render(self, request: Request, outcome: Outcome | None = None, status: int = 200) -> Response:
        administration = self._administration()

        def lists() -> dict[str, object]:
            return {
                "users": administration.users(),
                "tokens": administration.tokens(),
                "sessions": administration.sessions(),
            }

        return self._renderer.render(
            request,
            "admin.html.j2",
            status=status,
            outcome=outcome,
            roles=ROLES,
            scopes=SCOPES,
            lifetimes=LIFETIMES,
            journal=await self._journal(),
            **await anyio.to_thread.run_sync(lists),
        )

    async def _journal(self) -> JournalState | None:
        """Return the state of the journal; None where the service is not ready."""
        try:
            return await self._check.state()
        except ChurnError:
            return None


def _change(administration: Administration, caller: Caller, form: Form, language: Language) -> Outcome:
    """Do what a form asks.

    Raises:
        IdentityError: that is refused, or no form of ours asks so.
    """
    fields = form.fields
    name, action = fields.get("name", ""), fields.get("action", "")
    said: Pair
    if action == "add-user":
        administration.add_user(caller, name, fields.get("password", ""), fields.get("role", ""))
        said = (f"Utilisateur {name} ajouté.", f"User {name} added.")
    elif action == "set-password":
        administration.set_password(caller, name, fields.get("password", ""))
        said = (f"{name} a un autre mot de passe.", f"{name} has another password.")
    elif action == "set-role":
        administration.set_role(caller, name, fields.get("role", ""))
        said = (f"{name} a un autre rôle.", f"{name} has another role.")
    elif action in ("enable", "disable"):
        administration.set_active(caller, name, is_active=action == "enable")
        said = (f"Accès de {name} modifié.", f"Access of {name} changed.")
    elif action == "issue-token":
        return _issue(administration, caller, fields, language)
    elif action == "revoke-token":
        administration.revoke_token(caller, name)
        said = (f"Jeton {name} révoqué.", f"Token {name} revoked.")
    elif action == "end-session" and _ID.fullmatch(fields.get("id", "")):
        administration.end_session(caller, uuid.UUID(fields["id"]), name)
        said = (f"Session de {name} terminée.", f"Session of {name} ended.")
    else:
        raise IdentityError("nothing to do was chosen", "aucune action n'a été choisie")
    return Outcome(said[language == "en"])


def _issue(
    administration: Administration, caller: Caller, fields: Mapping[str, str], language: Language
) -> Outcome:
    name, days = fields.get("name", ""), fields.get("days", "")
    scopes = [scope for scope in SCOPES if f"scope-{scope}" in fields]
    if not scopes or days not in LIFETIMES:
        raise IdentityError("choose at least one scope", "choisir au moins un droit")
    secret = administration.issue_token(caller, name, scopes, LIFETIMES[days])
    said: Pair = (f"Jeton {name}, affiché cette seule fois :", f"Token {name}, shown this once:")
    return Outcome(said[language == "en"], secret=secret)
