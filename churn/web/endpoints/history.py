"""GET /history: reads what is asked for in the query, and answers a page of predictions."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from churn.core.errors import FieldError, InvalidInputError
from churn.dictionary import domain
from churn.records.history import LIMIT, MAX_LIMIT, Filters
from churn.schemas.employee import IDENTIFIER, LONGEST_IDENTIFIER, UNSEEN, is_readable
from churn.schemas.logged_prediction import HistoryPage, LoggedPrediction

READERS = 3  # pages that are read at once, so that logins find a connection beside them
MAX_NAME = 64  # characters of an unknown parameter's name that are told back
MAX_ERRORS = 50  # entries of one refusal
LONGEST_NAME = 128  # characters

Read = Callable[[Filters], list[LoggedPrediction]]
StoredAs = Callable[[str], tuple[str, ...]]


def make_history(read: Read, stored_as: StoredAs) -> Route:
    """Return the route.

    `read` returns the predictions that filters let through, newest first; it is called off the event loop.
    `stored_as` returns the forms in which an employee's id may be stored.
    """
    readers = anyio.CapacityLimiter(READERS)

    async def history(request: Request) -> Response:
        """Answer one page, and the id before which the next one begins."""
        filters = _filters(request.query_params, stored_as)
        # One more than the page holds tells whether there is another.
        more = replace(filters, limit=filters.limit + 1)
        found = await anyio.to_thread.run_sync(partial(read, more), limiter=readers)
        shown = found[: filters.limit]
        following = shown[-1].prediction_id if len(found) > len(shown) else None
        body = HistoryPage(predictions=shown, next=following).json_bytes(details=filters.details)
        return Response(body, media_type="application/json")

    return Route("/history", history, methods=["GET"])


def _filters(query: QueryParams, stored_as: StoredAs) -> Filters:
    """Return what a query asks for.

    Raises:
        InvalidInputError: a parameter is unknown, given twice or malformed; one entry for each.
    """
    found: dict[str, Any] = {}
    errors = []
    for name in query:
        parameter = PARAMETERS.get(name)
        if parameter is None:
            readable = "".join(character for character in name if character.isprintable())[:MAX_NAME]
            errors.append(FieldError(("query", readable), "unknown_parameter"))
        elif len(query.getlist(name)) > 1:
            errors.append(FieldError(("query", name), "repeated_parameter"))
        else:
            try:
                found[name] = parameter.read(query[name])
            except ValueError:
                field = name if name in domain.BY_NAME else None
                errors.append(FieldError(("query", name), parameter.kind, field))
    if errors:
        raise InvalidInputError(errors[:MAX_ERRORS])
    if (employee_id := found.pop("employee_id", None)) is not None:
        found["employee_ids"] = stored_as(employee_id)
    return Filters(**found)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: how it is read, what it is for, and how it looks as JSON Schema.

    `read` raises ValueError where the text is not of its `kind`.
    """

    read: Callable[[str], object]
    kind: str
    about: str
    schema: Mapping[str, Any]


def _page_size(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MAX_LIMIT):
        raise ValueError
    return int(text)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _one_of(choices: Mapping[str, object]) -> Callable[[str], object]:
    def read(text: str) -> object:
        if text not in choices:
            raise ValueError
        return choices[text]

    return read


def _name(text: str, longest: int = LONGEST_NAME) -> str:
    # PostgreSQL refuses NUL in text, and no name that is stored has other control characters.
    if len(text) > longest or not is_readable(text):
        raise ValueError
    return text


def _identifier(text: str) -> str:
    return _name(text.strip(), LONGEST_IDENTIFIER)


_NAME = {"type": "string", "pattern": f"^[^{UNSEEN}]{{1,{LONGEST_NAME}}}$"}
_MOMENT = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}

PARAMETERS: Mapping[str, Parameter] = {
    "limit": Parameter(
        _page_size,
        "page_size",
        "predictions on the page",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT},
    ),
    "before": Parameter(
        uuid.UUID,
        "prediction_id",
        "only predictions older than this one: the `next` of the page before",
        {"type": "string", "format": "uuid"},
    ),
    "user": Parameter(_name, "name", "only those that this user or token asked for", _NAME),
    "model": Parameter(_name, "name", "only those of the model of this tag", _NAME),
    "prediction": Parameter(
        _one_of({"0": 0, "1": 1}), "zero_or_one", "only those that flag (1), or do not (0)", {"enum": [0, 1]}
    ),
    "since": Parameter(
        _moment, "moment", "only those of this moment (UTC without an offset) and later", _MOMENT
    ),
    "until": Parameter(_moment, "moment", "only those of before this moment", _MOMENT),
    "employee_id": Parameter(
        _identifier,
        "identifier",
        "only those of one employee",
        {"type": "string", "pattern": IDENTIFIER},
    ),
    "details": Parameter(
        _one_of({"true": True, "false": False}),
        "true_or_false",
        "with the record and the contributions",
        {"type": "boolean", "default": False},
    ),
}
