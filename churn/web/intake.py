"""The intake: reads a prediction's body once, and refuses it before anything is computed."""

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from churn import domain
from churn.errors import (
    FieldError,
    InvalidInputError,
    PayloadTooLargeError,
    RefusalError,
    UnsupportedMediaError,
)
from churn.schemas import Employee

MAX_BYTES = 1024**2  # of one employee
MAX_BATCH_BYTES = 32 * 1024**2
MAX_ROWS = 10_000
MAX_NAME = 64  # characters of an unknown field's name that are told back
ONE, MANY = "/predict", "/predict_batch"

T = TypeVar("T")

_one = TypeAdapter(Employee)
_many = TypeAdapter(list[Employee])


def read_one(body: bytes) -> Employee:
    """Return the employee in a JSON body.

    Raises:
        InvalidInputError: it holds none; one entry per offending field.
    """
    return _validated(_one.validate_python, _parse(body))


def read_many(body: bytes) -> list[Employee]:
    """Return the employees in a JSON list, all of them or none.

    Raises:
        InvalidInputError: one of them is invalid; one entry per offending field, with its row.
        PayloadTooLargeError: there are more than `MAX_ROWS`.
    """
    parsed = _parse(body)
    if isinstance(parsed, list) and len(parsed) > MAX_ROWS:
        raise PayloadTooLargeError(MAX_ROWS, "row")
    if parsed == []:
        raise InvalidInputError([FieldError(("body",), "too_short")])
    return _validated(_many.validate_python, parsed)


def _parse(body: bytes) -> object:
    if not body.strip():
        raise InvalidInputError([FieldError(("body",), "empty_body")])
    try:
        return from_json(body)
    except ValueError:
        # Chained from nothing: the parser's message may quote the body.
        raise InvalidInputError([FieldError(("body",), "json_invalid")]) from None


def _validated(validate: Callable[[object], T], parsed: object) -> T:
    try:
        return validate(parsed)
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        raise InvalidInputError([_field_error(e) for e in details]) from None


def _field_error(error: ErrorDetails) -> FieldError:
    """Return our entry for one of pydantic's: the row and the field, never the value."""
    place = [part if isinstance(part, int) else part[:MAX_NAME] for part in error["loc"]]
    spelling = next((part for part in place if isinstance(part, str)), None)
    known = domain.BY_SPELLING.get(domain.fold_name(spelling)) if spelling else None
    kind = error["type"]
    if kind == "extra_forbidden":
        kind = "unknown_field" if known is None else "target" if known is domain.TARGET else "duplicate_field"
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        kind = "object_type"
    return FieldError(("body", *place), kind, known.name if known else None)


class Intake:
    """Reads the body of a prediction route and leaves its employees in the request's state.

    Raises `RefusalError`s for the envelope around it to answer. The service behind it finds
    `state["employees"]`: one `Employee`, or a list for a batch.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read one request; what is no prediction passes."""
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] in (ONE, MANY):
            _check_media(Headers(scope=scope))
            one = scope["path"] == ONE
            body = await _read(scope, receive, MAX_BYTES if one else MAX_BATCH_BYTES)
            scope["state"]["employees"] = (
                read_one(body) if one else await anyio.to_thread.run_sync(read_many, body)
            )
        await self._app(scope, receive, send)


def _check_media(headers: Headers) -> None:
    media = headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if media != "application/json" or headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaError


async def _read(scope: Scope, receive: Receive, limit: int) -> bytes:
    """Return the whole body, or stop as soon as it is over the limit."""
    declared = Headers(scope=scope).get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise PayloadTooLargeError(limit, "byte")
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusalError  # nobody reads the answer, but the journal does
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise PayloadTooLargeError(limit, "byte")
        more = message.get("more_body", False)
    return b"".join(chunks)
