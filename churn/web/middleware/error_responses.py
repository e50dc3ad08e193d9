"""Error responses: every answer has the request's id, and all errors have one shape."""

import asyncio
import logging
import math

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churn.core.errors import (
    ChurnError,
    ConflictError,
    CrossSiteError,
    FormTypeError,
    InvalidInputError,
    ModelError,
    PayloadTooLargeError,
    RoomError,
    TookTooLongError,
    TooManyRequestsError,
    UnauthorizedError,
)
from churn.core.language import Language
from churn.i18n import job_sentences, messages, refusal_sentences
from churn.web.endpoints.error_page import Detail, error_page, to_sign_in
from churn.web.endpoints.forms import kept_fields
from churn.web.endpoints.html_page import PageRenderer, language_of
from churn.web.headers import header
from churn.web.middleware.security_headers import POLICY
from churn.web.request_state import STATE, RequestState
from churn.web.routes import SAFE
from churn.web.tracebacks import anonymous_traceback

logger = logging.getLogger("churn")

RETRY_AFTER = "5"  # seconds
CHALLENGES = ('Basic realm="churn", charset="UTF-8"', 'Bearer realm="churn"')


class ErrorResponses:
    """Finds each request's language, and gives all errors one shape.

    The shape is FastAPI's, `{"detail": …, "request_id": …}`, for a `ChurnError` that is raised inside,
    BentoML's own errors and unexpected exceptions. Whatever takes longer than the route's deadline is
    cancelled.
    """

    def __init__(self, app: ASGIApp, refusals: "Refusals") -> None:
        self._app, self._refusals = app, refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle an HTTP request, and pass others on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: RequestState = scope["state"][STATE]
        state.language = messages.language_of(header(scope, b"accept-language"))
        if state.route.is_page:
            state.language = language_of(Request(scope))
        answer, deadline = _Answer(scope, send, self._refusals), asyncio.timeout(state.route.deadline)
        try:
            async with deadline:
                await self._app(scope, receive, answer.send)
        except Exception as error:  # noqa: BLE001 - whatever it is: answered in our shape
            failure = cause(error, deadline)
            _log(failure, state)
            if answer.started:
                raise failure from None  # too late for another answer: the server cuts the connection
            if isinstance(failure, UnauthorizedError) and state.route.is_page and scope["method"] == "POST":
                state.kept = await kept_fields(Request(scope, receive))
            answer.refused = self._refusals.refuse(failure, scope)
        if answer.refused is not None:
            await answer.refused(scope, receive, send)


class _Answer:
    """The answer to one request: successes are passed on, failures held back to be replaced."""

    def __init__(self, scope: Scope, send: Send, refusals: "Refusals") -> None:
        self._scope, self._send, self._refusals = scope, send, refusals
        self._state: RequestState = scope["state"][STATE]
        self.started = False
        self.refused: Response | None = None

    async def send(self, message: Message) -> None:
        """Pass a success on with the request's id in its headers; drop a failure that is no page of ours."""
        if message["type"] == "http.response.start":
            if message["status"] >= 400 and not self._is_page(message):
                self.refused = self._refused(message)
            else:
                self.started = True
                request_id = str(self._state.request_id).encode()
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
        if self.refused is None:
            await self._send(message)

    def _is_page(self, message: Message) -> bool:
        """Return whether a failure is told by a page, which shows a form again."""
        return self._state.route.is_page and any(name == POLICY for name, _ in message["headers"])

    def _refused(self, message: Message) -> Response:
        text = refusal_sentences.status(message["status"], self._state.language)
        refused = self._refusals.respond(message["status"], text, self._scope)
        if allowed := Headers(raw=message["headers"]).get("allow"):
            refused.headers["Allow"] = allowed
        return refused


def cause(error: Exception, deadline: asyncio.Timeout) -> Exception:
    """Return the reason for an error under a deadline: once that has passed, it took too long."""
    return TookTooLongError("no answer in time") if deadline.expired() else error


def _log(error: Exception, state: RequestState) -> None:
    if not isinstance(error, ChurnError):
        logger.error("request %s failed:\n%s", state.request_id, anonymous_traceback(error))
    elif error.status >= 500:
        logger.error("request %s: %s", state.request_id, error)


class Refusals:
    """Makes the answers to calls that are refused or fail: JSON for programs, and pages for people."""

    def __init__(self, renderer: PageRenderer) -> None:
        self._renderer = renderer

    def refuse(self, error: Exception, scope: Scope) -> Response:
        """Return the answer for an error; it says nothing about one that is not ours."""
        state: RequestState = scope["state"][STATE]
        if not isinstance(error, ChurnError):
            return self.respond(500, refusal_sentences.status(500, state.language), scope)
        if isinstance(error, UnauthorizedError) and state.route.is_page and scope["method"] in SAFE:
            return to_sign_in(Request(scope))
        response = self.respond(error.status, detail_of(error, state.language), scope)
        if isinstance(error, TooManyRequestsError):
            response.headers["Retry-After"] = str(math.ceil(error.wait))
        return response

    def respond(self, status: int, detail: Detail, scope: Scope) -> Response:
        """Return an error as whoever asked can read it."""
        state: RequestState = scope["state"][STATE]
        response: Response = error_response(status, detail, state)
        if not state.route.is_page:
            return response
        state.document = bytes(response.body)
        page = error_page(self._renderer, Request(scope), status, detail)
        kept = ("x-request-id", "retry-after")
        page.headers.update({name: value for name, value in response.headers.items() if name in kept})
        return page


def error_response(status: int, detail: Detail, state: RequestState) -> JSONResponse:
    """Return an error in the one shape, with the headers that belong to its status."""
    request_id = str(state.request_id)
    body = {"detail": detail, "request_id": request_id}
    response = JSONResponse(body, status, headers={"X-Request-ID": request_id})
    if status == 401:
        for challenge in CHALLENGES:
            response.headers.append("WWW-Authenticate", challenge)
    if status == 503:
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def note_refusal(error: InvalidInputError, state: RequestState) -> None:
    """Note for the journal that a form was refused, whose page says so beside the fields."""
    state.document = bytes(error_response(error.status, detail_of(error, state.language), state).body)


def detail_of(error: ChurnError, language: Language) -> Detail:
    """Return what is wrong: a sentence, or one entry for each offending field."""
    if isinstance(error, InvalidInputError):
        return [
            {"loc": list(e.loc), "msg": refusal_sentences.field_error(e, language), "type": e.kind}
            for e in error.errors
        ]
    if isinstance(error, PayloadTooLargeError):
        return refusal_sentences.too_large(error, language)
    if isinstance(error, CrossSiteError):
        return refusal_sentences.cross_site(language)
    if isinstance(error, ConflictError):
        return job_sentences.conflict(error.kind, language)
    if isinstance(error, FormTypeError):
        return job_sentences.form_expected(language)
    if isinstance(error, RoomError):
        return job_sentences.no_room(language)
    if isinstance(error, ModelError):
        return refusal_sentences.unusable_model(language)
    return refusal_sentences.status(error.status, language)
