"""Forms: what a browser sends, read within limits, and whether it comes from a page of ours."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from churn.core.errors import ChurnError, PayloadTooLargeError, RefusalError, UnsupportedMediaError
from churn.core.language import Pair
from churn.web.csrf import FIELD, is_token
from churn.web.request_state import state_of

MAX_BYTES = 64 * 1024
MAX_FIELDS = 500
PATIENCE = 10.0  # seconds, for the form of somebody who is not signed in
# What to say of a form of another session.
STALE: Pair = (
    "Votre session a changé : rien n'a été fait. Vérifiez, puis renvoyez.",
    "Your session has changed: nothing was done. Check it, then send it again.",
)
_TYPE = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Form:
    """What was sent, by name; `is_ours` says whether the page that sent it belongs to the same session.

    A form of another session is never acted on: it is shown again, to be sent once more.
    """

    fields: Mapping[str, str]
    is_ours: bool


async def read_form(request: Request, secret: str | None = None) -> Form:
    """Return the form in a request, made for the session, or else for the secret of a cookie.

    Raises:
        UnsupportedMediaError, PayloadTooLargeError, RefusalError: as `read_fields`.
    """
    fields = await read_fields(request)
    session = state_of(request.scope).session
    secret = session.secret if session else secret
    return Form(fields, is_token(fields.pop(FIELD, ""), secret or ""))


async def read_fields(request: Request) -> dict[str, str]:
    """Return what a form sent, by name; whoever sent it.

    Raises:
        UnsupportedMediaError: it is no form without files.
        PayloadTooLargeError: it has more bytes than a form of ours can have.
        RefusalError: it has too many fields, or they are no text.
    """
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _TYPE:
        raise UnsupportedMediaError
    body = await read_body(request)
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise RefusalError("the form cannot be read") from None
    return dict(pairs)


async def read_body(request: Request) -> bytes:
    """Return what a page sent; raise PayloadTooLargeError where a form of ours cannot have as many bytes."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise PayloadTooLargeError(MAX_BYTES, "byte")
    return bytes(body)


async def kept_fields(request: Request) -> dict[str, str]:
    """Return what somebody typed before the session ended, to be sent again; passwords are typed again."""
    try:
        async with asyncio.timeout(PATIENCE):
            fields = await read_fields(request)
    except (TimeoutError, ClientDisconnect, ChurnError):
        return {}
    return {name: text for name, text in fields.items() if "password" not in name}
