"""The prediction routes: reads a prediction route's body once, and refuses it before anything is computed."""

import asyncio
import json
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar

import anyio
import anyio.to_thread
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from churn.core.errors import FieldError, InvalidInputError, PayloadTooLargeError
from churn.core.memory_file import MemoryFile
from churn.dictionary import domain, names
from churn.dictionary.domain import Language
from churn.journal.call import Recording
from churn.schemas.employee import Changes, Employee, WhatIfQuestion
from churn.web.endpoints.body_reader import Body, BodyReader

MAX_BYTES = 1024**2  # of one employee
MAX_BATCH_BYTES = 32 * 1024**2
MAX_ROWS = 10_000
MAX_ERRORS = 50  # entries of one refusal
MAX_NAME = 64  # characters of an unknown field's name that are told back

# The state of the request that an endpoint answers: its language, and what the journal is to keep of it.
CALL: ContextVar[dict[str, Any]] = ContextVar("call")

BATCHES = "/predict_batch"
Endpoint = Callable[[Any], Awaitable[Response]]
Place = tuple[str | int, ...]
Record = TypeVar("Record", Employee, Changes)


def read_one(body: bytes) -> Employee:
    """Return the employee in a JSON body.

    Raises:
        InvalidInputError: it holds none; one entry per offending field.
    """
    employees, errors = _validate(Employee, [_parse(body)], ("body",))
    _refuse_any(errors)
    return employees[0]


def read_many(body: bytes) -> list[Employee]:
    """Return the employees in a JSON list, all of them or none.

    Raises:
        InvalidInputError: one of them is invalid; one entry per offending field, with its row.
        PayloadTooLargeError: there are more than `MAX_ROWS`.
    """
    parsed = _parse(body) if len(body) <= MAX_BYTES else _parse_rows(body)
    if not isinstance(parsed, list):
        raise InvalidInputError([FieldError(("body",), "list_type")])
    if len(parsed) > MAX_ROWS:
        raise PayloadTooLargeError(MAX_ROWS, "row")
    if not parsed:
        raise InvalidInputError([FieldError(("body",), "too_short")])
    employees, errors = _validate(Employee, parsed)
    _refuse_any(errors)
    return employees


def read_what_if(body: bytes) -> WhatIfQuestion:
    """Return the employee and the changes in a JSON body.

    Raises:
        InvalidInputError: it holds none; one entry per offending field of both.
    """
    parsed = _parse(body)
    if not isinstance(parsed, dict):
        raise InvalidInputError([FieldError(("body",), "object_type")])
    if "employee" not in parsed:
        raise InvalidInputError([FieldError(("body", "employee"), "missing")])
    employees, errors = _validate(Employee, [parsed.pop("employee")], ("body", "employee"))
    changes, more = _validate(Changes, [parsed.pop("changes", {})], ("body", "changes"))
    strangers = [FieldError(("body", _readable(name)), "unknown_field") for name in parsed]
    _refuse_any([*errors, *more, *strangers])
    return WhatIfQuestion(employee=employees[0], changes=changes[0])


@dataclass(frozen=True, slots=True)
class Route:
    """How the body of a prediction route is read, and how many bytes it may have."""

    read: Callable[[bytes], object]
    max_bytes: int


ROUTES: Mapping[str, Route] = {
    "/predict": Route(read_one, MAX_BYTES),
    BATCHES: Route(read_many, MAX_BATCH_BYTES),
    "/what_if": Route(read_what_if, MAX_BYTES),
}


def _parse(body: bytes, at: Place = ("body",)) -> object:
    if not body.strip():
        raise InvalidInputError([FieldError(at, "empty_body")])
    try:
        return _JSON.decode(body.decode())
    except (ValueError, RecursionError):
        # Chained from nothing: the parser's message may quote the body.
        raise InvalidInputError([FieldError(at, "json_invalid")]) from None


# What is between two tokens, in bounded time and never read twice: hence the possessive `*+`.
_SPACE = rb"[ \t\n\r]*+"
_PAST_SPACE, _BEGIN = re.compile(_SPACE), re.compile(_SPACE + rb"\[")
_ROW = re.compile(
    _SPACE + rb'(\{(?:[^][{}"]++|"(?:[^"\\]++|\\.)*+")*+\})' + _SPACE + rb"([],])",
    re.DOTALL,
)


def _parse_rows(body: bytes) -> list[object]:
    """Return the objects of a long list, read one by one.

    The parser lets nothing else of this process run until it is done: of 32 MiB, for a second.
    """
    begun = _BEGIN.match(body, 0, MAX_BYTES)
    if begun is None:
        raise InvalidInputError([FieldError(("body",), "list_type")])
    rows: list[object] = []
    at, is_last = begun.end(), False
    while not is_last:
        if len(rows) == MAX_ROWS:
            raise PayloadTooLargeError(MAX_ROWS, "row")
        found = _ROW.match(body, at, at + MAX_BYTES)
        if found is None:
            raise InvalidInputError([FieldError(("body", len(rows)), "flat_object")])
        rows.append(_parse(found[1], ("body", len(rows))))
        at, is_last = found.end(), found[2] == b"]"
    past = _PAST_SPACE.match(body, at, at + MAX_BYTES)
    if past is None or past.end() < len(body):
        raise InvalidInputError([FieldError(("body",), "json_invalid")])
    return rows


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object; JSON itself would let the last of two values win, silently."""
    found = dict(pairs)
    if len(found) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        repeated = next(name for name, times in counted.items() if times > 1)
        raise InvalidInputError([FieldError(("body", _readable(repeated)), "repeated_field")])
    return found


# Made once: `json.loads` makes one a call where there is a hook.
_JSON = json.JSONDecoder(object_pairs_hook=_once_each)


def _validate(
    kind: type[Record], records: list[object], at: Place = ()
) -> tuple[list[Record], list[FieldError]]:
    """Return the valid records and what is wrong with the others.

    `at` is the place of the only record; without it, each has its row.
    """
    valid: list[Record] = []
    errors: list[FieldError] = []
    for row, record in enumerate(records):
        try:
            valid.append(kind.model_validate(record))
        except ValidationError as error:
            place = at or ("body", row)
            details = error.errors(include_url=False, include_context=False)
            errors += [_field_error(detail, place) for detail in details]
        if len(errors) > MAX_ERRORS:
            break
    return valid, errors


def _refuse_any(errors: list[FieldError]) -> None:
    """Raise where there are errors, listed up to `MAX_ERRORS`."""
    if len(errors) > MAX_ERRORS:
        errors = [*errors[:MAX_ERRORS], FieldError(("body",), "more_errors")]
    if errors:
        raise InvalidInputError(errors)


def _readable(name: str) -> str:
    """Return an unknown name as it may be told back and stored: short, and without control characters."""
    return "".join(islice((character for character in name if character.isprintable()), MAX_NAME))


def _field_error(error: ErrorDetails, place: Place) -> FieldError:
    """Return our entry for one of pydantic's: the place and the field, never the value."""
    spelling = next((part for part in error["loc"] if isinstance(part, str)), None)
    known = names.field_of(spelling) if spelling else None
    kind = error["type"]
    if kind == "extra_forbidden":
        kind = "unknown_field" if known is None else "target" if known is domain.TARGET else "duplicate_field"
        known = known or names.meant(spelling or "")
    elif kind == "finite_number" and error["input"] == math.inf:
        kind = "less_than_equal"
    elif kind in ("model_type", "model_attributes_type", "dict_type"):
        kind = "object_type"
    elif known is not None and known.role == "core" and error["input"] is None:
        kind = "missing"
    at = place if spelling is None else (*place, _readable(spelling))
    return FieldError(at, kind, known.name if known else None)


class Batches(Protocol):
    """What answers large batches: BentoML's worker and its event loop are for the others."""

    async def answer(self, file: MemoryFile, language: Language) -> Recording:
        """Replace a file's list of employees by the answer to it, and return what journals that."""


class PredictionRoutes:
    """Reads the body of a prediction route, and answers by the endpoint of the route, or by `batches`.

    `endpoints` has the service's by their routes, each with what it takes. Raises `RefusalError`s for
    the middleware around it to answer. BentoML's own way to an endpoint takes as long as all that we do on
    ours, and would parse and validate once more: what it leads to is called here, by the same names.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint], batches: Batches) -> None:
        self._app = app
        self._endpoints = endpoints
        self._batches = batches
        self._reader = BodyReader()
        # What is read of a large body takes ten times its bytes: one at a time.
        self._large = anyio.CapacityLimiter(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; what is no prediction passes."""
        route = ROUTES.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        body = await self._reader.read(scope, receive, route.max_bytes)
        CALL.set(scope["state"])  # for this request's own task
        if body.file is None:
            answer = await self._endpoints[scope["path"]](route.read(body.read()))
        elif scope["path"] == BATCHES:
            answer = await self._answer_batch(scope, body, body.file)
        else:
            answer = await self._answer_large(scope, body)
        await answer(scope, receive, send)

    async def _answer_batch(self, scope: Scope, body: Body, file: MemoryFile) -> Response:
        """Answer a large batch, by another process; the recorder is left what journals it there."""
        try:
            scope["state"]["batch"] = await self._batches.answer(file, scope["state"]["language"])
            return Response(file.view(), media_type="application/json")
        finally:
            self._reader.let_go(scope, body)

    async def _answer_large(self, scope: Scope, body: Body) -> Response:
        """Answer any other large body when it is its turn.

        What has begun goes on where nobody waits for it any more: a thread cannot be ended, and what it
        holds counts until it has.
        """
        read, endpoint, turn = ROUTES[scope["path"]].read, self._endpoints[scope["path"]], object()
        try:
            await self._large.acquire_on_behalf_of(turn)
        except BaseException:
            self._reader.let_go(scope, body)
            raise

        async def work() -> Response:
            try:
                return await endpoint(await anyio.to_thread.run_sync(lambda: read(body.read())))
            finally:
                self._large.release_on_behalf_of(turn)
                self._reader.let_go(scope, body)

        return await asyncio.shield(asyncio.create_task(work()))
