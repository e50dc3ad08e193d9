"""The intake: reads a prediction's body once, and refuses it before anything is computed."""

import json

import anyio.to_thread
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
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
SMALL = 16 * 1024  # bytes that are read at once, without a thread
MAX_ROWS = 10_000
MAX_ERRORS = 50  # entries of one refusal
MAX_NAME = 64  # characters of an unknown field's name that are told back
ONE, MANY = "/predict", "/predict_batch"

_employee = TypeAdapter(Employee)


def read_one(body: bytes) -> Employee:
    """Return the employee in a JSON body.

    Raises:
        InvalidInputError: it holds none; one entry per offending field.
    """
    employees, errors = _validate([_parse(body)], ("body",))
    if errors:
        raise InvalidInputError(errors)
    return employees[0]


def read_many(body: bytes) -> list[Employee]:
    """Return the employees in a JSON list, all of them or none.

    Raises:
        InvalidInputError: one of them is invalid; one entry per offending field, with its row.
        PayloadTooLargeError: there are more than `MAX_ROWS`.
    """
    parsed = _parse(body)
    if not isinstance(parsed, list):
        raise InvalidInputError([FieldError(("body",), "list_type")])
    if len(parsed) > MAX_ROWS:
        raise PayloadTooLargeError(MAX_ROWS, "row")
    if not parsed:
        raise InvalidInputError([FieldError(("body",), "too_short")])
    employees, errors = _validate(parsed)
    if errors:
        raise InvalidInputError(errors)
    return employees


def _parse(body: bytes) -> object:
    if not body.strip():
        raise InvalidInputError([FieldError(("body",), "empty_body")])
    try:
        return json.loads(body, object_pairs_hook=_once_each)
    except (ValueError, RecursionError):
        # Chained from nothing: the parser's message may quote the body.
        raise InvalidInputError([FieldError(("body",), "json_invalid")]) from None


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; JSON itself would let the last of two values win, silently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise InvalidInputError([FieldError(("body", _readable(repeated)), "repeated_field")])
    return found


def _validate(records: list[object], at: tuple[str, ...] = ()) -> tuple[list[Employee], list[FieldError]]:
    """Return the employees and what is wrong with the others, listed up to `MAX_ERRORS`.

    `at` is the place of the only record; without it, each has its row.
    """
    employees: list[Employee] = []
    errors: list[FieldError] = []
    for row, record in enumerate(records):
        try:
            employees.append(_employee.validate_python(record))
        except ValidationError as error:
            place = at or ("body", row)
            details = error.errors(include_url=False, include_context=False, include_input=False)
            errors += [_field_error(detail, place) for detail in details]
        if len(errors) > MAX_ERRORS:
            return employees, [*errors[:MAX_ERRORS], FieldError(("body",), "more_errors")]
    return employees, errors


def _readable(name: str) -> str:
    """Return an unknown name as it may be told back and stored: short, and without control characters."""
    return "".join(character for character in name if character.isprintable())[:MAX_NAME]


def _field_error(error: ErrorDetails, place: tuple[str | int, ...]) -> FieldError:
    """Return our entry for one of pydantic's: the place and the field, never the value."""
    spelling = next((_readable(part) for part in error["loc"] if isinstance(part, str)), None)
    known = domain.BY_SPELLING.get(domain.fold_name(spelling)) if spelling else None
    kind = error["type"]
    if kind == "extra_forbidden":
        kind = "unknown_field" if known is None else "target" if known is domain.TARGET else "duplicate_field"
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        kind = "object_type"
    at = place if spelling is None else (*place, spelling)
    return FieldError(at, kind, known.name if known else None)


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
