"""What was predicted, read back from the journal: a stream that takes as little memory for millions."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, Row, Select, Text, cast, func, select

from churn.database.months import bound
from churn.database.schema import explained
from churn.database.tables import api_responses, employee_inputs, features, prediction_results, requests

PAGE_ROWS = 1000

_RESULT = prediction_results.c


@dataclass(frozen=True, slots=True)
class Logged:
    """One prediction as the journal holds it, with the call that it answered.

    `record`, `values` and `contributions` (log-odds) are by canonical field name. Each is None where it
    was erased; where `is_erased` is false, None is what cannot be read. So is all that a missing row held.
    """

    id: uuid.UUID
    request_id: uuid.UUID
    model: str
    threshold: float
    prediction: int | None
    probability: float | None
    base_value: float | None
    employee_id: str | None
    is_erased: bool
    record: dict[str, Any] | None
    values: dict[str, Any] | None
    contributions: dict[str, Any] | None
    received_at: datetime | None
    method: str | None
    route: str | None
    caller_kind: str | None
    caller_name: str | None
    status: int | None
    duration_ms: float | None


def logged(
    engine: Engine,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int | None = None,
    *,
    newest_first: bool = False,
) -> Iterator[Logged]:
    """Return what was predicted from `since` on and before `until`, by time; at most `limit` of it.

    No connection is held while the caller works on a page of it.

    Raises:
        DatabaseError: the database cannot be read.
    """
    after: uuid.UUID | None = None
    left = limit
    while left is None or left > 0:
        size = PAGE_ROWS if left is None else min(PAGE_ROWS, left)
        page = _page(_within(since, until), after, size, newest_first=newest_first)
        with explained(engine), engine.connect() as connection:
            rows = connection.execute(page).all()
            whole = _joined(connection, rows)
        yield from whole
        if len(rows) < size:
            return
        after = rows[-1].id
        left = None if left is None else left - len(rows)


def count(
    engine: Engine, since: datetime | None = None, until: datetime | None = None, limit: int | None = None
) -> int:
    """Return how many predictions `logged` finds by now; raises DatabaseError as it does."""
    found = select(_RESULT.id).where(*_within(since, until)).limit(limit).subquery()
    with explained(engine), engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(found)).scalar_one()


def _within(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    bounds = [] if since is None else [_RESULT.id >= bound(since)]
    return bounds if until is None else [*bounds, _RESULT.id < bound(until)]


def _page(
    within: list[ColumnElement[bool]], after: uuid.UUID | None, size: int, *, newest_first: bool
) -> Select[Any]:
    page = select(prediction_results).where(*within).limit(size)
    if after is not None:
        page = page.where(_RESULT.id < after if newest_first else _RESULT.id > after)
    return page.order_by(_RESULT.id.desc() if newest_first else _RESULT.id)


def _joined(connection: Connection, results: Sequence[Row[Any]]) -> list[Logged]:
    """Return the results of a page with what belongs to them.

    By queries of their own: with all in one, PostgreSQL reads each table from its beginning, page by page.
    """
    if not results:
        return []
    ends = sorted((results[0].id, results[-1].id))
    keys = {row.request_id for row in results}
    inputs = {row.id: row for row in connection.execute(_INPUTS.where(employee_inputs.c.id.between(*ends)))}
    seen = {row.id: row for row in connection.execute(_FEATURES.where(features.c.id.between(*ends)))}
    calls = {row.id: row for row in connection.execute(_CALLS.where(requests.c.id.in_(keys)))}
    return [_logged(row, inputs.get(row.id), seen.get(row.id), calls.get(row.request_id)) for row in results]


# Documents as text: one that somebody broke ends its own row's reading only.
_INPUTS = select(
    employee_inputs.c.id, employee_inputs.c.employee_id, cast(employee_inputs.c.record, Text).label("record")
)
_FEATURES = select(
    features.c.id,
    features.c.base_value,
    cast(features.c["values"], Text).label("seen"),
    cast(features.c.contributions, Text).label("contributions"),
)
_CALLS: Select[Any] = select(
    *(requests.c[name] for name in ("id", "received_at", "method", "route", "caller_kind", "caller_name")),
    api_responses.c.status,
    api_responses.c.duration_ms,
).select_from(requests.outerjoin(api_responses, api_responses.c.request_id == requests.c.id))


def _logged(result: Row[Any], given: Row[Any] | None, seen: Row[Any] | None, call: Row[Any] | None) -> Logged:
    is_erased = given is not None and given.record is None
    return Logged(
        id=result.id,
        request_id=result.request_id,
        model=result.model,
        threshold=result.threshold,
        # Also of one that was erased since the result was read.
        prediction=None if is_erased else result.prediction,
        probability=None if is_erased else result.probability,
        base_value=seen and seen.base_value,
        employee_id=given and given.employee_id,
        is_erased=is_erased,
        record=_document(given and given.record),
        values=None if is_erased else _document(seen and seen.seen),
        contributions=None if is_erased else _document(seen and seen.contributions),
        received_at=call and call.received_at,
        method=call and call.method,
        route=call and call.route,
        caller_kind=call and call.caller_kind,
        caller_name=call and call.caller_name,
        status=call and call.status,
        duration_ms=call and call.duration_ms,
    )


def _document(text: str | None) -> dict[str, Any] | None:
    try:
        found = None if text is None else orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
