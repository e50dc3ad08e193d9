"""Error responses: every answer gets a request id, every error one shape."""

import logging
import math

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from churn.core.errors import (
    ChurnError,
    CrossSiteError,
    InvalidInputError,
    ModelError,
    PayloadTooLargeError,
    TooManyRequestsError,
)
from churn.core.ids import new_id
from churn.dictionary.domain import Language
from churn.i18n import messages
from churn.web.headers import header
from churn.web.middleware.deadlines import Deadlines
from churn.web.tracebacks import anonymous_traceback

logger = logging.getLogger("churn")

RETRY_AFTER = "5"  # seconds
MAX_SECONDS = 30  # until there is an answer
CHALLENGES = ('Basic realm="churn", charset="UTF-8"', 'Bearer realm="churn"')

Detail = str | list[dict[str, object]]


class ErrorResponses:
    """Gives each request an id and a language, and each error the shape of the design.

    The shape is FastAPI's, `{"detail": …, "request_id": …}`, whoever refused: a `ChurnError` raised
    beneath it, BentoML's own errors, or an exception that nobody expected. What takes too long is ended,
    whatever it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._deadlines = Deadlines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request; what is not HTTP passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["request_id"] = new_id()
        state["language"] = messages.language_of(header(scope, b"accept-language"))
        answer = _Answer(scope, send)
        try:
            await self._deadlines.keep(self._app(scope, receive, answer.send), MAX_SECONDS)
        except ChurnError as error:
            if answer.started:
                raise
            if error.status >= 500:
                logger.error("request %s: %s", state["request_id"], error)
            answer.refused = refusal(error, scope)
        except Exception as error:
            logger.error("request %s failed:\n%s", state["request_id"], anonymous_traceback(error))
            if answer.started:
                raise  # too late for another answer: the server cuts the connection
            answer.refused = error_response(500, messages.status(500, state["language"]), scope)
        if answer.refused is not None:
            await answer.refused(scope, receive, send)


class _Answer:
    """The way out of one request: passes successes on, holds failures back to replace them."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self.started = False
        self.refused: JSONResponse | None = None

    async def send(self, message: Message) -> None:
        """Pass a success on, with the request's id on its head; drop a failure of BentoML's own."""
        if message["type"] == "http.response.start":
            if message["status"] >= 400:
                self.refused = self._refused(message)
            else:
                self.started = True
                request_id = str(self._scope["state"]["request_id"]).encode()
                message["headers"] = [*message["headers"], (b"x-request-id", request_id)]
        if self.refused is None:
            await self._send(message)

    def _refused(self, message: Message) -> JSONResponse:
        text = messages.status(message["status"], self._scope["state"]["language"])
        refused = error_response(message["status"], text, self._scope)
        if allowed := Headers(raw=message["headers"]).get("allow"):
            refused.headers["Allow"] = allowed
        return refused


def refusal(error: ChurnError, scope: Scope) -> JSONResponse:
    """Return the answer to a request that an error ended."""
    response = error_response(error.status, _detail(error, scope["state"]["language"]), scope)
    if isinstance(error, TooManyRequestsError):
        response.headers["Retry-After"] = str(math.ceil(error.wait))
    return response


def error_response(status: int, detail: Detail, scope: Scope) -> JSONResponse:
    """Return an error in the one shape, with the headers that its status asks for."""
    request_id = str(scope["state"]["request_id"])
    body = {"detail": detail, "request_id": request_id}
    response = JSONResponse(body, status, headers={"X-Request-ID": request_id})
    if status == 401:
        for challenge in CHALLENGES:
            response.headers.append("WWW-Authenticate", challenge)
    if status == 503:
        response.headers["Retry-After"] = RETRY_AFTER
    return response


def _detail(error: ChurnError, language: Language) -> Detail:
    if isinstance(error, InvalidInputError):
        return [
            {"loc": list(e.loc), "msg": messages.field_error(e, language), "type": e.kind}
            for e in error.errors
        ]
    if isinstance(error, PayloadTooLargeError):
        return messages.too_large(error, language)
    if isinstance(error, CrossSiteError):
        return messages.cross_site(language)
    if isinstance(error, ModelError):
        return messages.unusable_model(language)
    return messages.status(error.status, language)
